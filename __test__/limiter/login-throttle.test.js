'use strict';

const assert = require('node:assert/strict');
const { subscribe, unsubscribe } = require('node:diagnostics_channel');
const { test } = require('node:test');

const { LoginThrottle } = require('@nodesec/native');
const { coded } = require('../helpers/outcome.js');

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const ANN = { account: 'ann', ip: '192.0.2.1' };

/** A throttle, its clock, and a function that guesses and tells whether it was allowed. */
function throttled(options) {
  const time = { ms: 0 };
  const throttle = new LoginThrottle({ clock: () => new Date(time.ms), jitter: 0, ...options });
  const guess = (attempt = ANN) => {
    const { allowed } = throttle.check(attempt);
    if (allowed) throttle.failure(attempt);
    return allowed;
  };
  return { throttle, time, guess };
}

const times = (count, fn) => Array.from({ length: count }, fn);
const address = (n) => `10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`;

test('a pair has its free failures, and each further one doubles the block up to the longest', () => {
  const { throttle, time, guess } = throttled({ freeFailures: 3, maxBlockMs: 10 * MINUTE });
  assert.deepEqual(times(3, () => guess()), [true, true, true]);
  for (const minutes of [1, 2, 4, 8, 10, 10]) {
    assert.deepEqual(throttle.check(ANN), { allowed: false, retryAfterMs: minutes * MINUTE });
    time.ms += minutes * MINUTE - 1;
    assert.equal(throttle.check(ANN).retryAfterMs, 1);
    time.ms += 1;
    assert.equal(guess(), true);
  }
});

test('attempts at once count from their start: of a hundred, the free ones are allowed', () => {
  const { throttle } = throttled();
  const allowed = times(100, () => throttle.check(ANN).allowed);
  assert.equal(allowed.filter(Boolean).length, 5);
});

test('an attempt without an outcome counts as a failure of the pair', () => {
  const { throttle, time } = throttled({ freeFailures: 1 });
  assert.equal(throttle.check(ANN).allowed, true);
  time.ms += MINUTE - 1;
  assert.equal(throttle.check(ANN).allowed, false);
});

test('the right password forgets the failures of the pair, and only of the pair', () => {
  const { throttle, guess } = throttled({ freeFailures: 2 });
  const bob = { account: 'bob', ip: ANN.ip };
  guess();
  guess(bob);
  throttle.check(ANN);
  throttle.success(ANN);
  assert.deepEqual([guess(), guess(), guess()], [true, true, false]);
  assert.deepEqual([guess(bob), guess(bob)], [true, false]);
});

test('nobody can lock a user out from elsewhere', () => {
  const { throttle, guess } = throttled();
  for (let n = 0; n < 20_000; n += 1) guess({ account: 'ann', ip: address(n) });
  assert.equal(throttle.check(ANN).allowed, true);
  throttle.success(ANN);
  // And again: the attack has not ended.
  assert.equal(throttle.check(ANN).allowed, true);
});

test('an account that is attacked from many addresses gives each of them one guess', () => {
  const { guess } = throttled({ account: { limit: 10, windowMs: DAY } });
  for (let n = 0; n < 10; n += 1) assert.equal(guess({ account: 'ann', ip: address(n) }), true);
  const ip = '198.51.100.1';
  assert.deepEqual([guess({ account: 'ann', ip }), guess({ account: 'ann', ip })], [true, false]);
  assert.deepEqual(times(2, () => guess({ account: 'bob', ip })), [true, true]);
});

test('an address that guesses at many accounts is refused, and others are not', () => {
  const { throttle, guess } = throttled({ address: { limit: 20, windowMs: MINUTE } });
  const allowed = times(30, (_, n) => guess({ account: `user-${n}`, ip: ANN.ip }));
  assert.equal(allowed.filter(Boolean).length, 20);
  assert.equal(throttle.check({ account: 'new', ip: '192.0.2.2' }).allowed, true);
});

