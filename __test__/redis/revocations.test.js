'use strict';

// Lists of several processes over Redis: a revocation in one is refused by the others.

const assert = require('node:assert/strict');
const { fork } = require('node:child_process');
const { once } = require('node:events');
const path = require('node:path');
const { test } = require('node:test');
const { Worker } = require('node:worker_threads');

const { JwtIssuer, JwtKey, JwtVerifier, RevocationList, Sessions, Store } = require('@nodesec/native');
const { RedisRevocations } = require('@nodesec/native/redis');
const { Cluster } = require('ioredis');
const { CLIENTS, CLUSTERS } = require('../helpers/redis-clients.js');
const { openList, refuses, secretKey, soon } = require('../helpers/redis-revocations.js');
const { RedisServer, startCluster, until } = require('../helpers/redis-server.js');
const { storePath } = require('../helpers/store-service.js');

const STREAM = '{nodesec:revocations}';
const CHILD = path.join(__dirname, '..', 'helpers', 'redis-revocations-child.js');

for (const kind of Object.keys(CLIENTS)) {
  test(`every kind of revocation in one list is refused by another over ${kind}`, async (t) => {
    const server = await RedisServer.start(t);
    if (server === undefined) return;
    const one = await openList(t, server, { kind });
    const other = await openList(t, server, { kind });
    const key = await JwtKey.generate('HS256', { kid: 'a-key' });
    const issuer = new JwtIssuer({ keys: key, issuer: 'i', expiresIn: '5m' });
    const verifier = new JwtVerifier({
      keys: key,
      issuer: 'i',
      audience: false,
      revocations: other.list,
    });
    const revocations = [
      (claims) => one.list.revoke(claims),
      ({ jti, exp }) => one.list.revokeId(jti, exp),
      ({ sid, exp }) => one.list.revokeSession(sid, exp),
      ({ sub, iat }) => one.list.revokeSubject(sub, iat, { issuer: 'i' }),
      ({ sub }) => one.list.revokeSubject(sub),
      () => one.list.revokeKey(key.kid),
    ];
    for (const [index, revoke] of revocations.entries()) {
      const token = issuer.sign({ sub: `s${index}`, sid: `session ${index}` });
      const claims = verifier.verify(token);
      await revoke(claims);
      await until(() => !isAccepted(verifier, token));
      assert.throws(() => verifier.verify(token), { code: 'ERR_JWT_REVOKED' });
    }
    assert.equal(other.revocations.status().received, revocations.length);
    assert.equal(one.revocations.status().published, revocations.length);
  });
}

function isAccepted(verifier, token) {
  try {
    verifier.verify(token);
    return true;
  } catch {
    return false;
  }
}

for (const kind of Object.keys(CLUSTERS)) {
  test(`two lists share a cluster over ${kind}`, async (t) => {
    const nodes = await startCluster(t);
    if (nodes === undefined) return;
    const open = async () => {
      const list = new RevocationList();
      const client = await CLUSTERS[kind](t, nodes);
      const revocations = await RedisRevocations.open({ client, list, maxStaleness: 5 });
      t.after(() => revocations.close());
      return list;
    };
    const [one, other] = [await open(), await open()];
    await one.revokeId('a', soon());
    await one.revokeKey('k');
    await until(() => refuses(other, 'a') && other.isRevoked({ jti: 'b', kid: 'k' }));
    const late = await open();
    assert.ok(refuses(late, 'a') && late.isRevoked({ jti: 'b', kid: 'k' }));
  });
}

test('waitReplicas is refused with a Cluster of ioredis, and the list stays as it was', async (t) => {
  const client = new Cluster([{ host: '127.0.0.1', port: 1 }], { lazyConnect: true });
  t.after(() => client.disconnect());
  const list = new RevocationList();
  const opening = RedisRevocations.open({ client, list, maxStaleness: 1, waitReplicas: 1 });
  await assert.rejects(opening, { code: 'ERR_INVALID_ARG_VALUE' });
  assert.equal(list.isRevoked({ jti: 'a' }), false);
});

test('a revocation of one process is refused in another process', async (t) => {
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  const child = fork(CHILD, [`${server.port}`]);
  t.after(() => child.kill('SIGKILL'));
  await once(child, 'message');
  const { list } = await openList(t, server);
  await list.revokeId('from here', soon());
  child.send({ waitFor: 'from here' });
  const [answer] = await once(child, 'message');
  assert.deepEqual(answer, { refused: 'from here' });
  child.send({ revoke: 'from there' });
  await once(child, 'message');
  await until(() => refuses(list, 'from there'));
});

test('a list that opens later has everything, in one page or many', async (t) => {
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  const { list } = await openList(t, server, { maxStaleness: 60 });
  const ids = Array.from({ length: 5000 }, (_, n) => `id ${n}`);
  const exp = soon();
  // One by one, so that each has an entry of its own.
  for (let at = 0; at < 2500; at++) await list.revokeId(ids[at], exp);
  await Promise.all(ids.slice(2500).map((id) => list.revokeId(id, exp)));
  await list.revokeKey('k');
  await list.revokeSession('long', exp + 366 * 86_400);
  const late = await openList(t, server, { maxStaleness: 60 });
  assert.ok(ids.every((id) => refuses(late.list, id)));
  assert.ok(late.list.isRevoked({ jti: 'x', kid: 'k' }));
  assert.ok(late.list.isRevoked({ jti: 'x', sid: 'long' }));
  assert.equal(late.list.size, 5002);
});

