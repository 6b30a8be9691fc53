'use strict';

// Loaded before a program in a runtime whose console has a form of its own for objects: prints as
// Node does.

const { format } = require('node:util');

console.log = (...values) => void process.stdout.write(`${format(...values)}\n`);
