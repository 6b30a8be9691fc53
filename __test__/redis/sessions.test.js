'use strict';

// Sessions on Redis, over every client, and in several processes.

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');

const { JwtIssuer, JwtKey, JwtVerifier, KeyRing, RevocationList, Sessions, Store } =
  require('@nodesec/native');
const { RedisSessions } = require('@nodesec/native/redis');
const { coded } = require('../helpers/outcome.js');
const { CLIENTS, CLUSTERS } = require('../helpers/redis-clients.js');
const { openList, secretKey } = require('../helpers/redis-revocations.js');
const { RedisServer, startCluster, until } = require('../helpers/redis-server.js');
const { makeSessions } = require('../helpers/redis-sessions.js');
const { storeKey, storePath } = require('../helpers/store-service.js');

/** A check for errors with a code, whose message a pattern matches. */
function saying(code, pattern) {
  return (error) => coded(code)(error) && pattern.test(error.message);
}

/** A life of sessions, through every call. */
async function lives({ sessions, judge, statusOf }) {
  const first = await sessions.start('ada', { role: 'admin' }, { meta: { device: 'phone' } });
  const second = await sessions.start('ada');
  const eve = await sessions.start('eve');
  const { status, pair } = await sessions.refresh(first.refreshToken);
  assert.equal(status, 'rotated');
  const again = await sessions.refresh(first.refreshToken);
  assert.deepEqual([again.status, again.pair.refreshToken], ['replayed', pair.refreshToken]);
  const listed = await sessions.list('ada');
  assert.deepEqual(listed.map(({ sessionId, meta }) => [sessionId, meta]), [
    [first.sessionId, { device: 'phone' }],
    [second.sessionId, undefined],
  ]);
  const { pair: third } = await sessions.refresh(pair.refreshToken, { claims: (sub) => ({ of: sub }) });
  assert.equal(await statusOf(first), 'reuse');
  assert.equal(await statusOf(third), 'unknown');
  assert.deepEqual([judge(first), judge(third), judge(second)], ['ERR_JWT_REVOKED', 'ERR_JWT_REVOKED', undefined]);
  assert.equal(await sessions.endByRefreshToken(second.refreshToken), true);
  assert.equal(await sessions.endByRefreshToken(second.refreshToken), false);
  assert.equal(judge(second), 'ERR_JWT_REVOKED');
  await sessions.end(eve.sessionId);
  assert.deepEqual([await statusOf(eve), judge(eve)], ['unknown', 'ERR_JWT_REVOKED']);
  const last = await sessions.start('ada');
  await sessions.endAll('ada');
  assert.deepEqual([await sessions.list('ada'), judge(last)], [[], 'ERR_JWT_REVOKED']);
}

describe('every call works over', () => {
  for (const [name, makeClient] of Object.entries(CLIENTS)) {
    test(name, async (t) => {
      const server = await RedisServer.start(t);
      if (server === undefined) return;
      await lives(makeSessions(await makeClient(t, server), { deadlineMs: 10_000 }));
      // Rows of sessions that have ended are deleted.
      await until(() => server.cli('dbsize').trim() === '0');
    });
  }

  test('clusters', async (t) => {
    const nodes = await startCluster(t);
    if (nodes === undefined) return;
    for (const makeClient of Object.values(CLUSTERS)) {
      const client = await makeClient(t, nodes);
      const service = makeSessions(client, { deadlineMs: 10_000 });
      const users = ['ada', 'eve', ...Array.from({ length: 30 }, (_, n) => `user ${n}`)];
      // Without an offline queue, the client refuses commands for nodes that it has not reached.
      const isReached = (user) => service.sessions.list(user).then(() => true, () => false);
      for (const user of users) await until(() => isReached(user));
      await lives(service);
      const pairs = await Promise.all(users.map((user) => service.sessions.start(user)));
      for (const pair of pairs) assert.equal(await service.statusOf(pair), 'rotated');
      assert.ok(nodes.every((node) => Number(node.cli('dbsize')) > 0), 'a node has none');
      for (const { sessionId } of pairs) await service.sessions.end(sessionId);
    }
  });
});

