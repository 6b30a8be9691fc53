'use strict';

// Lists over Redis when the server fails. Each state is an event of the audit trail, and recovery
// needs no restart.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const net = require('node:net');
const { test } = require('node:test');

const { JwtIssuer, JwtKey, JwtVerifier, RevocationList } = require('@nodesec/native');
const { RedisRevocations } = require('@nodesec/native/redis');
const { CLIENTS } = require('../helpers/redis-clients.js');
const { hear, openList, refuses, secretKey, soon } = require('../helpers/redis-revocations.js');
const { RedisServer, until } = require('../helpers/redis-server.js');

const STREAM = '{nodesec:revocations}';

/** The code with which a list refuses to answer; undefined if it answers. */
function refusal(list) {
  try {
    list.isRevoked({ jti: 'another', iat: 1 });
    return undefined;
  } catch ({ code }) {
    return code;
  }
}

const isStale = (list) => refusal(list) === 'ERR_REVOCATION_STALE';
const isFollowing = ({ revocations }) => revocations.status().state === 'following';

test('while the server is killed, verifiers go on for maxStaleness and then refuse until it is back', async (t) => {
  const server = await RedisServer.start(t, { settings: ['--appendonly', 'yes', '--appendfsync', 'always'] });
  if (server === undefined) return;
  const events = hear(t, ['revocation.lost', 'revocation.stale', 'revocation.followed']);
  const { list, revocations } = await openList(t, server, { maxStaleness: 2 });
  await list.revokeId('a', soon());
  const key = await JwtKey.generate('HS256');
  const issuer = new JwtIssuer({ keys: key, issuer: 'i', expiresIn: '5m' });
  const verifier = new JwtVerifier({ keys: key, issuer: 'i', audience: false, revocations: list });
  const token = issuer.sign({ sub: 's' });
  await server.kill();
  await until(() => revocations.status().state === 'interrupted');
  // The answer of less than 2 s ago counts, unless this test was held up for as long.
  const { lastAnswer } = revocations.status();
  const answered = refusal(list) === undefined && refuses(list, 'a');
  if (Date.now() - lastAnswer < 2000) assert.ok(answered);
  await until(() => isStale(list));
  assert.throws(() => verifier.verify(token), { code: 'ERR_REVOCATION_STALE' });
  await until(() => revocations.status().state === 'stale');
  await server.run();
  await until(() => !isStale(list));
  assert.ok(refuses(list, 'a'));
  assert.equal(verifier.verify(token).sub, 's');
  await until(() => revocations.status().state === 'following');
  const names = events.map(({ event }) => event);
  assert.equal(names[0], 'revocation.followed');
  assert.equal(names.at(-1), 'revocation.followed');
  assert.ok(names.indexOf('revocation.lost') < names.indexOf('revocation.stale'));
});

test("with onStoreError 'allow' the list answers from memory, however long the outage", async (t) => {
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  const { list, revocations } = await openList(t, server, { maxStaleness: 1, onStoreError: 'allow' });
  await list.revokeId('a', soon());
  await server.kill();
  await until(() => revocations.status().state === 'stale');
  assert.ok(refuses(list, 'a'));
  assert.ok(!refuses(list, 'b'));
});

test('a revocation that is made during an outage is rejected, holds here, and reaches the others after it', async (t) => {
  const server = await RedisServer.start(t, { settings: ['--appendonly', 'yes', '--appendfsync', 'always'] });
  if (server === undefined) return;
  const one = await openList(t, server, { maxStaleness: 5 });
  const other = await openList(t, server, { maxStaleness: 5 });
  const events = hear(t, ['revocation.unpublished', 'revocation.republished']);
  await server.kill();
  await assert.rejects(one.list.revokeId('a', soon()), { code: 'ERR_REVOCATION_STORE' });
  assert.ok(refuses(one.list, 'a'));
  assert.equal(one.revocations.status().unconfirmed, 1);
  await server.run();
  await until(() => refusal(other.list) === undefined && refuses(other.list, 'a'));
  await until(() => one.revocations.status().unconfirmed === 0);
  assert.deepEqual(events.map(({ event }) => event), ['revocation.unpublished', 'revocation.republished']);
});

