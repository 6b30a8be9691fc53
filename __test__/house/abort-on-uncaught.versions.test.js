'use strict';

// The table of arguments under --abort-on-uncaught-exception in the other versions of Node that the
// package supports: each V8 predicts handlers in its own way.

const { test } = require('node:test');

const { assertTableOfArgumentsPasses } = require('../helpers/abort-on-uncaught.js');
const peers = require('../helpers/peers.js');

for (const major of [22, 24, 26]) {
  test(`every wrong argument of every function is caught by try in Node ${major}`, (t) => {
    const node = peers.node(t, major);
    if (node !== undefined) assertTableOfArgumentsPasses(node);
  });
}
