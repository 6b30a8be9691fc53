'use strict';

// The calls of a limiter besides check and consume, on a clock of the test.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');

const { RateLimiter } = require('@nodesec/native');
const { coded } = require('../helpers/outcome.js');

const MINUTE = 60_000;

/** A limiter of 3 a minute, and its clock. */
function limited(options) {
  const time = { ms: 0 };
  const clock = () => new Date(time.ms);
  return [new RateLimiter({ limit: 3, windowMs: MINUTE, clock, ...options }), time];
}

const LIMITS = [
  { name: 'burst', limit: 2, windowMs: 1000 },
  { name: 'minute', limit: 5, windowMs: MINUTE },
];
const composed = (options) => limited({ limit: undefined, windowMs: undefined, limits: LIMITS, ...options });
const remaining = (result) => result.limits.map((each) => each.remaining);

test('limits are taken together, or not at all', () => {
  const [limiter, time] = composed();
  assert.deepEqual(remaining(limiter.consume('key', 2)), [0, 3]);
  const refused = limiter.consume('key');
  assert.deepEqual([refused.allowed, refused.violated, refused.policy.name], [false, ['burst'], 'burst']);
  assert.deepEqual(remaining(refused), [0, 3]);
  time.ms += 1000;
  assert.equal(limiter.check('key', 2), true);
  time.ms += 1000;
  assert.deepEqual(remaining(limiter.peek('key', 2)), [2, 1]);
  const tight = limiter.consume('key', 2);
  assert.deepEqual([tight.violated, tight.limit, tight.policy.name], [['minute'], 5, 'minute']);
  assert.equal(limiter.check('key', 1), true, 'the refused call has taken nothing of the burst');
  assert.deepEqual(limiter.consume('key', 2).violated, ['burst', 'minute']);
});

test('a cost above the burst of one limit is an error, and takes nothing', () => {
  const [limiter] = composed();
  for (const call of ['check', 'consume', 'peek']) {
    assert.throws(() => limiter[call]('key', 3), coded('ERR_LIMIT_COST'));
  }
  assert.deepEqual(remaining(limiter.peek('key')), [2, 5]);
});

test('refund gives back what was taken, and never more', () => {
  const [limiter] = composed();
  limiter.check('key', 2);
  limiter.refund('key');
  assert.deepEqual(remaining(limiter.peek('key')), [1, 4]);
  limiter.refund('key', 2);
  limiter.refund('unknown', 2);
  assert.deepEqual(remaining(limiter.peek('key')), [2, 5]);
  assert.deepEqual(remaining(limiter.peek('unknown')), [2, 5]);
});

test('penalize takes what is not there, up to a window', () => {
  const [limiter, time] = limited();
  limiter.penalize('key', 4);
  assert.equal(limiter.peek('key').retryAfterMs, (2 * MINUTE) / 3);
  limiter.penalize('key', 1e9);
  assert.equal(limiter.peek('key').resetMs, 2 * MINUTE);
  time.ms += MINUTE;
  assert.equal(limiter.check('key'), false);
  time.ms += MINUTE / 3;
  assert.equal(limiter.check('key'), true);
});

test('a block holds through reset, refund and setLimits, and unblock restores what was used', () => {
  const [limiter, time] = limited();
  limiter.check('key', 2);
  limiter.block('key', 10_000);
  limiter.reset('other');
  limiter.refund('key');
  limiter.setLimits({ limit: 30, windowMs: 10 * MINUTE });
  const { allowed, violated, remaining, retryAfterMs } = limiter.consume('key');
  assert.deepEqual([allowed, violated, remaining, retryAfterMs], [false, [], 0, 10_000]);
  assert.equal(limiter.stats().blocked, 1);
  limiter.unblock('key');
  // One third of a minute is a unit of the new limit.
  assert.equal(limiter.peek('key').remaining, 29);
  limiter.block('key', 20_000);
  limiter.block('key', 10_000);
  limiter.reset('key');
  time.ms += 9999;
  assert.equal(limiter.check('key'), false);
  time.ms += 1;
  assert.equal(limiter.check('key'), true);
  assert.equal(limiter.stats().blocked, 0);
});

test('clear forgets all keys and blocks', () => {
  const [limiter] = limited();
  for (let n = 0; n < 5000; n++) limiter.check(`key ${n}`, 3);
  limiter.block('other', MINUTE);
  assert.deepEqual([limiter.stats().keys, limiter.stats().blocked], [5000, 1]);
  limiter.clear();
  assert.deepEqual([limiter.stats().keys, limiter.stats().blocked], [0, 0]);
  assert.equal(limiter.check('key 1', 3) && limiter.check('other'), true);
});

