'use strict';

// Each sentence of @fastify/rate-limit's documentation of stores is a test, and the answers are
// those of its own store.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const rateLimit = require('@fastify/rate-limit');
const Fastify = require('fastify');
const { NodesecFastifyStore } = require('@nodesec/native/fastify');
const { serveFastify } = require('../helpers/frameworks.js');
const { coded } = require('../helpers/outcome.js');

const WINDOW = 60_000;

/** A store with a clock, and its methods as functions of a key that give the result. */
function stored(params = {}, options = {}) {
  const time = { ms: 1_000_000 };
  const Store = NodesecFastifyStore.with({ clock: () => new Date(time.ms), ...options });
  const store = new Store(params);
  return { store, time, ...calls(store) };
}

function calls(store) {
  const call = (method) => (key, max = 2, timeWindow = WINDOW) => {
    let seen;
    store[method](key, (error, result) => (seen = error ?? result), timeWindow, max);
    if (seen instanceof Error) throw seen;
    return seen;
  };
  return { incr: call('incr'), read: call('read') };
}

test('incr calls back with the current count and the time to live, in the window of the first hit', () => {
  const { incr, time } = stored();
  for (let hit = 1; hit <= 5; hit += 1) {
    assert.deepEqual(incr('a'), { current: hit, ttl: WINDOW - 1000 * (hit - 1) });
    time.ms += 1000;
  }
  time.ms += WINDOW;
  assert.deepEqual(incr('a'), { current: 1, ttl: WINDOW });
  assert.deepEqual(incr('b'), { current: 1, ttl: WINDOW });
});

test('read gives the state of a key and changes nothing', () => {
  const { incr, read, time } = stored({ continueExceeding: true });
  assert.deepEqual(read('a'), { current: 0, ttl: 0 });
  for (let hit = 1; hit <= 3; hit += 1) incr('a');
  time.ms += 1000;
  for (let n = 0; n < 3; n += 1) assert.deepEqual(read('a'), { current: 3, ttl: WINDOW - 1000 });
  time.ms += WINDOW;
  assert.deepEqual(read('a'), { current: 0, ttl: 0 });
});

test('timeWindow is passed in milliseconds, and each length counts apart', () => {
  const { incr, time } = stored();
  assert.equal(incr('a', 2, 1000).ttl, 1000);
  assert.deepEqual(incr('a', 2, 5000), { current: 1, ttl: 5000 });
  time.ms += 1000;
  assert.equal(incr('a', 2, 1000).current, 1);
  assert.equal(incr('a', 2, 5000).current, 2);
  assert.deepEqual([incr('a', 2, 0), incr('a', 2, 0)], Array(2).fill({ current: 1, ttl: 0 }));
});

test('continueExceeding renews the limitation at each hit beyond max', () => {
  const { incr, time } = stored({ continueExceeding: true });
  for (let hit = 1; hit <= 2; hit += 1) incr('a');
  for (let hit = 3; hit <= 6; hit += 1) {
    time.ms += WINDOW / 2;
    assert.deepEqual(incr('a'), { current: hit, ttl: WINDOW });
  }
  time.ms += WINDOW;
  assert.equal(incr('a').current, 1);
});

test('exponentialBackoff renews it for twice as long each time, and holds for that long', () => {
  const { incr, read, time } = stored({ exponentialBackoff: true });
  for (let hit = 1; hit <= 2; hit += 1) assert.equal(incr('a').ttl, WINDOW);
  for (let n = 0; n < 5; n += 1) {
    assert.deepEqual(incr('a'), { current: 3 + n, ttl: WINDOW * 2 ** n });
    time.ms += WINDOW * 2 ** n - 1;
    assert.deepEqual(read('a'), { current: 3 + n, ttl: 1 });
  }
  time.ms += 1;
  assert.deepEqual(read('a'), { current: 0, ttl: 0 });
  assert.deepEqual(incr('a'), { current: 1, ttl: WINDOW });
  assert.equal(incr('b').current, 1);
  // The longest limitation is 366 days.
  let last;
  for (let n = 0; n < 60; n += 1) last = incr('c');
  assert.deepEqual(last, { current: 60, ttl: 366 * 86_400_000 });
});