for (const kind of ['ioredis 6', 'redis 6', 'send']) {
  test(`a stopped server keeps its connections, which are replaced, over ${kind}`, async (t) => {
    const server = await RedisServer.start(t);
    if (server === undefined) return;
    const one = await openList(t, server, { kind, maxStaleness: 1 });
    const other = await openList(t, server, { kind, maxStaleness: 1 });
    server.pause();
    const revoked = one.list.revokeId('a', soon());
    await assert.rejects(revoked, { code: 'ERR_REVOCATION_STORE' });
    await until(() => isStale(one.list) && isStale(other.list));
    server.resume();
    await until(() => !isStale(one.list) && !isStale(other.list));
    await until(() => refusal(other.list) === undefined && refuses(other.list, 'a'));
  });
}

test('a server that restarts empty gets everything from the processes that have it', async (t) => {
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  const one = await openList(t, server, { maxStaleness: 10 });
  const other = await openList(t, server, { maxStaleness: 10 });
  const events = hear(t, ['revocation.republished']);
  await one.list.revokeId('a', soon());
  await one.list.revokeKey('k');
  await until(() => refuses(other.list, 'a') && other.list.isRevoked({ jti: 'x', kid: 'k' }));
  // The process that has revoked is gone.
  await one.revocations.close();
  await server.kill();
  await server.run();
  await until(() => events.length > 0 && isFollowing(other));
  const late = await openList(t, server);
  assert.ok(refuses(late.list, 'a'));
  assert.ok(late.list.isRevoked({ jti: 'x', kid: 'k' }));
});

test('a stream that is deleted under a running server is published again', async (t) => {
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  const { list, revocations } = await openList(t, server, { maxStaleness: 2 });
  await list.revokeId('a', soon());
  server.cli('flushall');
  await until(() => Number(server.cli('xlen', STREAM)) > 0);
  await until(() => revocations.status().unconfirmed === 0);
  const late = await openList(t, server);
  assert.ok(refuses(late.list, 'a'));
});

test('after a failover to a replica that lacked revocations, they are published again', async (t) => {
  const primary = await RedisServer.start(t);
  if (primary === undefined) return;
  const replica = await RedisServer.start(t, { settings: ['--replicaof', '127.0.0.1', `${primary.port}`] });
  await until(() => replica.cli('info', 'replication').includes('master_link_status:up'));
  const address = { port: primary.port };
  const one = await openFailingOver(t, address);
  const other = await openFailingOver(t, address);
  await one.list.revokeId('replicated', soon());
  await until(() => Number(replica.cli('xlen', STREAM)) === 1);
  // The replica is cut off, and the primary takes two more.
  replica.cli('replicaof', 'no', 'one');
  await one.list.revokeId('lost 1', soon());
  await other.list.revokeId('lost 2', soon());
  // A process that knows nothing of them writes to the new primary first, so that its last id is
  // later than that of the lost entries.
  const fresh = await openList(t, replica, { maxStaleness: 30 });
  await fresh.list.revokeId('later', soon());
  await primary.kill();
  address.port = replica.port;
  await until(() => ['lost 1', 'lost 2', 'replicated'].every((id) => refuses(fresh.list, id)));
  await until(() => [one, other].every(({ list }) => refuses(list, 'later')));
  const late = await openList(t, replica);
  assert.ok(['lost 1', 'lost 2', 'replicated', 'later'].every((id) => refuses(late.list, id)));
});

/** A list whose client and its duplicates connect to the port that `address` has then. */
async function openFailingOver(t, address) {
  const relay = net.createServer((socket) => {
    const to = net.connect(address.port, '127.0.0.1');
    socket.pipe(to).pipe(socket);
    const end = () => {
      socket.destroy();
      to.destroy();
    };
    for (const each of [socket, to]) each.on('error', end).on('close', end);
  });
  relay.listen(0, '127.0.0.1');
  await once(relay, 'listening');
  t.after(() => relay.close());
  return openList(t, { port: relay.address().port }, { maxStaleness: 30 });
}

test('a server without memory rejects revocations with OOM, and gets them when it has memory', async (t) => {
  const server = await RedisServer.start(t, { settings: ['--maxmemory-policy', 'noeviction'] });
  if (server === undefined) return;
  const one = await openList(t, server, { maxStaleness: 2 });
  const other = await openList(t, server, { maxStaleness: 2 });
  const events = hear(t, ['revocation.unpublished']);
  server.cli('config', 'set', 'maxmemory', '1');
  await assert.rejects(one.list.revokeId('a', soon()), { code: 'ERR_REVOCATION_STORE', message: /\(OOM\)/ });
  assert.ok(refuses(one.list, 'a'));
  assert.ok(isFollowing(one));
  assert.equal(events[0].reason, 'OOM');
  server.cli('config', 'set', 'maxmemory', '0');
  await until(() => refuses(other.list, 'a'));
});

