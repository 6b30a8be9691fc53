// A process of the row on memory: a limiter takes one unit of each of a million keys. Prints the
// resident memory per key, with the garbage collected, and the longest collection.

import assert from 'node:assert/strict';
import { PerformanceObserver } from 'node:perf_hooks';
import { setImmediate, setTimeout } from 'node:timers/promises';

import { RateLimiter } from '@nodesec/native';
import { MemoryStore } from 'express-rate-limit';
import { RateLimiterMemory } from 'rate-limiter-flexible';

const KEYS = 1_000_000;
const LIMITERS = {
  // The share of V8.
  'no limiter': () => () => true,
  '@nodesec/native': () => {
    const limiter = new RateLimiter({ limit: 5, windowMs: 86_400_000, maxKeys: KEYS });
    return (key) => limiter.check(key);
  },
  'rate-limiter-flexible (memory)': () => {
    const limiter = new RateLimiterMemory({ points: 5, duration: 86_400 });
    return (key) => limiter.consume(key);
  },
  'express-rate-limit (MemoryStore)': () => {
    const store = new MemoryStore();
    store.init({ windowMs: 86_400_000 });
    return (key) => store.increment(key);
  },
};

const keyOf = (i) => `client:${String(i).padStart(11, '0')}`;
const take = LIMITERS[process.argv[2]]();
// One key first, so that code that is compiled and loaded does not count. Nor does the space that
// V8 keeps for young objects, which the texts of the keys fill in any case.
await take('first');
let length = 0;
for (let i = 0; i < KEYS; i += 1) length += keyOf(i).length;
assert.equal(length, 18 * KEYS);
globalThis.gc();
const before = process.memoryUsage.rss();

let longestMs = 0;
const observer = new PerformanceObserver((list) => {
  for (const { duration } of list.getEntries()) longestMs = Math.max(longestMs, duration);
});
observer.observe({ entryTypes: ['gc'] });
for (let i = 0; i < KEYS; i += 1) {
  await take(keyOf(i));
  // The observer is called by the event loop.
  if (i % 10_000 === 0) await setImmediate();
}
await setTimeout(50);
observer.disconnect();
globalThis.gc();
console.log(JSON.stringify({ bytes: (process.memoryUsage.rss() - before) / KEYS, longestMs }));
process.exit();
