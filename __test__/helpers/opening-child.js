'use strict';

// A process that opens a limiter of the machine and uses 100,000 keys of it:
// `node opening-child.js PATH OPTIONS FILLS`. Unless FILLS is empty, it fills the disk in between.
// It prints the code of a failure, or the number of keys in the end.

const { writeFileSync } = require('node:fs');

const { RateLimiter } = require('@nodesec/native');

const [at, options, fills] = process.argv.slice(2);
try {
  const limiter = RateLimiter.machine(at, JSON.parse(options));
  try {
    if (fills) writeFileSync(`${at}.filler`, Buffer.alloc(64 << 20));
  } catch ({ code }) {
    console.log(code);
  }
  for (let n = 0; n < 100_000; n++) limiter.check(`key ${n}`);
  console.log(limiter.stats().keys);
} catch ({ code, message }) {
  console.log(code, message);
}
