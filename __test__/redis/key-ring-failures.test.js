'use strict';

// Key rings over Redis when the server fails. Each state is an event of the audit trail, and
// recovery needs no restart.

const assert = require('node:assert/strict');
const { readFileSync } = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { setTimeout: sleep } = require('node:timers/promises');

const { JwtKey, SecretBuffer } = require('@nodesec/native');
const { RedisKeyRing } = require('@nodesec/native/redis');
const { CLIENTS } = require('../helpers/redis-clients.js');
const { hear } = require('../helpers/redis-revocations.js');
const { NAME, idsOf, openRing, openWith } = require('../helpers/redis-ring.js');
const { RedisServer, until } = require('../helpers/redis-server.js');

const isFollowing = ({ status }) => status().state === 'following';
const namesOf = (events) => events.map(({ event }) => event);

test('while the server is killed, signing and verifying go on and changes reject, and nothing is lost', async (t) => {
  const server = await RedisServer.start(t, { settings: ['--appendonly', 'yes', '--appendfsync', 'always'] });
  if (server === undefined) return;
  const events = hear(t, ['keyring.followed', 'keyring.lost', 'keyring.restored']);
  const one = await openRing(t, server);
  await server.kill();
  await until(() => !isFollowing(one));
  assert.equal(one.refusal(one.sign()), undefined);
  assert.equal(one.keys.list().length, 2);
  const outage = { code: 'ERR_KEYRING_STORE', message: /connection/ };
  await assert.rejects(one.keys.rotate({ force: true }), outage);
  await assert.rejects(openRing(t, server), outage);
  await server.run();
  await until(() => isFollowing(one));
  const { kid } = await one.keys.rotate({ force: true });
  const other = await openRing(t, server);
  assert.deepEqual(idsOf(other.keys, 'active'), [kid]);
  assert.deepEqual([...new Set(namesOf(events))], ['keyring.followed', 'keyring.lost']);
});

for (const kind of ['ioredis 6', 'redis 6', 'send']) {
  test(`a stopped server keeps its connections, which are replaced, over ${kind}`, async (t) => {
    const server = await RedisServer.start(t);
    if (server === undefined) return;
    const one = await openRing(t, server, { kind });
    server.pause();
    await until(() => one.status().reason === 'no answer');
    assert.equal(one.refusal(one.sign()), undefined);
    server.resume();
    await until(() => isFollowing(one));
    await one.keys.rotate({ force: true });
  });
}

test('a server that restarts empty gets the ring from the processes, also if a new one was first', async (t) => {
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  const one = await openRing(t, server);
  const { kid: old } = await one.keys.rotate({ force: true });
  const events = hear(t, ['keyring.restored']);
  await server.kill();
  await server.run();
  // Made before or after the ring is restored.
  const late = await openRing(t, server);
  const token = late.sign();
  await until(() => one.refusal(token) === undefined);
  await until(() => late.refusal(one.sign()) === undefined);
  await until(() => idsOf(late.keys, 'active')[0] === old);
  assert.deepEqual(idsOf(one.keys, 'active'), [old]);
  assert.ok(events.length > 0);
});

test('a server that has an earlier version again gets the newest one, and a revoked key stays revoked', async (t) => {
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  const one = await openRing(t, server);
  const other = await openRing(t, server);
  const token = one.sign();
  const [stolen] = idsOf(one.keys, 'active');
  const earlier = server.cli('get', NAME).trim();
  await one.keys.rotate({ force: true });
  await one.keys.revokeAsync(stolen);
  await until(() => other.status().version === 3);
  const events = hear(t, ['keyring.restored']);
  server.cli('set', NAME, earlier);
  const late = await openRing(t, server);
  await until(() => late.refusal(token) === 'ERR_JWT_REVOKED');
  for (const each of [one, other]) assert.equal(each.refusal(token), 'ERR_JWT_REVOKED');
  assert.equal(events[0].merged, false);
});

test('versions that were made apart are merged, with the changes of both', async (t) => {
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  const one = await openRing(t, server);
  const earlier = server.cli('get', NAME).trim();
  const stolen = one.sign();
  await one.keys.revokeAsync(idsOf(one.keys, 'active')[0]);
  await one.keys.rotate({ force: true });
  const own = one.sign();
  // A failover to a server that lacks the last versions, on which another process rotates.
  const events = hear(t, ['keyring.restored']);
  server.cli('set', NAME, earlier);
  const other = await openRing(t, server);
  await other.keys.rotate({ force: true });
  const theirs = other.sign();
  for (const each of [one, other]) {
    await until(() => each.refusal(stolen) === 'ERR_JWT_REVOKED');
    await until(() => each.refusal(own) === undefined && each.refusal(theirs) === undefined);
    assert.equal(idsOf(each.keys, 'active').length, 1);
    assert.equal(idsOf(each.keys, 'next').length, 1);
  }
  assert.deepEqual(one.keys.list(), other.keys.list());
  assert.ok(namesOf(events).length > 0);
});

