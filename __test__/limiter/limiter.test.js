'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { RateLimiter } = require('@nodesec/native');
const { coded } = require('../helpers/outcome.js');

/** A window so long that no call is restored while a test runs. */
const LONG = 24 * 3600 * 1000;
const limiter = (options) => new RateLimiter({ limit: 3, windowMs: LONG, ...options });

test('every key has as many calls as the limit', () => {
  const each = limiter();
  for (const key of ['one', 'two', Buffer.from('three')]) {
    assert.deepEqual([1, 2, 3, 4, 5].map(() => each.check(key)), [true, true, true, false, false]);
  }
});

test('consume gives what a client is to be told', () => {
  const each = limiter();
  const policy = { name: 'default', limit: 3, windowMs: LONG, burst: 3 };
  for (const remaining of [2, 1, 0]) {
    const { resetMs, limits, ...result } = each.consume('key');
    const numbers = { limit: 3, remaining, retryAfterMs: 0 };
    assert.deepEqual(result, { allowed: true, ...numbers, policy, violated: [] });
    assert.deepEqual(limits, [{ name: 'default', ...numbers, windowMs: LONG, resetMs }]);
    assert.ok(resetMs > 0 && resetMs <= LONG);
  }
  const { retryAfterMs, resetMs, limits, ...denied } = each.consume('key');
  assert.deepEqual(denied, { allowed: false, limit: 3, remaining: 0, policy, violated: ['default'] });
  const entry = { name: 'default', limit: 3, windowMs: LONG, remaining: 0, retryAfterMs, resetMs };
  assert.deepEqual(limits, [entry]);
  assert.ok(retryAfterMs > 0 && retryAfterMs <= LONG / 3);
  assert.ok(resetMs > retryAfterMs && resetMs <= LONG);
  assert.ok(Object.isFrozen(denied.policy));
});

test('peek takes nothing', () => {
  const each = limiter();
  for (let n = 0; n < 10; n++) {
    const { allowed, remaining, retryAfterMs } = each.peek('key');
    assert.deepEqual([allowed, remaining, retryAfterMs], [true, 3, 0]);
  }
  for (let n = 0; n < 3; n++) each.check('key');
  assert.equal(each.peek('key').allowed, false);
  assert.ok(each.peek('key').retryAfterMs > 0);
});

test('a call may cost more than one', () => {
  const each = limiter({ limit: 10 });
  assert.equal(each.check('key', 7), true);
  assert.equal(each.check('key', 4), false);
  assert.equal(each.consume('key', 3).remaining, 0);
  for (const [cost, code] of [
    [0, 'ERR_OUT_OF_RANGE'],
    [2 ** 32, 'ERR_OUT_OF_RANGE'],
    [11, 'ERR_LIMIT_COST'],
  ]) {
    assert.throws(() => each.check('other', cost), coded(code));
    assert.throws(() => each.consume('other', cost), coded(code));
  }
  assert.equal(each.peek('other').remaining, 10);
  assert.equal(each.check('other', undefined), true);
});

test('a burst may be smaller or larger than the limit', () => {
  const small = limiter({ limit: 10, burst: 2 });
  assert.deepEqual([1, 2, 3].map(() => small.check('key')), [true, true, false]);
  const { policy, limit } = small.peek('key');
  assert.deepEqual([policy.burst, limit], [2, 10]);
  const large = limiter({ limit: 1, burst: 5 });
  assert.equal(large.check('key', 5), true);
  assert.equal(large.check('key'), false);
});

test('reset forgets a key and says whether there was one', () => {
  const each = limiter();
  assert.equal(each.reset('key'), false);
  for (let n = 0; n < 4; n++) each.check('key');
  assert.equal(each.reset('key'), true);
  assert.equal(each.reset('key'), false);
  assert.equal(each.peek('key').remaining, 3);
  each.check('key', 3);
  assert.equal(each.reset(Buffer.from('key')), true);
});

test('used units come back', () => {
  const fast = limiter({ limit: 1, windowMs: 1 });
  assert.equal(fast.check('key'), true);
  // The loop ends with the first call that is allowed. If no call were allowed, it would not end.
  while (!fast.check('key'));
  assert.ok(fast.peek('key').resetMs <= 1);
});

test('a key is its bytes', () => {
  const each = limiter({ limit: 1 });
  for (const [text, other] of [
    ['é', 'e\u0301'],
    ['🐎', '🐴'],
    ['a\0b', 'a\0c'],
    ['x'.repeat(8192), 'x'.repeat(8191)],
    ['\ufffd', '\ufffe'],
    ['x'.repeat(255), 'x'.repeat(256)],
  ]) {
    assert.equal(each.check(text), true);
    assert.equal(each.check(Buffer.from(text)), false);
    assert.equal(each.check(other), true);
  }
  for (const key of ['x'.repeat(8193), Buffer.alloc(8193), Buffer.alloc(0), '']) {
    assert.throws(() => each.check(key), coded('ERR_OUT_OF_RANGE'));
    assert.throws(() => each.reset(key), coded('ERR_OUT_OF_RANGE'));
  }
});

test('limiters do not know each other', () => {
  const [one, other] = [limiter(), limiter()];
  one.check('key', 3);
  assert.equal(other.peek('key').remaining, 3);
});

test('memory is bounded, and a full table is counted', () => {
  const small = limiter({ maxKeys: 100 });
  const { capacity, evictions } = small.stats();
  assert.ok(capacity >= 100);
  assert.equal(evictions, 0);
  for (let n = 0; n < 10_000; n++) assert.equal(small.check(`key ${n}`), true);
  assert.equal(small.stats().capacity, capacity);
  assert.ok(small.stats().evictions > 0);
});

test('20,000 keys are limited one by one', () => {
  const each = limiter({ limit: 2 });
  const keys = Array.from({ length: 20_000 }, (_, n) => `2001:db8::${n.toString(16)}`);
  for (const expected of [true, true, false]) {
    assert.ok(keys.every((key) => each.check(key) === expected));
  }
  assert.equal(each.stats().evictions, 0);
});

test('options out of range are refused', () => {
  for (const options of [
    { limit: 0 },
    { limit: 1e9 + 1 },
    { windowMs: 0 },
    { windowMs: 367 * LONG },
    { burst: 0 },
    { limit: 1, windowMs: 366 * LONG, burst: 1e9 },
    { maxKeys: 7 },
    { maxKeys: 2 ** 26 + 1 },
  ]) {
    assert.throws(() => limiter(options), coded('ERR_OUT_OF_RANGE'));
  }
  for (const missing of ['limit', 'windowMs']) {
    assert.throws(() => limiter({ [missing]: undefined }), coded('ERR_MISSING_OPTION'));
  }
});
