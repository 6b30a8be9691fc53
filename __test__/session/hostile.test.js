'use strict';

// Sessions under misuse: calls that race in one turn, stores and threads that end, odd arguments.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { test } = require('node:test');
const { Worker } = require('node:worker_threads');

const { JwtIssuer, JwtKey, JwtVerifier, RevocationList, Sessions } = require('@nodesec/native');
const { coded } = require('../helpers/outcome.js');
const { StoreService, storePath } = require('../helpers/store-service.js');

const RETRYING = { grace: 0, retryUntilUsed: true };
const REVOKED = 'ERR_JWT_REVOKED';

/** Runs a test of sessions with these options in memory, and on a store. */
function inBothPlaces(name, options, body) {
  test(`${name}, in memory`, async () => {
    const keys = JwtKey.fromSecret(Buffer.alloc(32, 7), { alg: 'HS256' });
    const revocations = new RevocationList();
    const issuer = new JwtIssuer({ keys, expiresIn: '1h' });
    const sessions = new Sessions({ issuer, revocations, ...options });
    const verifier = new JwtVerifier({ keys, issuer: false, audience: false, revocations });
    await body({ sessions, verifier });
  });
  test(`${name}, on a store`, async (t) => {
    const service = await StoreService.open(storePath(t), { sessions: options });
    await body(service);
    await service.close();
  });
}

inBothPlaces('of two tokens in one turn, the older one is reuse', { grace: 0 }, async (service) => {
  const { sessions, verifier } = service;
  for (const isOlderFirst of [false, true]) {
    const first = await sessions.start('ada');
    const { pair } = await sessions.refresh(first.refreshToken);
    const tokens = [pair.refreshToken, first.refreshToken];
    if (isOlderFirst) tokens.reverse();
    const answers = await Promise.all(tokens.map((token) => sessions.refresh(token)));
    if (isOlderFirst) answers.reverse();
    assert.ok(['rotated', 'unknown'].includes(answers[0].status), answers[0].status);
    assert.equal(answers[1].status, 'reuse');
    for (const issued of [first, pair, answers[0].pair].filter(Boolean)) {
      assert.equal((await sessions.refresh(issued.refreshToken)).status, 'unknown');
      assert.equal(verifier.tryVerify(issued.accessToken).code, REVOKED);
    }
  }
});

inBothPlaces('many retries at once leave one token that works', RETRYING, async ({ sessions }) => {
  const { refreshToken } = await sessions.start('ada');
  const refreshes = Array.from({ length: 50 }, () => sessions.refresh(refreshToken));
  const answers = await Promise.all(refreshes);
  assert.deepEqual([...new Set(answers.map(({ status }) => status))], ['rotated']);
  const tokens = new Set(answers.map(({ pair }) => pair.refreshToken));
  assert.equal(tokens.size, answers.length);
  // The last one works, and the use of one that it has voided would end the session.
  const { pair: last } = await sessions.refresh(refreshToken);
  assert.equal((await sessions.refresh(last.refreshToken)).status, 'rotated');
  const [{ pair: voided }] = answers;
  assert.equal((await sessions.refresh(voided.refreshToken)).status, 'reuse');
});

const ONE = { maxSessionsPerSubject: 1, onSessionLimit: 'end-oldest' };

inBothPlaces('of many starts of a subject with one session, one stays', ONE, async (service) => {
  const { sessions, verifier } = service;
  const pairs = await Promise.all(Array.from({ length: 50 }, () => sessions.start('ada')));
  const [{ sessionId }, ...others] = await sessions.list('ada');
  assert.deepEqual(others, []);
  for (const pair of pairs) {
    const isLive = pair.sessionId === sessionId;
    assert.equal(verifier.tryVerify(pair.accessToken).code, isLive ? undefined : REVOKED);
  }
});