test('processes with one key share sessions, and the tokens of another key are unknown', async (t) => {
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  const [one, two] = [makeSessions(await CLIENTS['ioredis 6'](t, server)), makeSessions(await CLIENTS['redis 6'](t, server))];
  const other = makeSessions(await CLIENTS['redis 5'](t, server), { key: secretKey(9) });
  const first = await one.sessions.start('ada', { role: 'admin' });
  assert.equal(await other.statusOf(first), 'unknown');
  assert.equal(await other.sessions.endByRefreshToken(first.refreshToken), false);
  assert.deepEqual(await other.sessions.list('ada'), []);
  const { pair } = await two.sessions.refresh(first.refreshToken);
  assert.equal(two.verifier.verify(pair.accessToken).role, 'admin');
  assert.equal(await one.statusOf(first), 'replayed');
  const inMemory = new Sessions({ issuer: one.issuer, revocations: one.revocations });
  assert.equal((await inMemory.refresh(pair.refreshToken)).status, 'unknown');
});

test('a session that ends here is refused by verifiers of other processes', async (t) => {
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  const lists = [await openList(t, server), await openList(t, server)];
  const [one, two] = lists.map(({ client, list }) => makeSessions(client, { revocations: list }));
  const [first, second] = [await one.sessions.start('ada'), await one.sessions.start('ada')];
  assert.equal(two.judge(first), undefined);
  await one.sessions.end(first.sessionId);
  assert.equal(one.judge(first), 'ERR_JWT_REVOKED');
  await until(() => two.judge(first) === 'ERR_JWT_REVOKED');
  await two.sessions.endAll('ada');
  await until(() => one.judge(second) === 'ERR_JWT_REVOKED');
});

test('one call is one round trip, except with a function for claims', async (t) => {
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  const client = await CLIENTS['ioredis 6'](t, server);
  await client.connect();
  let sent = 0;
  const send = ([name, ...args]) => {
    sent += 1;
    return client.callBuffer(name, ...args);
  };
  const service = makeSessions({ send });
  const { sessions } = service;
  const count = async (call) => {
    sent = 0;
    const result = await call();
    return [sent, result];
  };
  // The server gets the text of each script once.
  await lives(service);
  const [starts, first] = await count(() => sessions.start('ada'));
  const [refreshes, { pair }] = await count(() => sessions.refresh(first.refreshToken, { claims: { a: 1 } }));
  const [asks] = await count(() => sessions.refresh(pair.refreshToken, { claims: () => ({}) }));
  const [lists] = await count(() => sessions.list('ada'));
  assert.deepEqual({ starts, refreshes, asks, lists }, { starts: 1, refreshes: 1, asks: 2, lists: 1 });
});

test('a refresh that cannot be signed uses nothing up', async (t) => {
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  const client = await CLIENTS['ioredis 6'](t, server);
  const revocations = new RevocationList();
  const keys = new KeyRing({ alg: 'ES256', jwksMaxAge: 0 });
  await keys.rotate();
  const issuer = new JwtIssuer({ keys, expiresIn: '10m' });
  const options = { client, key: secretKey(), issuer, revocations, grace: 0 };
  const sessions = new RedisSessions(options);
  const first = await sessions.start('ada');
  keys.revoke(keys.list()[0].kid);
  await assert.rejects(sessions.refresh(first.refreshToken), coded('ERR_KEYRING_NO_ACTIVE_KEY'));
  await keys.rotate({ force: true });
  assert.equal((await sessions.refresh(first.refreshToken)).status, 'rotated');
});

test('a session whose revocation has no room does not refresh, and ends where there is room', async (t) => {
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  const client = await CLIENTS['ioredis 6'](t, server);
  const full = makeSessions(client, { revocations: new RevocationList({ maxEntries: 1 }) });
  const other = makeSessions(client);
  const [first, second] = [await full.sessions.start('ada'), await full.sessions.start('ada')];
  await full.revocations.revokeId('other', Math.floor(Date.now() / 1000) + 3600);
  await assert.rejects(full.sessions.endByRefreshToken(first.refreshToken), coded('ERR_REVOCATION_FULL'));
  assert.deepEqual((await full.sessions.list('ada')).map(({ sessionId }) => sessionId), [second.sessionId]);
  await assert.rejects(full.statusOf(first), coded('ERR_REVOCATION_FULL'));
  await assert.rejects(full.sessions.endAll('ada'), coded('ERR_REVOCATION_FULL'));
  assert.deepEqual([full.judge(first), other.judge(first)], [undefined, undefined]);
  assert.equal(await other.sessions.endByRefreshToken(first.refreshToken), true);
  assert.equal(await other.statusOf(second), 'unknown');
  assert.deepEqual([other.judge(first), other.judge(second)], ['ERR_JWT_REVOKED', 'ERR_JWT_REVOKED']);
  assert.equal(await other.sessions.endByRefreshToken(first.refreshToken), false);
});

