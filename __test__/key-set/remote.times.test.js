'use strict';

// How long fetched keys are used, and when they are fetched again.

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { setTimeout: delay } = require('node:timers/promises');

const { JwtVerifier, verifyJws } = require('@nodesec/native');
const { KeyServer, clock, consumer, providerKey } = require('../helpers/key-server.js');
const { coded, outcome } = require('../helpers/outcome.js');

const [one, two] = ['one', 'two'].map(providerKey);
const UNAVAILABLE = 'ERR_JWT_KEYS_UNAVAILABLE';
const DOWN = (request, response) => response.writeHead(503).end();

/** The event's `freshFor` for a response with these headers. */
async function freshFor(t, headers, options) {
  const server = await KeyServer.start(t, [one]);
  server.headers = headers;
  const { events, remote } = consumer(server, options);
  await remote.refresh();
  return events[0].freshFor;
}

test('Cache-Control counts, within bounds', async (t) => {
  for (const [cacheControl, seconds] of [
    [undefined, 600],
    ['max-age=300', 300],
    ['public, MAX-AGE=300, must-revalidate', 300],
    ['max-age="300"', 300],
    ['max-age=300, max-age=200', 200],
    ['s-maxage=5, stale-while-revalidate=5', 600],
    ['max-age=86400', 600],
    ['max-age=99999999999999999999999', 600],
    ['max-age=1', 60],
    ['max-age=0', 60],
    ['no-store', 60],
    ['no-cache, max-age=300', 60],
    ['no-cache="set-cookie"', 60],
    ['max-age=-5', 60],
    ['max-age=1e3', 60],
    ['max-age=', 60],
    ['max-age', 60],
    ['max-age = 300', 60],
    [';;,,=', 600],
  ]) {
    const headers = cacheControl === undefined ? {} : { 'cache-control': cacheControl };
    assert.equal(await freshFor(t, headers), seconds, cacheControl);
  }
  const hour = { 'cache-control': 'max-age=3600' };
  assert.equal(await freshFor(t, hour, { maxAge: '1d' }), 3600);
  assert.equal(await freshFor(t, hour, { minAge: '2h', maxAge: '1d' }), 7200);
  assert.equal(await freshFor(t, { 'cache-control': 'no-store' }, { maxAge: 20 }), 20);
});

test('the Age of an answer shortens the time for which it is fresh', async (t) => {
  for (const [age, seconds] of [
    ['100', 200],
    ['299', 60],
    ['4000', 60],
    ['9'.repeat(400), 60],
    ['-100', 300],
    ['garbage', 300],
  ]) {
    const headers = { 'cache-control': 'max-age=300', age };
    assert.equal(await freshFor(t, headers), seconds, age);
  }
  const endless = '9'.repeat(400);
  assert.equal(await freshFor(t, { 'cache-control': `max-age=${endless}`, age: endless }), 60);
});

/** Every way to use a key set. */
const USES = {
  verify: ({ verifier }, token) => verifier.verify(token),
  tryVerify: ({ verifier }, token) => verifier.tryVerify(token),
  verifyAsync: ({ verifier }, token) => verifier.verifyAsync(token),
  tryVerifyAsync: ({ verifier }, token) => verifier.tryVerifyAsync(token),
  verifyMany: ({ verifier }, token) => verifier.verifyMany([token]),
  verifyJws: ({ remote }, token) => verifyJws(token, remote, { algorithms: ['EdDSA'] }),
};

for (const [name, use] of Object.entries(USES)) {
  test(`keys are fetched anew before they run out, by ${name}`, async (t) => {
    const advance = clock(t);
    const server = await KeyServer.start(t, [one]);
    const { code, events, remote, ...rest } = consumer(server);
    await remote.refresh();
    server.keys = [two];
    advance(479);
    await use({ remote, ...rest }, one.token);
    assert.equal(server.requests.length, 1);
    advance(1);
    // The old keys are used until the new ones arrive.
    await use({ remote, ...rest }, one.token);
    if (events.length === 1) await remote.refresh();
    assert.equal(server.requests.length, 2);
    assert.equal(code(two.token), undefined);
    assert.deepEqual(events.map(({ trigger }) => trigger), ['refresh', 'due']);
  });

  test(`a key that nobody has yet is asked for by ${name}`, async (t) => {
    const advance = clock(t);
    const server = await KeyServer.start(t, [one]);
    const { code, events, remote, ...rest } = consumer(server);
    await remote.refresh();
    server.keys = [two];
    advance(30);
    await outcome(() => use({ remote, ...rest }, two.token));
    // Calls that do not wait for the request leave it under way.
    if (events.length === 1) await remote.refresh();
    assert.equal(code(two.token), undefined);
    assert.deepEqual(events.map(({ trigger }) => trigger), ['refresh', 'unknown-key']);
  });
}

