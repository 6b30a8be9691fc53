'use strict';

// A process that takes units of one key after the other from a limiter of the machine:
// `node limiting-child.js PATH FILE`. It writes the number of the key to FILE after each unit that
// it got, and goes to the next key when it is refused. It prints `ready`, and ends when its input
// does.

const { openSync, writeSync } = require('node:fs');

const { RateLimiter } = require('@nodesec/native');

const [at, file] = process.argv.slice(2);
const limiter = RateLimiter.machine(at);
const counts = openSync(file, 'a', 0o600);
console.log('ready');
process.stdin.resume().on('end', () => process.exit());

let key = 0;
function take() {
  for (let calls = 0; calls < 200; calls += 1) {
    if (limiter.check(`key ${key}`)) writeSync(counts, `${key}\n`);
    else key += 1;
  }
  setImmediate(take);
}
take();