test('logins that succeed cost an address nothing, and forgive nothing either', () => {
  const { throttle, guess } = throttled({ address: { limit: 3, windowMs: DAY } });
  for (let n = 0; n < 10; n += 1) {
    const own = { account: `own-${n}`, ip: ANN.ip };
    assert.equal(throttle.check(own).allowed, true);
    throttle.success(own);
  }
  const allowed = times(5, (_, n) => guess({ account: `user-${n}`, ip: ANN.ip }));
  assert.deepEqual(allowed, [true, true, true, false, false]);
});

test('a blocked user who asks again and again costs the others at the address nothing', () => {
  const { throttle, guess } = throttled({ freeFailures: 1, address: { limit: 3, windowMs: DAY } });
  guess();
  for (let n = 0; n < 50; n += 1) assert.equal(guess(), false);
  assert.equal(throttle.check({ account: 'bob', ip: ANN.ip }).allowed, true);
});

test('addresses of one IPv6 customer are one address', () => {
  const { throttle, guess } = throttled({ freeFailures: 1 });
  guess({ account: 'ann', ip: '2001:db8:1:200::1' });
  assert.equal(throttle.check({ account: 'ann', ip: '[2001:db8:1:2ff::9]:443' }).allowed, false);
  assert.equal(throttle.check({ account: 'ann', ip: '2001:db8:1:300::1' }).allowed, true);
});

test('failures are forgotten after forgetMs', () => {
  const { time, guess } = throttled({ freeFailures: 2, forgetMs: 2 * 60 * MINUTE });
  assert.deepEqual(times(3, () => guess()), [true, true, false]);
  time.ms += 2 * 60 * MINUTE;
  assert.deepEqual(times(3, () => guess()), [true, true, false]);
});

test('jitter makes a block longer by its part at most, and never longer than the longest', () => {
  const seen = new Set();
  for (let n = 0; n < 200; n += 1) {
    const { throttle, guess } = throttled({ freeFailures: 1, jitter: 0.5, maxBlockMs: 80_000 });
    guess();
    const { retryAfterMs } = throttle.check(ANN);
    assert.ok(retryAfterMs >= MINUTE && retryAfterMs <= 80_000, `${retryAfterMs}`);
    seen.add(retryAfterMs);
  }
  assert.ok(seen.size > 10);
});

test('a refusal is an event of the audit trail', () => {
  const { throttle, guess } = throttled({ freeFailures: 1 });
  const heard = [];
  const hear = (event) => heard.push(event.event);
  subscribe('nodesec:limit.denied', hear);
  guess();
  throttle.check(ANN);
  unsubscribe('nodesec:limit.denied', hear);
  assert.deepEqual(heard, ['limit.denied']);
});

test('attempts that are allowed are no refusals of the audit trail, also of an attacked account', () => {
  const { throttle, guess } = throttled({ account: { limit: 2, windowMs: DAY } });
  const heard = [];
  const hear = (event) => heard.push(event.limit);
  subscribe('nodesec:limit.denied', hear);
  for (let n = 0; n < 10; n += 1) assert.equal(guess({ account: 'ann', ip: address(n) }), true);
  assert.deepEqual(heard, []);
  assert.equal(throttle.check({ account: 'ann', ip: address(1) }).allowed, false);
  unsubscribe('nodesec:limit.denied', hear);
  assert.equal(heard.length, 1);
});

test('a late failure does not lift the block of another attempt', () => {
  const HOUR = 60 * MINUTE;
  const counts = { freeFailures: 2, blockMs: HOUR, maxBlockMs: HOUR, forgetMs: HOUR };
  const { throttle, time } = throttled(counts);
  throttle.check(ANN);
  time.ms = HOUR - MINUTE;
  throttle.check(ANN);
  // The count of attempts has ended, and the block has not.
  time.ms = HOUR + MINUTE;
  throttle.failure(ANN);
  assert.deepEqual(throttle.check(ANN), { allowed: false, retryAfterMs: HOUR - 2 * MINUTE });
});

