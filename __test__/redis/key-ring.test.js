'use strict';

// Key rings over Redis: one ring for every process, over each client.

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const path = require('node:path');
const { createInterface } = require('node:readline');
const { test } = require('node:test');
const { isDeepStrictEqual } = require('node:util');

const { JwtKey, KeyRing } = require('@nodesec/native');
const { CLIENTS, CLUSTERS } = require('../helpers/redis-clients.js');
const { secretKey } = require('../helpers/redis-revocations.js');
const { NAME, idsOf, openRing, openWith } = require('../helpers/redis-ring.js');
const { RedisServer, startCluster, until } = require('../helpers/redis-server.js');

const CHILD = path.join(__dirname, '..', 'helpers', 'redis-ring-child.js');
const ROUNDS = Number(process.env.ROUNDS ?? 5);

for (const kind of Object.keys(CLIENTS)) {
  test(`a process verifies tokens of another one after a look, and refuses a revoked key, over ${kind}`, async (t) => {
    const server = await RedisServer.start(t);
    if (server === undefined) return;
    const one = await openRing(t, server, { kind });
    const other = await openRing(t, server, { kind });
    await goesAcross(one, other);
  });
}

for (const kind of Object.keys(CLUSTERS)) {
  test(`a ring on a cluster is one ring, over ${kind}`, async (t) => {
    const nodes = await startCluster(t);
    if (nodes === undefined) return;
    const one = await openWith(t, await CLUSTERS[kind](t, nodes));
    const other = await openWith(t, await CLUSTERS[kind](t, nodes));
    await goesAcross(one, other);
  });
}

async function goesAcross(one, other) {
  assert.equal(other.refusal(one.sign()), undefined);
  const { kid } = await one.keys.rotate({ force: true });
  assert.deepEqual(idsOf(one.keys, 'active'), [kid]);
  const token = one.sign();
  assert.equal(one.refusal(token), undefined);
  await until(() => isDeepStrictEqual(other.keys.list(), one.keys.list()));
  assert.equal(other.refusal(token), undefined);
  assert.deepEqual(other.keys.jwks(), one.keys.jwks());
  await other.keys.revokeAsync(kid);
  assert.equal(other.refusal(token), 'ERR_JWT_REVOKED');
  await until(() => one.refusal(token) === 'ERR_JWT_REVOKED');
  assert.throws(one.sign, { code: 'ERR_KEYRING_NO_ACTIVE_KEY' });
}

test('eight processes that open a new ring at once have one, and one rotation of them makes a key', async (t) => {
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  const all = await Promise.all(Array.from({ length: 8 }, () => openRing(t, server)));
  const [first] = all;
  for (const { keys } of all) assert.deepEqual(keys.list(), first.keys.list());
  assert.deepEqual(first.keys.list().map(({ state }) => state), ['active', 'next']);
  await assert.rejects(first.keys.rotate(), { code: 'ERR_KEYRING_NOT_PUBLISHED' });
  const kids = await Promise.all(all.map(({ keys }) => keys.rotate({ force: true })));
  assert.equal(new Set(kids.map(({ kid }) => kid)).size, 1);
  assert.equal(first.status().version, 2);
  for (const each of all) await until(() => each.status().version === 2);
  assert.equal(first.keys.list().length, 3);
});

test('an option that is given must be that of the ring, and configure changes it for all', async (t) => {
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  const one = await openRing(t, server, { rotateEvery: '30d' });
  const other = await openRing(t, server, { alg: undefined });
  const wrong = { code: 'ERR_INVALID_ARG_VALUE' };
  await assert.rejects(openRing(t, server, { alg: 'ES256' }), wrong);
  await assert.rejects(openRing(t, server, { rotateEvery: '31d' }), wrong);
  await assert.rejects(openRing(t, server, { jwksMaxAge: 0 }), wrong);
  await other.keys.configure({ rotateEvery: '31d' });
  await openRing(t, server, { rotateEvery: '31d' });
  await assert.rejects(one.keys.configure({ rotateEvery: '5m' }), { code: 'ERR_OUT_OF_RANGE' });
});