test('continueExceeding takes priority over exponentialBackoff', () => {
  const { incr } = stored({ continueExceeding: true, exponentialBackoff: true });
  for (let hit = 1; hit <= 6; hit += 1) assert.deepEqual(incr('a'), { current: hit, ttl: WINDOW });
});

test('child makes a store with the options of the route, which counts apart', () => {
  const { incr, store } = stored({ continueExceeding: false });
  const child = store.child({ continueExceeding: true, routeInfo: { url: '/a' } });
  assert.ok(child instanceof NodesecFastifyStore);
  incr('a');
  const inChild = calls(child);
  assert.equal(inChild.incr('a').current, 1);
  assert.equal(incr('a').current, 2);
});

test('routes with one groupId share their counts, and other groups do not', () => {
  const { store } = stored();
  const [one, other, apart] = ['otp', 'otp', 'x'].map((groupId) => calls(store.child({ groupId })));
  assert.equal(one.incr('a').current, 1);
  assert.equal(other.incr('a').current, 2);
  assert.equal(apart.incr('a').current, 1);
});

test('any text is a key, and different texts are different keys', () => {
  const { incr, read } = stored();
  const long = 'x'.repeat(10_000);
  const keys = ['', ' ', '\0', '\ud800', '\udbff', '\ufffd', `${long}a`, `${long}b`, '__proto__', '#a', '=a'];
  for (const key of keys) assert.equal(incr(key).current, 1, key.slice(0, 10));
  for (const key of keys) assert.equal(read(key).current, 1, key.slice(0, 10));
});

test('a store that is full forgets and does not grow', () => {
  const { incr } = stored({}, { maxKeys: 100 });
  for (let n = 0; n < 100_000; n += 1) incr(`${n}`);
  assert.equal(incr('99999').current, 2);
});

test('an error is given to the callback', () => {
  const { incr } = stored();
  assert.throws(() => incr('a', 2, 367 * 86_400_000), coded('ERR_OUT_OF_RANGE'));
  assert.throws(() => incr('a', 2, 1.5), coded('ERR_OUT_OF_RANGE'));
  for (let length = 1; length <= 100; length += 1) incr('a', 2, length);
  assert.throws(() => incr('a', 2, 101), coded('ERR_OUT_OF_RANGE'));
  assert.equal(incr('a', 2, 100).current, 2);
});

test('options that cannot be are refused when the class is made', () => {
  assert.throws(() => NodesecFastifyStore.with({ max: 1 }), coded('ERR_UNKNOWN_OPTION'));
  assert.throws(() => NodesecFastifyStore.with({ maxKeys: 0 }), coded('ERR_OUT_OF_RANGE'));
});

test('requests get the same answers as with the own store, with each option of the plugin', async (t) => {
  const variants = [
    {},
    { ban: 1 },
    { continueExceeding: true },
    { exponentialBackoff: true },
    { enableDraftSpec: true },
    { allowList: ['10.0.0.1'] },
    { max: (request, key) => key.length % 3, keyGenerator: (request) => request.url },
    { timeWindow: (request) => (request.url === '/' ? 1000 : 60_000) },
  ];
  for (const options of variants) {
    const answers = [];
    for (const store of [NodesecFastifyStore, undefined]) {
      const app = Fastify();
      await app.register(rateLimit, { max: 3, timeWindow: WINDOW, ...options, store });
      app.get('/', async () => 'in');
      app.get('/own', { config: { rateLimit: { max: 1 } } }, async () => 'in');
      app.get('/off', { config: { rateLimit: false } }, async () => 'in');
      const { get } = await serveFastify(t, app);
      const seen = [];
      for (const path of ['/', '/', '/own', '/own', '/', '/', '/off', '/', '/']) {
        const { status, headers, body } = await get(path);
        const fields = ['limit', 'remaining'].map((name) => headers[`x-ratelimit-${name}`] ?? headers[`ratelimit-${name}`]);
        seen.push([path, status, fields, status === 200 ? body : JSON.parse(body).statusCode]);
      }
      answers.push(seen);
    }
    assert.deepEqual(answers[0], answers[1], JSON.stringify(options));
  }
});
