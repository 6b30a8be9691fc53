'use strict';

// Each sentence of express-rate-limit's documentation of its `Store` is a test.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { MemoryStore, rateLimit } = require('express-rate-limit');
const { NodesecStore } = require('@nodesec/native/express');
const { coded } = require('../helpers/outcome.js');
const { EXPRESS, serve } = require('../helpers/web.js');

const WINDOW = 60_000;

function stored(options) {
  const time = { ms: 1_000_000 };
  const store = new NodesecStore({ clock: () => new Date(time.ms), ...options });
  store.init({ windowMs: WINDOW });
  return { store, time };
}

test('init sets the store up with the options of the middleware: the window is theirs', () => {
  const { store, time } = stored();
  assert.deepEqual(store.increment('a'), { totalHits: 1, resetTime: new Date(time.ms + WINDOW) });
});

test('get fetches a client’s hits and reset time, and counts nothing', () => {
  const { store, time } = stored();
  assert.equal(store.get('a'), undefined);
  store.increment('a');
  const expected = { totalHits: 1, resetTime: new Date(time.ms + WINDOW) };
  assert.deepEqual([store.get('a'), store.get('a')], [expected, expected]);
});

test('increment adds one hit, also beyond any limit, until the window of the first hit ends', () => {
  const { store, time } = stored();
  const resetTime = new Date(time.ms + WINDOW);
  for (let hit = 1; hit <= 1000; hit += 1) {
    if (hit % 100 === 0) time.ms += 5000;
    assert.deepEqual(store.increment('a'), { totalHits: hit, resetTime });
  }
  time.ms = resetTime.getTime();
  assert.equal(store.increment('a').totalHits, 1);
});

test('decrement takes one hit back, and none below zero', () => {
  const { store } = stored();
  store.increment('a');
  store.increment('a');
  store.decrement('a');
  assert.equal(store.get('a').totalHits, 1);
  for (let n = 0; n < 5; n += 1) store.decrement('a');
  store.decrement('b');
  assert.equal(store.increment('a').totalHits, 1);
  assert.equal(store.increment('b').totalHits, 1);
});

test('resetKey resets one client, resetAll and shutdown reset everyone', () => {
  for (const [method, remaining] of [
    ['resetKey', 2],
    ['resetAll', 1],
    ['shutdown', 1],
  ]) {
    const { store } = stored();
    store.increment('a');
    store.increment('b');
    store[method]('a');
    assert.deepEqual([store.increment('a').totalHits, store.increment('b').totalHits], [1, remaining]);
  }
});

test('two stores do not share their keys, and each key has the prefix', () => {
  const [one, other] = [stored({ prefix: 'one:' }).store, stored().store];
  one.increment('a');
  assert.equal(other.increment('one:a').totalHits, 1);
  assert.deepEqual([one.localKeys, one.prefix, other.prefix], [true, 'one:', '']);
});

test('any text is a key, and different texts are different keys', () => {
  const { store } = stored();
  const long = 'x'.repeat(10_000);
  const keys = ['', ' ', '\0', '\ud800', '\udbff', '\ufffd', 'é', `${long}a`, `${long}b`, '__proto__', '#a', '=a'];
  for (const key of keys) assert.equal(store.increment(key).totalHits, 1, key.slice(0, 10));
  for (const key of keys) assert.equal(store.get(key).totalHits, 1, key.slice(0, 10));
});

test('a method before init is an error with a code, and so is a second limiter', () => {
  const early = new NodesecStore();
  for (const method of ['get', 'increment', 'decrement', 'resetKey', 'resetAll']) {
    assert.throws(() => early[method]('a'), coded('ERR_MISSING_OPTION'));
  }
  early.shutdown();
  early.init({ windowMs: 1000 });
  early.increment('a');
  for (const windowMs of [1000, 2000]) {
    assert.throws(() => early.init({ windowMs }), coded('ERR_INVALID_ARG_VALUE'));
  }
  assert.equal(early.get('a').totalHits, 1);
  const heard = [];
  const logger = { error: ({ code }) => heard.push(code), warn() {} };
  const options = { windowMs: WINDOW, limit: 1, store: new NodesecStore(), logger, validate: false };
  rateLimit(options);
  assert.deepEqual(heard, []);
  rateLimit(options);
  assert.deepEqual(heard, ['ERR_INVALID_ARG_VALUE']);
  assert.throws(() => new NodesecStore().init({ windowMs: 0 }), coded('ERR_OUT_OF_RANGE'));
});

test('a store that is full forgets and does not grow', () => {
  const { store } = stored({ maxKeys: 100 });
  for (let n = 0; n < 100_000; n += 1) store.increment(`${n}`);
  assert.equal(store.increment('99999').totalHits, 2);
});

test('options that cannot be are refused when the store is made', () => {
  assert.throws(() => new NodesecStore({ windowMs: 1 }), coded('ERR_UNKNOWN_OPTION'));
  assert.throws(() => new NodesecStore({ maxKeys: 0 }), coded('ERR_OUT_OF_RANGE'));
  assert.throws(() => new NodesecStore({ prefix: 1 }), coded('ERR_INVALID_ARG_TYPE'));
  assert.throws(() => new NodesecStore({ prefix: 'x'.repeat(257) }), coded('ERR_OUT_OF_RANGE'));
});

test('requests get the same answers as with the MemoryStore, with each option of the middleware', async (t) => {
  const express = EXPRESS['Express 5'];
  const errors = t.mock.method(console, 'error', () => {});
  for (const options of [{}, { skipSuccessfulRequests: true }, { skipFailedRequests: true }, { legacyHeaders: false }]) {
    const answers = [];
    for (const store of [new NodesecStore(), new MemoryStore()]) {
      const app = express();
      const limiter = rateLimit({ windowMs: WINDOW, limit: 3, standardHeaders: 'draft-8', store, ...options });
      app.use(limiter);
      app.get('/', (req, res) => res.status(req.query.fails === undefined ? 200 : 500).end());
      const { get } = await serve(t, app);
      const seen = [];
      for (const path of ['/', '/?fails', '/', '/', '/?fails', '/', '/', '/?fails', '/?fails']) {
        const { status, headers } = await get(path);
        // The count of a request that does not count comes back after its answer.
        await new Promise((resolve) => {
          setTimeout(resolve, 15);
        });
        seen.push([status, headers['ratelimit-policy'], headers['x-ratelimit-remaining']]);
      }
      assert.equal(typeof (await limiter.getKey('127.0.0.1'))?.totalHits, 'number');
      limiter.resetKey('127.0.0.1');
      assert.equal(await limiter.getKey('127.0.0.1'), undefined);
      answers.push(seen);
      store.shutdown();
    }
    assert.deepEqual(answers[0], answers[1], JSON.stringify(options));
  }
  assert.deepEqual(errors.mock.calls.map(({ arguments: [error] }) => error.code ?? error), []);
});
