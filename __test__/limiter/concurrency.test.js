'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { ConcurrencyLimiter } = require('@nodesec/native');
const { coded } = require('../helpers/outcome.js');

test('no more leases are held than max, and a released place is free again', () => {
  const limiter = new ConcurrencyLimiter({ max: 2 });
  const leases = [limiter.acquire(), limiter.acquire()];
  assert.equal(limiter.acquire(), null);
  assert.deepEqual(limiter.peek(), { allowed: false, limit: 2, remaining: 0, scope: 'total' });
  leases[0].release();
  assert.ok(limiter.acquire());
  assert.equal(limiter.acquire(), null);
});

test('a lease that is released twice gives its place back once', () => {
  const limiter = new ConcurrencyLimiter({ max: 2 });
  const lease = limiter.acquire();
  limiter.acquire();
  lease.release();
  lease[Symbol.dispose]();
  assert.equal(limiter.stats().active, 1);
});

test('one key cannot take the places of others', () => {
  const limiter = new ConcurrencyLimiter({ max: 3, perKey: 2 });
  const leases = [limiter.acquire('a'), limiter.acquire('a')];
  assert.equal(limiter.acquire('a'), null);
  assert.equal(limiter.peek('a').scope, 'key');
  assert.ok(limiter.acquire('b'));
  assert.deepEqual([limiter.acquire('b'), limiter.peek('b').scope], [null, 'total']);
  assert.deepEqual(limiter.stats(), { max: 3, active: 3, keys: 2, refused: 2 });
  for (const lease of leases) lease.release();
  assert.equal(limiter.stats().keys, 1);
});

test('an object has no memory of keys that have no lease', () => {
  const limiter = new ConcurrencyLimiter({ max: 1, perKey: 1 });
  for (let key = 0; key < 1000; key += 1) limiter.acquire(`${key}`).release();
  for (const key of ['__proto__', 'constructor']) limiter.acquire(key).release();
  assert.deepEqual(limiter.stats(), { max: 1, active: 0, keys: 0, refused: 0 });
});

test('with perKey a key is required', () => {
  const limiter = new ConcurrencyLimiter({ max: 1, perKey: 1 });
  assert.throws(() => limiter.acquire(), coded('ERR_INVALID_ARG_TYPE'));
  assert.throws(() => limiter.acquire('x'.repeat(10_000_000)), coded('ERR_OUT_OF_RANGE'));
  assert.equal(limiter.stats().active, 0);
});
