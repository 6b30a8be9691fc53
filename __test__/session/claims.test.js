'use strict';

// Claims that a function gives for the subject of a refresh token.

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { setTimeout: sleep } = require('node:timers/promises');

const { JwtIssuer, JwtKey, JwtVerifier, RevocationList, Sessions } = require('@nodesec/native');
const { heard } = require('../helpers/heard.js');
const { coded } = require('../helpers/outcome.js');
const { StoreService, storePath } = require('../helpers/store-service.js');

function inMemory(options) {
  const keys = JwtKey.fromSecret(Buffer.alloc(32, 7), { alg: 'HS256' });
  const revocations = new RevocationList();
  const issuer = new JwtIssuer({ keys, issuer: 'id', expiresIn: '1h' });
  const verifier = new JwtVerifier({ keys, issuer: 'id', audience: false, revocations });
  return { sessions: new Sessions({ issuer, revocations, ...options }), verifier };
}

/** A test of sessions in memory and on a store. */
function inBothPlaces(name, options, body) {
  test(`${name}, in memory`, () => body(inMemory(options)));
  test(`${name}, on a store`, async (t) => {
    const service = await StoreService.open(storePath(t), { sessions: options });
    await body(service);
    await service.close();
  });
}

inBothPlaces('a function gives the claims of the subject', {}, async ({ sessions, verifier }) => {
  const users = new Map([['ada', { role: 'admin' }], ['bob', { role: 'user' }]]);
  const asked = [];
  const claims = (subject) => {
    asked.push(subject);
    return users.get(subject);
  };
  const ada = await sessions.start('ada', users.get('ada'));
  const bob = await sessions.start('bob', users.get('bob'));
  users.set('ada', { role: 'guest' });
  const roleOf = ({ pair }) => verifier.verify(pair.accessToken).role;
  const first = await sessions.refresh(ada.refreshToken, { claims });
  assert.deepEqual([first.status, roleOf(first)], ['rotated', 'guest']);
  assert.equal(roleOf(await sessions.refresh(bob.refreshToken, { claims })), 'user');
  users.set('ada', { role: 'user' });
  const later = async (subject) => {
    await sleep(1);
    return claims(subject);
  };
  const again = await sessions.refresh(ada.refreshToken, { claims: later, meta: { device: 'tab' } });
  assert.deepEqual([again.status, roleOf(again)], ['replayed', 'user']);
  assert.equal(again.pair.refreshToken, first.pair.refreshToken);
  assert.deepEqual((await sessions.list('ada'))[0].meta, { device: 'tab' });
  // They stay until others replace them.
  const { pair } = await sessions.refresh(again.pair.refreshToken, { claims: undefined });
  assert.equal(verifier.verify(pair.accessToken).role, 'user');
  assert.deepEqual(asked, ['ada', 'bob', 'ada']);
});

inBothPlaces('a function that fails uses no token up', { grace: 0 }, async ({ sessions }) => {
  const { refreshToken } = await sessions.start('ada', { role: 'admin' }, { meta: { n: 1 } });
  const thrown = new Error('the database is away');
  const fails = async (claims, expected) => {
    const refreshed = sessions.refresh(refreshToken, { claims, meta: { n: 2 } });
    await assert.rejects(refreshed, expected);
    const [listed, ...others] = await sessions.list('ada');
    assert.deepEqual([listed.meta, others], [{ n: 1 }, []]);
  };
  await fails(() => { throw thrown; }, thrown);
  await fails(async () => { throw thrown; }, thrown);
  await fails(() => Promise.reject(thrown), thrown);
  await fails(() => ({ then() { throw thrown; } }), thrown);
  await fails(() => ({ get role() { throw thrown; } }), thrown);
  await fails(class Claims {}, TypeError);
  for (const missing of [undefined, null, 'admin', 1, () => ({})]) {
    await fails(() => missing, coded('ERR_INVALID_ARG_TYPE'));
  }
  await fails(() => ({ big: 1n }), coded('ERR_JWT_CLAIM'));
  await fails(() => ({ sub: 'bob' }), coded('ERR_JWT_CLAIM'));
  await fails(() => [], coded('ERR_JWT_CLAIM'));
  const { status } = await sessions.refresh(refreshToken, { claims: () => ({}) });
  assert.equal(status, 'rotated');
});

inBothPlaces('a token that does not work asks no function', { grace: 0 }, async ({ sessions }) => {
  const claims = () => assert.fail('it was asked');
  const first = await sessions.start('ada');
  const { pair } = await sessions.refresh(first.refreshToken);
  const statusOf = async (token) => (await sessions.refresh(token, { claims })).status;
  assert.equal(await statusOf('no token'), 'unknown');
  assert.equal(await statusOf(undefined).catch(({ code }) => code), 'ERR_INVALID_ARG_TYPE');
  assert.equal(await statusOf(first.refreshToken), 'reuse');
  assert.equal(await statusOf(pair.refreshToken), 'unknown');
  const other = await sessions.start('ada');
  for (const [options, code] of [
    [{ claims, meta: new Map() }, 'ERR_INVALID_ARG_TYPE'],
    [{ claims, meta: { long: 'x'.repeat(4096) } }, 'ERR_OUT_OF_RANGE'],
    [{ claims, claim: {} }, 'ERR_UNKNOWN_OPTION'],
  ]) {
    await assert.rejects(sessions.refresh(other.refreshToken, options), coded(code));
  }
  assert.equal((await sessions.refresh(other.refreshToken)).status, 'rotated');
});

inBothPlaces('a session that ends while its function runs is not exchanged', {}, async (service) => {
  const { sessions, verifier } = service;
  const { refreshToken, accessToken } = await sessions.start('ada');
  const ending = async (subject) => {
    await sessions.endAll(subject);
    return { role: 'admin' };
  };
  assert.deepEqual(await sessions.refresh(refreshToken, { claims: ending }), { status: 'unknown' });
  assert.equal(verifier.tryVerify(accessToken).code, 'ERR_JWT_REVOKED');
});

inBothPlaces('two refreshes whose functions overlap give one successor', {}, async ({ sessions }) => {
  const { refreshToken } = await sessions.start('ada');
  let waiting = 0;
  let both;
  const met = new Promise((resolve) => { both = resolve; });
  const claims = async () => {
    waiting += 1;
    if (waiting === 2) both();
    await met;
    return {};
  };
  const refresh = () => sessions.refresh(refreshToken, { claims });
  const [one, other] = await Promise.all([refresh(), refresh()]);
  assert.deepEqual([one.status, other.status].sort(), ['replayed', 'rotated']);
  assert.equal(one.pair.refreshToken, other.pair.refreshToken);
});

test('a getter of the options that gives a function is read once', async () => {
  const { sessions, verifier } = inMemory();
  const { refreshToken } = await sessions.start('ada');
  let reads = 0;
  const options = { get claims() { reads += 1; return () => ({ reads }); } };
  const { pair } = await sessions.refresh(refreshToken, options);
  assert.equal(verifier.verify(pair.accessToken).reads, 1);
  const proxied = new Proxy((subject) => ({ of: subject }), {});
  const next = await sessions.refresh(pair.refreshToken, { claims: proxied });
  assert.equal(verifier.verify(next.pair.accessToken).of, 'ada');
});

test('the audit trail has one event of a refresh that asks', async () => {
  const { sessions } = inMemory();
  const { refreshToken } = await sessions.start('ada');
  const claims = () => ({});
  const events = await heard(() => sessions.refresh(refreshToken, { claims }));
  assert.deepEqual(events.map(({ event }) => event), ['session.refreshed']);
});