test('a failover to a replica loses nothing that a process has', async (t) => {
  const primary = await RedisServer.start(t);
  if (primary === undefined) return;
  const replica = await RedisServer.start(t, { settings: ['--replicaof', '127.0.0.1', `${primary.port}`] });
  await until(() => replica.cli('info', 'replication').includes('master_link_status:up'));
  const client = await CLIENTS['ioredis 6'](t, primary);
  await assert.rejects(openRing(t, replica), { code: 'ERR_KEYRING_STORE', message: /READONLY/ });
  const one = await openRing(t, primary);
  await until(() => replica.cli('get', NAME).trim() !== '');
  // The replica gets nothing from now on.
  replica.cli('replicaof', 'no', 'one');
  const { kid } = await one.keys.rotate({ force: true });
  assert.equal(client.status, 'wait');
  await primary.kill();
  replica.cli('config', 'set', 'port', `${primary.port}`);
  await until(() => isFollowing(one) && replica.cli('-p', `${primary.port}`, 'get', NAME).length > 0);
  const late = await openRing(t, primary);
  await until(() => idsOf(late.keys, 'active')[0] === kid);
});

test('something else under the name is ERR_SECRET_SEAL or WRONGTYPE, and nothing is overwritten', async (t) => {
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  const one = await openRing(t, server);
  const own = server.cli('get', NAME).trim();
  const junk = ['junk', `${'0'.repeat(34)}${own.slice(34)}`, 'x'.repeat(2_000_000)];
  for (const text of junk) {
    server.cli('set', NAME, text.slice(0, 100_000));
    if (text.length > 100_000) server.cli('setrange', NAME, `${text.length}`, 'x');
    await assert.rejects(openRing(t, server), { code: 'ERR_SECRET_SEAL' });
    await until(() => one.status().reason === 'ERR_SECRET_SEAL');
    assert.equal(server.cli('getrange', NAME, '0', '33').trim(), text.slice(0, 34));
    await assert.rejects(one.keys.rotate({ force: true }), { code: 'ERR_SECRET_SEAL' });
    assert.equal(one.refusal(one.sign()), undefined);
  }
  server.cli('del', NAME);
  server.cli('lpush', NAME, 'an element');
  await assert.rejects(openRing(t, server), { code: 'ERR_KEYRING_STORE', message: /WRONGTYPE/ });
  await until(() => one.status().reason === 'WRONGTYPE');
  server.cli('del', NAME);
  await until(() => isFollowing(one));
  assert.equal(server.cli('getrange', NAME, '0', '33').trim(), own.slice(0, 34));
});

test('a version that was damaged opens nowhere, and a process that has it replaces it by its next change', async (t) => {
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  const one = await openRing(t, server);
  const own = server.cli('get', NAME).trim();
  for (const damaged of [own.slice(0, -8), `${own.slice(0, 60)}${own[60] === 'A' ? 'B' : 'A'}${own.slice(61)}`]) {
    server.cli('set', NAME, damaged);
    await assert.rejects(openRing(t, server), { code: 'ERR_SECRET_SEAL' });
  }
  const { kid } = await one.keys.rotate({ force: true });
  const other = await openRing(t, server);
  assert.deepEqual(idsOf(other.keys, 'active'), [kid]);
});

test('a user with the rights of docs/redis.md and no others is enough', async (t) => {
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  const docs = readFileSync(path.join(__dirname, '..', '..', 'docs', 'redis.md'), 'utf8');
  const rights = '~{nodesec:keyring} +getrange +set +evalsha +eval +info';
  assert.ok(docs.replaceAll('\n', ' ').includes(rights));
  server.cli('acl', 'setuser', 'rings', 'on', '>secret', ...rights.split(' '));
  const own = { username: 'rings', password: 'secret', enableReadyCheck: false };
  const one = await openRing(t, server, { own });
  await one.keys.rotate({ force: true });
  const other = await openRing(t, server, { own });
  assert.deepEqual(other.keys.list(), one.keys.list());
  // Each of the rights is needed.
  for (const right of rights.split(' ').slice(1)) {
    server.cli('acl', 'setuser', 'rings', right.replace('+', '-'));
    server.cli('script', 'flush');
    const refused = right === '+set' ? one.keys.rotate({ force: true }) : openRing(t, server, { own });
    await assert.rejects(refused, { code: 'ERR_KEYRING_STORE' }, right);
    server.cli('acl', 'setuser', 'rings', right);
  }
  await until(() => isFollowing(one));
});