test('setLimits keeps every key, and blocks none for longer than the new burst', () => {
  const [limiter, time] = limited();
  limiter.check('key', 3);
  limiter.setLimits({ limit: 10, windowMs: MINUTE });
  const { allowed, policy } = limiter.peek('key');
  assert.deepEqual([allowed, policy], [false, { name: 'default', limit: 10, windowMs: MINUTE, burst: 10 }]);
  limiter.setLimits({ limit: 2, windowMs: 1000 });
  assert.equal(limiter.peek('key').resetMs, 1000);
  time.ms += 500;
  assert.equal(limiter.check('key'), true);
  const [two] = composed();
  two.setLimits({ limits: LIMITS.map((each) => ({ ...each, limit: 50 })) });
  assert.deepEqual(remaining(two.peek('key')), [50, 50]);
  for (const limits of [LIMITS.slice(1), LIMITS.toReversed(), [...LIMITS, { limit: 1, windowMs: 1 }]]) {
    assert.throws(() => two.setLimits({ limits }), coded('ERR_INVALID_ARG_VALUE'));
  }
  assert.throws(() => two.setLimits({ limit: 1, windowMs: 1 }), coded('ERR_INVALID_ARG_VALUE'));
});

test('with strict no window has more than the limit', () => {
  for (const limit of [1, 2, 3, 10]) {
    const time = { ms: 0 };
    const clock = () => new Date(time.ms);
    const limiter = new RateLimiter({ limit, windowMs: 100, strict: true, clock });
    assert.equal(limiter.peek('key').policy.burst, Math.ceil(limit / 2));
    const taken = [];
    for (; time.ms < 1000; time.ms += 1) while (limiter.check('key')) taken.push(time.ms);
    for (const from of taken) {
      const within = taken.filter((at) => at >= from && at <= from + 100).length;
      assert.ok(within <= limit, `${within} of ${limit}`);
    }
    assert.ok(taken.length >= limit * 3, `${taken.length}`);
  }
  assert.throws(() => limited({ strict: true, burst: 4 }), coded('ERR_OUT_OF_RANGE'));
});

test('a fixed window ends with everything in it, a window after its first call', () => {
  const [limiter, time] = limited({ algorithm: 'fixed-window' });
  time.ms = 500;
  assert.equal(limiter.consume('key').resetMs, MINUTE);
  time.ms += 40_000;
  assert.deepEqual([limiter.check('key', 2), limiter.check('key')], [true, false]);
  assert.equal(limiter.peek('key').retryAfterMs, 20_000);
  time.ms += 19_999;
  assert.equal(limiter.check('key'), false);
  time.ms += 1;
  assert.equal(limiter.consume('key', 3).resetMs, MINUTE);
  for (const wrong of [{ burst: 1 }, { strict: true }]) {
    const options = { algorithm: 'fixed-window', ...wrong };
    assert.throws(() => limited(options), coded('ERR_INVALID_ARG_VALUE'));
  }
  assert.throws(() => limited({ algorithm: 'fixed-window', limit: 2 ** 22 }), coded('ERR_OUT_OF_RANGE'));
});

test('a fixed window is never told to be longer than it is', () => {
  // On the clock of the system, which is mostly between two milliseconds.
  const options = { limit: 1, windowMs: 3_600_000, algorithm: 'fixed-window' };
  const limiter = new RateLimiter(options);
  for (let key = 0; key < 1000; key += 1) {
    const { resetMs } = limiter.consume(`${key}`);
    const { allowed, retryAfterMs } = limiter.consume(`${key}`);
    assert.equal(allowed, false);
    assert.ok(resetMs <= 3_600_000 && retryAfterMs <= 3_600_000, `${resetMs} ${retryAfterMs}`);
    assert.ok(resetMs > 3_590_000);
  }
});

test('one limit and several exclude each other', () => {
  for (const extra of [{ limit: 1 }, { windowMs: 1 }, { burst: 1 }]) {
    assert.throws(() => new RateLimiter({ limits: LIMITS, ...extra }), coded('ERR_INVALID_ARG_VALUE'));
  }
});

test('a snapshot carries keys and blocks over, and the time in between counts', () => {
  for (const algorithm of ['gcra', 'fixed-window']) {
    const [limiter, time] = composed({ algorithm });
    for (let n = 0; n < 1000; n++) limiter.check(`key ${n}`, 2);
    limiter.block('blocked', 10_000);
    const snapshot = limiter.snapshot();
    assert.equal(snapshot.includes('key 1'), false);
    const clock = () => new Date(time.ms);
    time.ms += 1500;
    const limits = [{ name: 'new', limit: 9, windowMs: 1000 }, ...LIMITS];
    const restored = RateLimiter.restore(snapshot, { limits, algorithm, clock });
    assert.deepEqual([restored.stats().keys, restored.stats().blocked], [1000, 1]);
    assert.deepEqual(remaining(restored.peek('key 999')), [9, 2, 3]);
    assert.equal(restored.peek('blocked').retryAfterMs, 8500);
    time.ms += MINUTE;
    const late = RateLimiter.restore(snapshot, { limits, algorithm, clock });
    assert.deepEqual([late.stats().keys, late.stats().blocked], [0, 0]);
  }
});