inBothPlaces('a demand for claims or meta data that cannot be kept uses nothing up', {}, async ({ sessions }) => {
  const { refreshToken } = await sessions.start('ada');
  const nested = JSON.parse(`${'{"a":'.repeat(40)}1${'}'.repeat(40)}`);
  const refusals = [
    [{ meta: { a: 'x'.repeat(1 << 20) } }, 'ERR_OUT_OF_RANGE'],
    [{ meta: { a: 'x'.repeat(4089) } }, 'ERR_OUT_OF_RANGE'],
    [{ meta: { a: 'é'.repeat(2045) } }, 'ERR_OUT_OF_RANGE'],
    [{ meta: { a: '\ud800' } }, 'ERR_INVALID_ARG_VALUE'],
    [{ meta: nested }, 'ERR_INVALID_ARG_VALUE'],
    [{ claims: nested }, 'ERR_JWT_CLAIM'],
    [{ claims: { a: '\ud800' } }, 'ERR_JWT_CLAIM'],
  ];
  for (const [options, code] of refusals) {
    await assert.rejects(sessions.refresh(refreshToken, options), coded(code));
  }
  await assert.rejects(sessions.start('\ud800'), coded('ERR_INVALID_ARG_VALUE'));
  const meta = { a: 'x'.repeat(4088) };
  assert.equal((await sessions.refresh(refreshToken, { meta })).status, 'rotated');
  assert.deepEqual((await sessions.list('ada'))[0].meta, meta);
});

test('a limit that is no count is refused', () => {
  const keys = JwtKey.fromSecret(Buffer.alloc(32, 7), { alg: 'HS256' });
  const options = { issuer: new JwtIssuer({ keys, expiresIn: '1h' }), revocations: new RevocationList() };
  for (const name of ['maxSessions', 'maxSessionsPerSubject']) {
    for (const value of [NaN, -1, 0, 0.5, 2 ** 53, Infinity, 1e8 + 1]) {
      assert.throws(() => new Sessions({ ...options, [name]: value }), coded('ERR_OUT_OF_RANGE'));
    }
  }
});

test('a refresh while the store closes is done whole or not at all', async (t) => {
  const at = storePath(t);
  let pairs;
  for (let round = 0; round < 10; round += 1) {
    const service = await StoreService.open(at);
    pairs ??= await Promise.all(Array.from({ length: 20 }, () => service.sessions.start('ada')));
    const asked = pairs.map(({ refreshToken }) => service.sessions.refresh(refreshToken));
    const answering = Promise.allSettled(asked);
    // Some are written before it closes.
    if (round % 2 === 0) await asked[0];
    await service.close();
    const answers = await answering;
    const again = await StoreService.open(at);
    pairs = await Promise.all(
      answers.map(async ({ value, reason }, place) => {
        if (reason !== undefined) assert.equal(reason.code, 'ERR_STORE_CLOSED');
        const { status, pair } = await again.sessions.refresh(pairs[place].refreshToken);
        assert.ok(['rotated', 'replayed'].includes(status), status);
        if (value !== undefined) assert.equal(pair.refreshToken, value.pair.refreshToken);
        return pair;
      }),
    );
    await again.close();
  }
});

/** Refreshes, and tells the token, before it refreshes again. */
const REFRESHING = `
const { once } = require('node:events');
const { parentPort, workerData } = require('node:worker_threads');
const { StoreService } = require(workerData.helper);
(async () => {
  const { sessions } = await StoreService.open(workerData.at);
  let { refreshToken } = workerData;
  for (;;) {
    ({ pair: { refreshToken } } = await sessions.refresh(refreshToken));
    parentPort.postMessage(refreshToken);
    await once(parentPort, 'message');
  }
})();
`;

test('a session whose thread is terminated in the middle of a refresh goes on', async (t) => {
  const at = storePath(t);
  const service = await StoreService.open(at);
  let { refreshToken } = await service.sessions.start('ada');
  const helper = require.resolve('../helpers/store-service.js');
  for (let round = 0; round < 5; round += 1) {
    const worker = new Worker(REFRESHING, { eval: true, workerData: { at, helper, refreshToken } });
    for (let count = 0; count <= round; count += 1) {
      [refreshToken] = await once(worker, 'message');
      worker.postMessage('go on');
    }
    await worker.terminate();
    // The thread may have refreshed without a message: then it is the same successor.
    const { status, pair } = await service.sessions.refresh(refreshToken);
    assert.ok(['rotated', 'replayed'].includes(status), status);
    ({ refreshToken } = pair);
  }
  await service.close();
});