test('rows that outlive the stream are read from the hash when the stream has been trimmed', async (t) => {
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  const { list } = await openList(t, server);
  await list.revokeId('short', soon());
  await list.revokeKey('k');
  server.cli('xtrim', STREAM, 'maxlen', '0');
  const late = await openList(t, server);
  assert.ok(late.list.isRevoked({ jti: 'x', kid: 'k' }));
  assert.ok(!refuses(late.list, 'short'));
});

test('entries leave the stream, and lasting rows the hash, when the proven time is past them', async (t) => {
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  // Ignored, because they are no rows. The server trims whole blocks of 100 entries.
  for (let n = 1; n <= 250; n++) server.cli('xadd', STREAM, `${n}-0`, 'r', 'old');
  let now = Date.now();
  const lists = { clock: () => new Date(now), maxTokenTtl: '1m' };
  const { list, revocations } = await openList(t, server, { lists });
  await list.revokeSession('a', soon() + 3600);
  await list.revokeKey('k');
  assert.equal(Number(server.cli('hlen', `${STREAM}:lasting`)), 2);
  assert.equal(Number(server.cli('xlen', STREAM)), 252);
  // In the first hour no time is proven; three hours later, that of two hours later is.
  now += 3 * 3_600_000;
  await list.revokeId('b', Math.floor(now / 1000) + 60);
  await list.revokeId('c', Math.floor(now / 1000) + 60);
  assert.ok(Number(server.cli('xlen', STREAM)) < 252);
  server.cli('del', STREAM);
  await until(() => Number(server.cli('hlen', `${STREAM}:lasting`)) === 1);
  assert.ok(revocations.status().state !== 'closed');
  // A process that needs entries for longer says so to the others.
  await openList(t, server, { lists: { maxTokenTtl: '30d' } });
  assert.equal(Number(server.cli('hget', `${STREAM}:meta`, 'life')), (30 * 86_400 + 600) * 1000);
});

test('an id is not on the server, in no form that a guess can be compared with', async (t) => {
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  const open = async () => {
    const { list } = await openList(t, server, { key: undefined, prefix: 'plain' });
    return list;
  };
  const [list, other] = [await open(), await open()];
  await list.revokeSubject('ada@example.com');
  await list.revokeId('ada@example.com', soon());
  await until(() => refuses(other, 'ada@example.com'));
  const dump = server.cli('xrange', '{plain}', '-', '+');
  assert.ok(!dump.includes('ada@example.com'));
  assert.ok(!dump.includes(Buffer.from('ada@example.com').toString('base64url').slice(0, 15)));
  // Another prefix is another list, under other keys.
  const apart = await openList(t, server, { key: undefined, prefix: 'apart' });
  await apart.list.revokeId('ada@example.com', soon());
  const rows = ['plain', 'apart'].map((prefix) => {
    const entries = server.cli('xrange', `{${prefix}}`, '-', '+').trim().split('\n');
    return entries.at(-1).slice(0, 24);
  });
  assert.notEqual(rows[0], rows[1]);
});

test('all revocations of a turn share an entry, and each promise resolves', async (t) => {
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  const { list } = await openList(t, server);
  const exp = soon();
  const results = await Promise.all(
    Array.from({ length: 200 }, (_, n) => list.revokeId(`id ${n}`, exp)),
  );
  assert.deepEqual(new Set(results), new Set([undefined]));
  assert.equal(Number(server.cli('xlen', STREAM)), Math.ceil(200 / 64));
});

test('the Sync calls throw, and revoke nothing', async (t) => {
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  const { list } = await openList(t, server);
  const calls = [
    () => list.revokeSync({ jti: 'a', exp: soon() }),
    () => list.revokeIdSync('a', soon()),
    () => list.revokeSessionSync('a', soon()),
    () => list.revokeSubjectSync('a'),
    () => list.revokeKeySync('a'),
    () => list.revokeAllSync(),
  ];
  for (const call of calls) assert.throws(call, { code: 'ERR_REVOCATION_SYNC' });
  assert.equal(list.size, 0);
});

test('a list is on one truth: on a store, with entries or twice it is refused', async (t) => {
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  const store = await Store.open(storePath(t), { key: secretKey() });
  t.after(() => store.close());
  const refused = { code: 'ERR_INVALID_ARG_VALUE' };
  const client = await CLIENTS['ioredis 6'](t, server);
  const open = (list) => RedisRevocations.open({ client, list, maxStaleness: 2 });
  await assert.rejects(open(new RevocationList({ store })), refused);
  const used = new RevocationList();
  used.revokeKeySync('k');
  await assert.rejects(open(used), refused);
  assert.ok(used.isRevoked({ jti: 'a', kid: 'k' }));
  const { list, revocations } = await openList(t, server);
  await assert.rejects(RedisRevocations.open({ client, list, key: secretKey(), maxStaleness: 2 }), refused);
  await list.revokeId('a', soon());
  await revocations.close();
  // With the key of its entries it is opened again.
  await assert.rejects(open(list), refused);
  const again = await RedisRevocations.open({ client, list, key: secretKey(), maxStaleness: 2 });
  t.after(() => again.close());
  assert.ok(refuses(list, 'a'));
});