test('with a wrong password open rejects, and the list refuses', async (t) => {
  const server = await RedisServer.start(t, { password: 'right' });
  if (server === undefined) return;
  const events = hear(t, ['revocation.lost']);
  const list = new RevocationList();
  const client = await CLIENTS['ioredis 6'](t, { port: server.port, password: 'wrong' });
  const opening = RedisRevocations.open({ client, list, key: secretKey(), maxStaleness: 1 });
  await assert.rejects(opening, { code: 'ERR_REVOCATION_STORE' });
  assert.ok(isStale(list));
  assert.ok(events.length > 0);
  // The same list can be opened again.
  const right = await CLIENTS['ioredis 6'](t, server);
  const again = await RedisRevocations.open({ client: right, list, key: secretKey(), maxStaleness: 1 });
  t.after(() => again.close());
  assert.equal(refusal(list), undefined);
});

test('rows without the mark of the key are ignored, with an event, and revoke nothing', async (t) => {
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  const forger = await openList(t, server, { key: secretKey(8) });
  const plain = await openList(t, server, { key: undefined });
  const { list, revocations } = await openList(t, server);
  const events = hear(t, ['revocation.ignored']);
  await forger.list.revokeId('a', soon());
  await plain.list.revokeId('b', soon());
  server.cli('xadd', STREAM, '*', 'r', 'no row');
  server.cli('xadd', STREAM, '*', 'other', 'x'.repeat(100_000));
  await list.revokeId('c', soon());
  await until(() => revocations.status().ignored.forged === 4);
  assert.deepEqual(['a', 'b', 'c'].map((id) => refuses(list, id)), [false, false, true]);
  assert.equal(events[0].reason, 'forged');
  const late = await openList(t, server);
  assert.equal(late.revocations.status().ignored.forged, 4);
  assert.ok(refuses(late.list, 'c'));
});

test('a row of a later release stops the list, which then refuses', async (t) => {
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  const { list, revocations } = await openList(t, server, { key: undefined, maxStaleness: 1 });
  await list.revokeId('a', soon());
  const [row] = /\bA[A-Za-z0-9_-]{39}\b/.exec(server.cli('xrange', STREAM, '-', '+'));
  server.cli('xadd', STREAM, '*', 'r', `Ag${row.slice(2)}`);
  await until(() => isStale(list));
  assert.equal(revocations.status().reason, 'a later release');
});

test('without a key, the keys of the older processes count when the server has lost them', async (t) => {
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  const old = await openList(t, server, { key: undefined, maxStaleness: 10 });
  await old.list.revokeId('a', soon());
  const record = server.cli('hget', `${STREAM}:meta`, 'keys');
  server.cli('flushall');
  // A new process may come before the old one has noticed.
  const fresh = await openList(t, server, { key: undefined, maxStaleness: 10 });
  await until(() => server.cli('hget', `${STREAM}:meta`, 'keys') === record);
  await until(() => isFollowing(fresh) && refusal(fresh.list) === undefined && refuses(fresh.list, 'a'));
  await fresh.list.revokeId('b', soon());
  await until(() => refuses(old.list, 'b'));
});

test('a policy that can drop the stream is told of once', async (t) => {
  const server = await RedisServer.start(t, { settings: ['--maxmemory-policy', 'allkeys-lru'] });
  if (server === undefined) return;
  const events = hear(t, ['revocation.evictable']);
  const warnings = [];
  const onWarning = ({ code }) => warnings.push(code);
  process.on('warning', onWarning);
  t.after(() => process.off('warning', onWarning));
  const { revocations } = await openList(t, server);
  await until(() => warnings.includes('NODESEC_REDIS_EVICTION'));
  assert.equal(events[0].policy, 'allkeys-lru');
  assert.equal(revocations.status().evictionPolicy, 'allkeys-lru');
});

test('waitReplicas rejects while too few replicas have a revocation', async (t) => {
  const primary = await RedisServer.start(t);
  if (primary === undefined) return;
  const { list } = await openList(t, primary, { waitReplicas: 1, maxStaleness: 2 });
  await assert.rejects(list.revokeId('a', soon()), { code: 'ERR_REVOCATION_STORE', message: /1 replicas/ });
  const replica = await RedisServer.start(t, { settings: ['--replicaof', '127.0.0.1', `${primary.port}`] });
  await until(() => replica.cli('info', 'replication').includes('master_link_status:up'));
  await until(() => list.revokeId('b', soon()).then(() => true, () => false));
  assert.ok(Number(replica.cli('xlen', STREAM)) > 0);
});