const ENDS = {
  end: (sessions, { sessionId }) => sessions.end(sessionId),
  endByRefreshToken: (sessions, { refreshToken }) => sessions.endByRefreshToken(refreshToken),
  reuse: (sessions, { refreshToken }) => sessions.refresh(refreshToken),
  endAll: (sessions) => sessions.endAll('ada'),
};

for (const [way, end] of Object.entries(ENDS)) {
  test(`tokens of an issuer whose clock is ahead stay refused when the list makes room: ${way}`, async (t) => {
    const server = await RedisServer.start(t);
    if (server === undefined) return;
    const client = await CLIENTS['ioredis 6'](t, server);
    const clock = () => new Date(Date.now() + 200_000);
    const keys = JwtKey.fromSecret(Buffer.alloc(32, 7), { alg: 'HS256' });
    for (const isOther of [false, true]) {
      const revocations = new RevocationList({ maxEntries: 4, onFull: 'reject-older' });
      const make = (more) => {
        const issuer = new JwtIssuer({ keys, expiresIn: '10m', ...more });
        return new RedisSessions({ client, key: secretKey(), issuer, revocations });
      };
      const ahead = make({ clock });
      const checks = { keys, issuer: false, audience: false, clockTolerance: '5m', revocations };
      const verifier = new JwtVerifier(checks);
      const first = await ahead.start('ada');
      const { pair: second } = await ahead.refresh(first.refreshToken);
      const { pair: third } = await ahead.refresh(second.refreshToken);
      const codes = () => [first, second, third].map(({ accessToken }) => verifier.tryVerify(accessToken).code);
      assert.deepEqual(codes(), Array(3).fill(undefined));
      // Another process, whose issuer has the right clock, learns the time from the row.
      await end(isOther ? make() : ahead, first);
      const expires = Math.floor(Date.now() / 1000) + 600;
      for (let count = 0; count < 9; count += 1) await revocations.revokeId(`${count}`, expires);
      assert.ok(revocations.stats().rejectsIssuedUntil > 0, 'the list has not made room');
      assert.deepEqual(codes(), Array(3).fill('ERR_JWT_REVOKED'));
    }
  });
}

test('options that do not fit a server are refused', async (t) => {
  const revocations = new RevocationList();
  const client = { send: async () => [0] };
  const make = (options) => () => makeSessions(client, { revocations, ...options });
  make({})();
  assert.throws(make({ maxSessions: 5 }), coded('ERR_UNKNOWN_OPTION'));
  assert.throws(make({ maxSessionsPerSubject: 1001 }), coded('ERR_OUT_OF_RANGE'));
  assert.throws(make({ prefix: 'a{b' }), coded('ERR_INVALID_ARG_VALUE'));
  assert.throws(make({ deadlineMs: 0 }), coded('ERR_OUT_OF_RANGE'));
  const { issuer } = makeSessions(client);
  const rest = { issuer, revocations };
  for (const [given, missing] of [[{ client }, /"key"/], [{ key: secretKey() }, /"client"/]]) {
    const incomplete = () => new RedisSessions({ ...rest, ...given });
    assert.throws(incomplete, saying('ERR_MISSING_OPTION', missing));
  }
  assert.throws(() => new RedisSessions(), coded('ERR_MISSING_OPTION'));
  const store = await Store.open(storePath(t), { key: storeKey() });
  const stored = new RevocationList({ store });
  assert.throws(make({ revocations: stored }), saying('ERR_INVALID_ARG_VALUE', /store/));
  assert.throws(make({ store }), coded('ERR_UNKNOWN_OPTION'));
  await store.close();
});