test('the ring rotates by time, also while no process does anything', async (t) => {
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  const options = { jwksMaxAge: 0, maxTokenTtl: 300, rotateEvery: 1 };
  const one = await openRing(t, server, options);
  const other = await openRing(t, server, options);
  const first = one.sign();
  const [active] = idsOf(one.keys, 'active');
  await until(() => idsOf(one.keys, 'active')[0] !== active);
  await until(() => other.refusal(one.sign()) === undefined);
  assert.equal(other.refusal(first), undefined);
});

test('a key is added by a promise only, and the calls that would block say so', async (t) => {
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  const one = await openRing(t, server);
  const other = await openRing(t, server);
  const key = await JwtKey.generate('EdDSA', { kid: 'mine' });
  const sync = { code: 'ERR_KEYRING_SYNC' };
  assert.throws(() => one.keys.add(key), sync);
  assert.throws(() => one.keys.revoke('mine'), sync);
  assert.throws(() => one.keys.tick(), sync);
  await one.keys.addAsync(key, { state: 'active' });
  await until(() => idsOf(other.keys, 'active')[0] === 'mine');
  await assert.rejects(other.keys.addAsync(key), { code: 'ERR_KEYRING_DUPLICATE' });
  await assert.rejects(other.keys.revokeAsync('no such key'), { code: 'ERR_KEYRING_UNKNOWN_KEY' });
  const memory = new KeyRing();
  await memory.addAsync(key);
  assert.deepEqual(idsOf(memory, 'active'), ['mine']);
});

test('the server has neither a key nor its id in the clear, and the ring opens with its key only', async (t) => {
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  const { keys } = await openRing(t, server);
  const text = server.cli('get', NAME).trim();
  const bytes = Buffer.from(text.slice(34), 'base64');
  for (const { kid } of keys.list()) assert.ok(!bytes.includes(kid) && !text.includes(kid));
  const seal = { code: 'ERR_SECRET_SEAL' };
  await assert.rejects(openRing(t, server, { key: secretKey(8) }), seal);
  // A ring opens nowhere but under its name.
  server.cli('set', '{another}', text);
  await assert.rejects(openRing(t, server, { prefix: 'another' }), seal);
});

test('a process that is killed while it rotates leaves a ring with one active key, and its tokens verify', async (t) => {
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  const watcher = await openRing(t, server);
  const tokens = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const children = [0, 1].map(() => {
      const child = spawn(process.execPath, [CHILD, `${server.port}`], { stdio: ['ignore', 'pipe', 'inherit'] });
      t.after(() => child.kill('SIGKILL'));
      createInterface({ input: child.stdout }).on('line', (line) => tokens.push(line));
      return child;
    });
    const had = tokens.length;
    await until(() => tokens.length > had + 10);
    for (const child of children) {
      child.kill('SIGKILL');
      await once(child, 'close');
    }
    // A killed process may have printed half of its last token.
    const whole = tokens.filter((token) => /^[\w-]+\.[\w-]+\.[\w-]{86}$/.test(token));
    await until(() => whole.every((token) => watcher.refusal(token) === undefined));
    assert.equal(idsOf(watcher.keys, 'active').length, 1);
    assert.equal(idsOf(watcher.keys, 'next').length, 1);
  }
});

test('a ring that is closed refuses everything, and other rings go on', async (t) => {
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  const one = await openRing(t, server);
  const other = await openRing(t, server);
  const token = one.sign();
  await one.keys.close();
  await one.keys.close();
  const closed = { code: 'ERR_KEYRING_STORE' };
  assert.throws(one.sign, closed);
  assert.equal(one.refusal(token), 'ERR_REVOCATION_STORE');
  assert.throws(() => one.keys.jwks(), closed);
  await assert.rejects(one.keys.rotate({ force: true }), closed);
  assert.equal(one.status().state, 'closed');
  await other.keys.rotate({ force: true });
  assert.equal(other.refusal(token), undefined);
});
