'use strict';

const assert = require('node:assert/strict');
const { subscribe, unsubscribe } = require('node:diagnostics_channel');
const { test } = require('node:test');

const { ConcurrencyLimiter } = require('@nodesec/native');
const { hashId } = require('@nodesec/native/audit');
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

test('bytes are a key, and text is its bytes in UTF-8', () => {
  const limiter = new ConcurrencyLimiter({ max: 100, perKey: 1 });
  const keys = ['é', Buffer.of(0xff), Buffer.of(0xc3, 0xbf), Buffer.of(0), Buffer.from('\ufeffa'), 'a'];
  const leases = keys.map((key) => limiter.acquire(key));
  assert.ok(leases.every((lease) => lease !== null), 'they are all different');
  for (const key of [new Uint8Array([0xc3, 0xa9]), 'ÿ', '\0', new Uint8Array([0xff]), Buffer.from('a')]) {
    assert.equal(limiter.acquire(key), null);
    assert.equal(limiter.peek(key).scope, 'key');
  }
  // The caller may use its array for another key meanwhile.
  const key = Buffer.of(1);
  const lease = limiter.acquire(key);
  key[0] = 2;
  lease.release();
  assert.ok(limiter.acquire(Buffer.of(1)));
  for (const lease of leases) lease.release();
  assert.equal(limiter.stats().keys, 1);
});

test('bytes that cannot be a key are refused', () => {
  const detached = new Uint8Array(8);
  structuredClone(detached.buffer, { transfer: [detached.buffer] });
  const long = new Uint8Array(8193);
  // It lies about its length.
  Object.defineProperty(long, 'byteLength', { value: 1 });
  for (const options of [{ max: 1 }, { max: 1, perKey: 1 }]) {
    const limiter = new ConcurrencyLimiter(options);
    for (const key of [new Uint8Array(0), detached, long]) {
      assert.throws(() => limiter.acquire(key), coded('ERR_OUT_OF_RANGE'));
    }
    for (const key of [new Uint16Array(4), new ArrayBuffer(4), new DataView(new ArrayBuffer(4)), null, 1]) {
      assert.throws(() => limiter.acquire(key), coded('ERR_INVALID_ARG_TYPE'));
    }
    for (const key of ['\udc00', new Uint8Array(new SharedArrayBuffer(4))]) {
      assert.throws(() => limiter.acquire(key), coded('ERR_INVALID_ARG_VALUE'));
    }
    assert.deepEqual(limiter.stats(), { max: 1, active: 0, keys: 0, refused: 0 });
  }
});

test('a refusal is an event of the audit trail, with the limit that refuses', () => {
  const heard = [];
  const hear = ({ limitKey, limit, scope, windowMs }) => heard.push([limitKey, limit, scope, windowMs]);
  subscribe('nodesec:limit.denied', hear);
  const limiter = new ConcurrencyLimiter({ max: 3, perKey: 1 });
  for (const key of ['a', 'a', 'b', 'c', 'd']) limiter.acquire(key);
  limiter.peek('a');
  const total = new ConcurrencyLimiter({ max: 1 });
  for (let call = 0; call < 2; call += 1) total.acquire();
  unsubscribe('nodesec:limit.denied', hear);
  limiter.acquire('a');
  assert.deepEqual(heard, [
    [hashId('limitKey', 'a'), 1, 'key', undefined],
    [hashId('limitKey', 'd'), 3, 'total', undefined],
    [undefined, 1, 'total', undefined],
  ]);
});