test('after close the list refuses in the end, and a revocation is rejected but holds here', async (t) => {
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  const { list, revocations } = await openList(t, server, { maxStaleness: 1 });
  await list.revokeId('before', soon());
  await revocations.close();
  assert.equal(revocations.status().state, 'closed');
  await assert.rejects(list.revokeId('after', soon()), { code: 'ERR_REVOCATION_STORE' });
  await until(() => isStale(list));
});

function isStale(list) {
  try {
    list.isRevoked({ jti: 'a' });
    return false;
  } catch ({ code }) {
    assert.equal(code, 'ERR_REVOCATION_STALE');
    return true;
  }
}

test('threads that share a list revoke through the thread that has opened it', async (t) => {
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  const list = RevocationList.shared('over redis');
  const client = await CLIENTS['ioredis 6'](t, server);
  const open = { client, list, key: secretKey(), maxStaleness: 2 };
  const revocations = await RedisRevocations.open(open);
  t.after(() => revocations.close());
  const worker = new Worker(
    `const { RevocationList } = require('@nodesec/native');
     const { parentPort } = require('node:worker_threads');
     const list = RevocationList.shared('over redis');
     list.revokeId('of a worker', ${soon()}).then(() => parentPort.postMessage('done'));`,
    { eval: true },
  );
  t.after(() => worker.terminate());
  const [message] = await once(worker, 'message');
  assert.equal(message, 'done');
  const other = await openList(t, server);
  assert.ok(refuses(other.list, 'of a worker'));
});

test('a list whose thread ends is opened by another one, and has its revocations', async (t) => {
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  const worker = new Worker(
    `const { RevocationList, SecretBuffer } = require('@nodesec/native');
     const { RedisRevocations } = require('@nodesec/native/redis');
     const Redis = require('ioredis');
     const { parentPort } = require('node:worker_threads');
     const client = new Redis({ port: ${server.port}, autoResendUnfulfilledCommands: false, enableOfflineQueue: false, lazyConnect: true });
     const list = RevocationList.shared('of a thread that ends');
     const key = SecretBuffer.from(Buffer.alloc(32, 7));
     RedisRevocations.open({ client, list, key, maxStaleness: 60 })
       .then(() => list.revokeId('of the thread', ${soon()}))
       .then(() => parentPort.postMessage('done'));`,
    { eval: true },
  );
  t.after(() => worker.terminate());
  await once(worker, 'message');
  const list = RevocationList.shared('of a thread that ends');
  const client = await CLIENTS['ioredis 6'](t, server);
  const options = { client, list, key: secretKey(), maxStaleness: 60 };
  await assert.rejects(RedisRevocations.open(options), { code: 'ERR_INVALID_ARG_VALUE' });
  await worker.terminate();
  await assert.rejects(list.revokeId('lost', soon()), { code: 'ERR_REVOCATION_STORE' });
  const revocations = await RedisRevocations.open({ ...options, key: secretKey() });
  t.after(() => revocations.close());
  assert.ok(refuses(list, 'of the thread'));
  await list.revokeId('of this one', soon());
  const other = await openList(t, server);
  assert.ok(refuses(other.list, 'of this one'));
});

test('sessions in memory that end are refused by the list of another process', async (t) => {
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  const one = await openList(t, server);
  const other = await openList(t, server);
  const key = await JwtKey.generate('HS256');
  const issuer = new JwtIssuer({ keys: key, issuer: 'i', expiresIn: '5m' });
  const sessions = new Sessions({ issuer, revocations: one.list });
  const { accessToken } = await sessions.start('ada');
  const verifier = new JwtVerifier({
    keys: key,
    issuer: 'i',
    audience: false,
    revocations: other.list,
  });
  const { sid } = verifier.verify(accessToken);
  await sessions.end(sid);
  await until(() => !isAccepted(verifier, accessToken));
});

test('a listener hears of revocations of others as remote, and of its own once', async (t) => {
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  const [one, other] = [await openList(t, server), await openList(t, server)];
  const heard = { one: [], other: [] };
  one.list.on('revoked', ({ kind, origin }) => heard.one.push([kind, origin]));
  other.list.on('revoked', ({ kind, origin }) => heard.other.push([kind, origin]));
  await one.list.revokeId('a', soon());
  await until(() => heard.other.length > 0);
  await other.list.revokeKey('k');
  await until(() => heard.one.length > 1);
  assert.deepEqual(heard.one, [['id', 'local'], ['key', 'remote']]);
  assert.deepEqual(heard.other, [['id', 'remote'], ['key', 'local']]);
});