test('a late failure does not lift a block that was set while the account was attacked', () => {
  const account = { limit: 2, windowMs: MINUTE };
  const { throttle, time, guess } = throttled({ blockMs: 10 * MINUTE, account });
  for (let n = 0; n < 2; n += 1) guess({ account: 'ann', ip: address(n) });
  throttle.check(ANN);
  time.ms = 2 * MINUTE;
  throttle.failure(ANN);
  assert.deepEqual(throttle.check(ANN), { allowed: false, retryAfterMs: 8 * MINUTE });
});

test('a late failure does not shorten the block of another attempt', () => {
  for (let n = 0; n < 100; n += 1) {
    const { throttle } = throttled({ freeFailures: 2, jitter: 1 });
    throttle.check(ANN);
    throttle.check(ANN);
    const { retryAfterMs } = throttle.check(ANN);
    throttle.failure(ANN);
    const later = throttle.check(ANN).retryAfterMs;
    assert.ok(later >= retryAfterMs, `${later} instead of ${retryAfterMs}`);
  }
});

test('a failure that is known after a success blocks nobody', () => {
  const { throttle, guess } = throttled({ freeFailures: 2 });
  throttle.check(ANN);
  throttle.check(ANN);
  throttle.success(ANN);
  throttle.failure(ANN);
  assert.equal(guess(), true);
});

test('durations that fall are refused, and so are accounts and addresses that cannot be used', () => {
  for (const options of [
    { blockMs: 10_000, maxBlockMs: 5000 },
    { maxBlockMs: DAY, forgetMs: DAY - 1 },
  ]) {
    assert.throws(() => new LoginThrottle(options), coded('ERR_OUT_OF_RANGE'));
  }
  const { throttle } = throttled();
  const { ip } = ANN;
  assert.throws(() => throttle.check({ account: '\ud800', ip }), coded('ERR_INVALID_ARG_VALUE'));
  assert.throws(() => throttle.check({ account: 'é'.repeat(513), ip }), coded('ERR_OUT_OF_RANGE'));
  assert.throws(() => throttle.check({ account: 'a'.repeat(10_000_000), ip }), coded('ERR_OUT_OF_RANGE'));
  assert.throws(() => throttle.check({ ip }), coded('ERR_INVALID_ARG_TYPE'));
  assert.throws(() => throttle.check({ account: 'ann' }), coded('ERR_INVALID_ARG_TYPE'));
  assert.equal(throttle.check(ANN).allowed, true);
});

test('accounts and addresses cannot be moved into one another', () => {
  const { guess, throttle } = throttled({ freeFailures: 1 });
  guess({ account: '1 ann', ip: '192.0.2.1' });
  assert.equal(throttle.check({ account: 'ann', ip: '192.0.2.1' }).allowed, true);
});

test('strangers who fill the table of pairs lock no other user out', () => {
  const { throttle, time, guess } = throttled({ maxKeys: 1000 });
  const accounts = times(20, (_, index) => `prepared ${index}`);
  // After 101 failures the first one of each further pair blocks it.
  for (const client of times(101, (_, n) => n)) {
    for (const account of accounts) guess({ account, ip: `2001:db8:${client.toString(16)}::1` });
  }
  time.ms += MINUTE;
  for (const client of times(200, (_, n) => n)) {
    for (const account of accounts) guess({ account, ip: `2001:db9:${client.toString(16)}::1` });
  }
  for (const later of [0, 2 * MINUTE, 10 * MINUTE]) {
    time.ms += later;
    for (const user of times(200, (_, n) => n)) {
      const attempt = { account: `user ${later} ${user}`, ip: `198.51.100.${user}` };
      assert.deepEqual(throttle.check(attempt), { allowed: true, retryAfterMs: 0 });
      throttle.success(attempt);
    }
  }
});
