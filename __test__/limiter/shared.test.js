'use strict';

// A limiter that worker threads share.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { test } = require('node:test');
const { Worker } = require('node:worker_threads');

const { RateLimiter } = require('@nodesec/native');
const { coded } = require('../helpers/outcome.js');

const HOUR = 3_600_000;
const OPTIONS = { limit: 1000, windowMs: 1000 * HOUR, maxKeys: 1000 };

test('8 threads together get the limit and no more', async () => {
  const script = `
    const { parentPort, workerData } = require('node:worker_threads');
    const { RateLimiter } = require('@nodesec/native');
    const limiter = RateLimiter.shared('threads', workerData);
    let allowed = 0;
    for (let n = 0; n < 1000; n++) allowed += limiter.check('key');
    parentPort.postMessage(allowed);`;
  const workers = Array.from(
    { length: 8 },
    () => new Worker(script, { eval: true, workerData: OPTIONS }),
  );
  const counts = await Promise.all(workers.map(async (worker) => (await once(worker, 'message'))[0]));
  assert.equal(
    counts.reduce((sum, count) => sum + count),
    1000,
  );
  assert.equal(RateLimiter.shared('threads').check('key'), false);
});

test('a name with other options is refused, and one without options must exist', () => {
  RateLimiter.shared('options', OPTIONS).check('key', 1000);
  assert.equal(RateLimiter.shared('options', { ...OPTIONS, onFull: 'evict' }).check('key'), false);
  assert.equal(RateLimiter.shared('options', { maxKeys: 1000 }).check('key'), false);
  for (const other of [
    { limit: 999 },
    { windowMs: HOUR },
    { burst: 1 },
    { strict: true },
    { maxKeys: 999 },
    { onFull: 'deny' },
    { algorithm: 'fixed-window' },
  ]) {
    const call = () => RateLimiter.shared('options', { ...OPTIONS, ...other });
    assert.throws(call, coded('ERR_INVALID_ARG_VALUE'));
  }
  assert.throws(() => RateLimiter.shared('nobody has made it'), coded('ERR_MISSING_OPTION'));
  const clock = () => new Date();
  assert.throws(() => RateLimiter.shared('options', { ...OPTIONS, clock }), coded('ERR_UNKNOWN_OPTION'));
});

test('changed limits hold for every thread, which still passes those of the start', () => {
  const [one, other] = [OPTIONS, OPTIONS].map((options) => RateLimiter.shared('changed', options));
  one.setLimits({ limit: 5, windowMs: HOUR });
  assert.equal(other.consume('key').policy.limit, 5);
  assert.throws(() => other.check('key', 6), coded('ERR_LIMIT_COST'));
  assert.equal(RateLimiter.shared('changed', OPTIONS).peek('key').remaining, 4);
});