test('a provider that is down is asked less and less often', async (t) => {
  const advance = clock(t);
  const server = await KeyServer.start(t, [one]);
  server.answer = DOWN;
  const { codeAsync, events, remote } = consumer(server);
  for (const [round, pause] of [1, 2, 4, 8, 16, 32, 60, 60].entries()) {
    assert.equal(await codeAsync(one.token), UNAVAILABLE);
    assert.equal(await codeAsync(one.token), UNAVAILABLE);
    assert.equal(server.requests.length, round + 1);
    advance(pause - 0.5);
    assert.equal(await codeAsync(one.token), UNAVAILABLE);
    assert.equal(server.requests.length, round + 1, 'too early');
    advance(0.5);
  }
  assert.ok(events.every(({ type, keys }) => type === 'failed' && keys === 'none'));
  // A call of `refresh()` sends a request at once, and its error gives the reason.
  await assert.rejects(remote.refresh(), /200, not 503$/);
  assert.match(remote.status().lastError.message, /503/);
  delete server.answer;
  await remote.refresh();
  assert.equal(await codeAsync(one.token), undefined);
  assert.equal(remote.status().lastError, undefined);
  // Earlier failures no longer count.
  server.answer = DOWN;
  await assert.rejects(remote.refresh(), coded(UNAVAILABLE));
  delete server.answer;
  advance(1);
  assert.equal(await codeAsync(one.token), undefined);
  await remote.refresh();
  assert.equal(events.at(-1).trigger, 'due');
});

test('failures leave keys as they are, for as long as they are fresh', async (t) => {
  const server = await KeyServer.start(t, [one]);
  const { code, events, remote } = consumer(server);
  await remote.refresh();
  server.answer = DOWN;
  await assert.rejects(remote.refresh(), coded(UNAVAILABLE));
  assert.equal(code(one.token), undefined);
  assert.deepEqual([events.at(-1).type, events.at(-1).keys], ['failed', 'fresh']);
});

test('keys run out; with staleIfError only later, and only when the provider is down', async (t) => {
  const advance = clock(t);
  const server = await KeyServer.start(t, [one]);
  const strict = consumer(server, { maxAge: 1 });
  const lenient = consumer(server, { maxAge: 1, staleIfError: '1h' });
  await Promise.all([strict, lenient].map(({ remote }) => remote.refresh()));
  server.answer = DOWN;
  // The native part has a clock of its own, which the test cannot move.
  while (strict.remote.list().length + lenient.remote.list().length > 0) await delay(50);
  assert.deepEqual([strict, lenient].map(({ code }) => code(one.token)), [UNAVAILABLE, UNAVAILABLE]);
  advance(10);
  assert.equal(await strict.codeAsync(one.token), UNAVAILABLE);
  assert.equal(strict.events.at(-1).keys, 'none');
  assert.equal(await lenient.codeAsync(one.token), undefined);
  assert.equal(lenient.code(one.token), undefined);
  assert.equal(lenient.events.at(-1).keys, 'stale');
  assert.equal(lenient.remote.status().keys, 'stale');
  delete server.answer;
  await lenient.remote.refresh();
  assert.equal(lenient.remote.status().keys, 'fresh');
});

test('an answer that shortens the life of its keys does so for what is remembered', async (t) => {
  const server = await KeyServer.start(t, [one]);
  server.headers = { 'cache-control': 'max-age=600' };
  const { remote, verifier } = consumer(server, { minAge: 1 });
  const remembering = new JwtVerifier({ keys: remote, issuer: false, audience: false, cache: true });
  await remote.refresh();
  const all = [verifier, remembering];
  for (const each of [...all, ...all]) assert.equal(each.verify(one.token).sub, 'one');
  server.headers = { 'cache-control': 'no-cache' };
  await remote.refresh();
  server.answer = DOWN;
  while (remote.list().length > 0) await delay(50);
  for (const each of all) assert.equal(each.tryVerify(one.token).code, UNAVAILABLE);
});

test('errors and changes by onEvent have no effect', async (t) => {
  const server = await KeyServer.start(t, [one]);
  const listeners = [
    () => {
      throw new Error('thrown');
    },
    async () => {
      throw new Error('rejected');
    },
    (event) => {
      event.type = 'changed';
      return { then: 'nothing' };
    },
  ];
  for (const onEvent of listeners) {
    const { codeAsync, remote } = consumer(server, { onEvent });
    await remote.refresh();
    assert.equal(await codeAsync(one.token), undefined);
  }
});