test('a snapshot that does not fit a smaller table frees no blocked key', () => {
  const [limiter, time] = limited();
  for (let n = 0; n < 1000; n++) limiter.check(`key ${n}`, 3);
  const options = { limit: 3, windowMs: MINUTE, maxKeys: 100, clock: () => new Date(time.ms) };
  const restored = RateLimiter.restore(limiter.snapshot(), options);
  for (let n = 0; n < 1000; n++) assert.equal(restored.check(`key ${n}`), false);
});

test('a snapshot keeps the blocks and debts of keys without a slot', () => {
  for (const algorithm of ['gcra', 'fixed-window']) {
    for (const maxKeys of [8, 8000]) {
      const [limiter, time] = composed({ algorithm, maxKeys: 8 });
      for (let n = 0; n < 100; n++) limiter.check(`key ${n}`, 2);
      limiter.block('late', 10 * MINUTE);
      const options = { limits: LIMITS, algorithm, maxKeys, clock: () => new Date(time.ms) };
      const restored = RateLimiter.restore(limiter.snapshot(), options);
      time.ms += 1500;
      for (const key of ['late', 'new', 'key 1', 'key 99']) {
        assert.deepEqual(restored.check(key), limiter.check(key), key);
      }
      assert.equal(restored.peek('late').retryAfterMs, 10 * MINUTE - 1500);
    }
  }
});

test('a snapshot that is cut, changed or of another algorithm is refused', () => {
  const [limiter] = composed();
  limiter.check('key');
  const snapshot = limiter.snapshot();
  const options = { limits: LIMITS };
  for (let at = 0; at < snapshot.length; at++) {
    const changed = Buffer.from(snapshot);
    changed[at] ^= 1;
    for (const bytes of [changed, snapshot.subarray(0, at)]) {
      assert.throws(() => RateLimiter.restore(bytes, options), coded('ERR_LIMIT_SNAPSHOT'));
    }
  }
  const longer = Buffer.concat([snapshot, Buffer.from([0])]);
  assert.throws(() => RateLimiter.restore(longer, options), coded('ERR_LIMIT_SNAPSHOT'));
  const other = { ...options, algorithm: 'fixed-window' };
  assert.throws(() => RateLimiter.restore(snapshot, other), coded('ERR_INVALID_ARG_VALUE'));
});

test('a snapshot of version 1 is read', () => {
  // Made on 1 January 2026 by a limiter of LIMITS: `alice` has taken 2, `bob` is blocked for a day.
  const file = path.join(__dirname, '..', 'vectors', 'limiter-snapshot-1.bin');
  const time = Date.UTC(2026, 0, 1);
  const options = { limits: LIMITS, clock: () => new Date(time) };
  const restored = RateLimiter.restore(fs.readFileSync(file), options);
  assert.deepEqual(remaining(restored.peek('alice')), [0, 3]);
  assert.equal(restored.peek('bob').retryAfterMs, 24 * 60 * MINUTE);
  assert.deepEqual(remaining(restored.peek('carol')), [2, 5]);
});

test('a snapshot of version 2 is read, with its full table', () => {
  // Made on 1 January 2026 by a limiter of LIMITS with `maxKeys: 8`: `alice` has taken 2, `bob` is
  // blocked for a day, 100 keys have used their burst, and then `late` was blocked for two days.
  const file = path.join(__dirname, '..', 'vectors', 'limiter-snapshot-2.bin');
  let time = Date.UTC(2026, 0, 1);
  const options = { limits: LIMITS, maxKeys: 8, clock: () => new Date(time) };
  const restored = RateLimiter.restore(fs.readFileSync(file), options);
  assert.deepEqual(remaining(restored.peek('alice')), [0, 3]);
  assert.equal(restored.peek('bob').retryAfterMs, 24 * 60 * MINUTE);
  time += 1000;
  assert.equal(restored.peek('late').retryAfterMs, 48 * 60 * MINUTE - 1000);
  assert.equal(restored.stats().blocked, 1);
});

test('with deny a full table refuses new keys, and says when there may be room', () => {
  const [limiter, time] = limited({ maxKeys: 8, onFull: 'deny' });
  let known = 0;
  while (limiter.check(`key ${known}`)) known += 1;
  assert.ok(known >= 8);
  const { allowed, violated, retryAfterMs } = limiter.consume('new');
  assert.deepEqual([allowed, violated, retryAfterMs], [false, [], MINUTE / 3]);
  assert.equal(limiter.check('key 0'), true, 'known keys go on');
  time.ms += MINUTE / 3;
  assert.equal(limiter.check('new'), true);
  assert.equal(limiter.stats().evictions, 0);
});