test('a server without memory refuses a rotation, and signing goes on', async (t) => {
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  const one = await openRing(t, server);
  server.cli('config', 'set', 'maxmemory', '1');
  await assert.rejects(one.keys.rotate({ force: true }), { code: 'ERR_KEYRING_STORE', message: /OOM/ });
  assert.equal(one.refusal(one.sign()), undefined);
  server.cli('config', 'set', 'maxmemory', '0');
  await one.keys.rotate({ force: true });
});

/**
 * A ring over a client that loses answers. `line.lost` is the number of answers to lose from now
 * on, and `line.losesOf` tells whether a command begins this. `line.sent` counts the commands.
 */
async function ringOverLossyLine(t, server) {
  const client = await CLIENTS['ioredis 6'](t, server);
  await client.connect();
  const line = { lost: 0, sent: 0, losesOf: () => false };
  const send = async ([name, ...args]) => {
    line.sent++;
    if (line.losesOf(args)) {
      line.losesOf = () => false;
      line.lost = 2;
    }
    const isLost = line.lost > 0;
    if (isLost) line.lost--;
    const answer = await client.callBuffer(name, ...args);
    return isLost ? new Promise(() => {}) : answer;
  };
  return { line, ...await openWith(t, { send }) };
}

test('a change that the server has made without an answer resolves, and is made once', async (t) => {
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  const { keys, line } = await ringOverLossyLine(t, server);
  // The server knows the scripts then.
  await keys.rotate({ force: true });
  const key = await JwtKey.generate('EdDSA');
  const changes = {
    addAsync: () => keys.addAsync(key),
    revokeAsync: () => keys.revokeAsync(key.kid),
    rotate: () => keys.rotate({ force: true }),
    configure: () => keys.configure({ rotateEvery: '20d' }),
  };
  for (const [name, change] of Object.entries(changes)) {
    const { version } = keys.status();
    // The answers of the write, and of the look for it.
    line.losesOf = (args) => args.some((arg) => arg.length > 500);
    const result = await change();
    assert.equal(keys.status().version, version + 1, name);
    if (name === 'rotate') assert.deepEqual(idsOf(keys, 'active'), [result.kid]);
  }
  await assert.rejects(keys.addAsync(key), { code: 'ERR_KEYRING_DUPLICATE' });
});

test('changes wait for a silent server at the same time, and none is tried after its limit', async (t) => {
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  const one = await ringOverLossyLine(t, server);
  const { keys, line } = one;
  line.lost = Infinity;
  const before = line.sent;
  const calls = Array.from({ length: 4 }, () => keys.rotate({ force: true }));
  for (const { reason } of await Promise.allSettled(calls)) {
    assert.equal(reason.code, 'ERR_KEYRING_STORE');
    assert.match(reason.message, /no answer/);
  }
  // A command waits for a second, and a call for five.
  assert.ok(line.sent - before <= 7, `${line.sent - before} commands`);
  line.lost = 0;
  await until(() => isFollowing(one));
  assert.equal(keys.status().version, 1);
  assert.equal(one.refusal(one.sign()), undefined);
});

test('a ring that closes while its server is silent begins nothing more, and its changes reject', async (t) => {
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  const { keys, line } = await ringOverLossyLine(t, server);
  line.lost = Infinity;
  const before = line.sent;
  const calls = Array.from({ length: 4 }, () => keys.rotate({ force: true }));
  const settled = Promise.allSettled(calls);
  await until(() => line.sent > before);
  const sent = line.sent;
  await Promise.all([keys.close(), keys.close()]);
  assert.equal(line.sent, sent);
  assert.equal(keys.status().state, 'closed');
  for (const { reason } of await settled) assert.equal(reason.code, 'ERR_KEYRING_STORE');
});

test('a server that confirms a ring and never has it rejects the opening, and keeps no process busy', async () => {
  let commands = 0;
  const send = async ([name]) => {
    commands += 1;
    return /^EVAL/i.test(String(name)) ? 1 : Buffer.alloc(0);
  };
  const opened = RedisKeyRing.open({ client: { send }, alg: 'HS256', key: SecretBuffer.random(32) });
  await assert.rejects(opened, { name: 'JwtError', code: 'ERR_KEYRING_STORE' });
  const before = commands;
  await sleep(100);
  assert.equal(commands, before);
});
