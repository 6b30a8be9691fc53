'use strict';

// The ring of a store, in one process and its threads.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { setImmediate: turn, setTimeout: pause } = require('node:timers/promises');
const { Worker } = require('node:worker_threads');

const {
  JwtIssuer, JwtKey, JwtVerifier, KeyRing, RevocationList, SecretBuffer, Store,
} = require('@nodesec/native');
const { coded } = require('../helpers/outcome.js');
const { storeKey, storePath } = require('../helpers/store-service.js');

const issuerOf = (keys) => new JwtIssuer({ keys, issuer: 'id', expiresIn: '15m' });
const verifierOf = (keys, options) =>
  new JwtVerifier({ keys, issuer: 'id', audience: false, ...options });
const statesOf = (ring) => ring.list().map(({ state }) => state);

async function openStore(t, at = storePath(t), options = {}) {
  const store = await Store.open(at, { key: storeKey(), ...options });
  t.after(() => store.close());
  return store;
}

test('a ring of a new store signs at once, and is there after a restart', async (t) => {
  for (const alg of ['EdDSA', 'ES256', 'RS256', 'HS256']) {
    const at = storePath(t);
    const store = await openStore(t, at);
    const ring = await KeyRing.open(store, { alg, rotateEvery: '30d' });
    assert.ok(ring instanceof KeyRing);
    assert.deepEqual(statesOf(ring), ['active', 'next']);
    const token = issuerOf(ring).sign({ sub: 'ada' });
    const [list, jwks] = [ring.list(), ring.jwks()];
    await store.close();
    const again = await KeyRing.open(await openStore(t, at));
    assert.deepEqual(again.list(), list);
    assert.deepEqual(again.jwks(), jwks);
    assert.equal(verifierOf(again).verify(token).sub, 'ada');
    assert.equal(verifierOf(again).verify(issuerOf(again).sign({ sub: 'bob' })).sub, 'bob');
  }
});

test('every ring on a store in a process is one ring', async (t) => {
  const store = await openStore(t);
  const [one, other] = await Promise.all([KeyRing.open(store), KeyRing.open(store)]);
  const heard = [];
  other.on('change', ({ kid, to }) => heard.push([kid, to]));
  const { kid } = await one.rotate({ force: true });
  assert.deepEqual(other.list(), one.list());
  await turn();
  assert.deepEqual(heard.find(([, to]) => to === 'active'), [kid, 'active']);
  const token = issuerOf(other).sign({});
  await other.revokeAsync(kid);
  assert.equal(verifierOf(one).tryVerify(token).code, 'ERR_JWT_REVOKED');
  assert.throws(() => issuerOf(one).sign({}), coded('ERR_KEYRING_NO_ACTIVE_KEY'));
  assert.throws(() => one.add(JwtKey.fromSecret(Buffer.alloc(32, 7), { alg: 'HS256', kid })), {
    code: 'ERR_KEYRING_DUPLICATE',
  });
});

test('an option that is not the ring’s is refused, and one that is left out is the ring’s', async (t) => {
  const store = await openStore(t);
  await assert.rejects(KeyRing.open(store, { rotateEvery: 1 }), coded('ERR_OUT_OF_RANGE'));
  await assert.rejects(KeyRing.open(store, { keys: [] }), coded('ERR_UNKNOWN_OPTION'));
  const ring = await KeyRing.open(store, { alg: 'EdDSA', jwksMaxAge: '5m', rotateEvery: '1d' });
  const others = [
    { alg: 'ES256' }, { jwksMaxAge: 60 }, { maxTokenTtl: '1h' }, { rotateEvery: '2d' },
  ];
  for (const options of others) {
    const [name] = Object.keys(options);
    await assert.rejects(KeyRing.open(store, options), ({ code, message }) => {
      assert.equal(code, 'ERR_INVALID_ARG_VALUE');
      assert.match(message, new RegExp(`^${name} `));
      return true;
    });
  }
  for (const options of [undefined, {}, { alg: 'EdDSA', jwksMaxAge: 300, rotateEvery: 86_400 }]) {
    assert.equal((await KeyRing.open(store, options)).jwks().maxAge, 300);
  }
  await assert.rejects(ring.configure({ rotateEvery: 300 }), coded('ERR_OUT_OF_RANGE'));
  await assert.rejects(ring.configure({}), coded('ERR_MISSING_OPTION'));
  await assert.rejects(ring.configure(), coded('ERR_MISSING_OPTION'));
  await ring.configure({ rotateEvery: '2d' });
  await KeyRing.open(store, { rotateEvery: '2d' });
  await ring.configure({ rotateEvery: null });
  await assert.rejects(KeyRing.open(store, { rotateEvery: '2d' }), coded('ERR_INVALID_ARG_VALUE'));
  assert.deepEqual(ring.tick(Math.floor(Date.now() / 1000) + 9 * 86_400), []);
});

test('a ring in memory takes another period, too', async () => {
  const ring = new KeyRing({ alg: 'EdDSA' });
  await ring.rotate();
  const later = Math.floor(Date.now() / 1000) + 2 * 86_400;
  assert.deepEqual(ring.tick(later), []);
  await ring.configure({ rotateEvery: '1d' });
  assert.equal(ring.tick(later).length, 3);
  await ring.revokeAsync(ring.list()[1].kid);
  assert.equal(ring.list()[1].state, 'revoked');
});

test('a value that is no store, or a closed store, opens no ring', async (t) => {
  const store = await openStore(t);
  for (const other of [undefined, null, {}, 'store', new RevocationList(), SecretBuffer.random(32)]) {
    await assert.rejects(KeyRing.open(other), coded('ERR_INVALID_ARG_TYPE'));
  }
  await store.close();
  await assert.rejects(KeyRing.open(store), coded('ERR_STORE_CLOSED'));
});

test('a ring of a closed store refuses every call, also with onStoreError: allow', async (t) => {
  for (const onStoreError of ['deny', 'allow']) {
    const store = await openStore(t, storePath(t), { onStoreError });
    const ring = await KeyRing.open(store, { alg: 'EdDSA' });
    const [issuer, verifier] = [issuerOf(ring), verifierOf(ring, { cache: true })];
    const token = issuer.sign({ sub: 'ada' });
    assert.equal(verifier.verify(token).sub, 'ada');
    const [{ kid }] = ring.list();
    await store.close();
    const closed = coded('ERR_STORE_CLOSED', { name: 'StoreError' });
    assert.throws(() => issuer.sign({}), closed);
    await assert.rejects(issuer.signAsync({}), closed);
    assert.equal(verifier.tryVerify(token).code, 'ERR_REVOCATION_STORE');
    for (const call of [
      () => ring.jwks(), () => ring.list(), () => ring.tick(), () => ring.revoke(kid),
      () => ring.seal(storeKey()), () => ring.add(JwtKey.fromSecret(Buffer.alloc(32), { alg: 'HS256' })),
    ]) {
      assert.throws(call, closed);
    }
    for (const call of [
      () => ring.rotate(), () => ring.rotate({ force: true }), () => ring.ready(),
      () => ring.revokeAsync(kid), () => ring.configure({ rotateEvery: '9d' }),
    ]) {
      await assert.rejects(call, closed);
    }
  }
});

test('a ring of a store whose directory was moved away refuses every call', async (t) => {
  // Windows moves no directory with open files.
  if (process.platform === 'win32') return;
  for (const onStoreError of ['deny', 'allow']) {
    const at = storePath(t);
    const ring = await KeyRing.open(await openStore(t, at, { onStoreError }), { alg: 'EdDSA' });
    const [issuer, verifier] = [issuerOf(ring), verifierOf(ring, { cache: true })];
    const token = issuer.sign({ sub: 'ada' });
    const [{ kid }] = ring.list();
    fs.renameSync(at, `${at} moved`);
    while (verifier.tryVerify(token).ok) await pause(10);
    assert.equal(verifier.tryVerify(token).code, 'ERR_REVOCATION_STORE');
    const corrupt = coded('ERR_STORE_CORRUPT', { name: 'StoreError' });
    for (const call of [
      () => issuer.sign({}), () => ring.jwks(), () => ring.list(), () => ring.revoke(kid),
    ]) {
      assert.throws(call, corrupt);
    }
    await assert.rejects(ring.rotate({ force: true }), corrupt);
    await assert.rejects(ring.revokeAsync(kid), corrupt);
  }
});

test('a ring and a list are on one store, and a sealed copy of the ring opens', async (t) => {
  const store = await openStore(t);
  const ring = await KeyRing.open(store, { alg: 'EdDSA' });
  const revocations = new RevocationList({ store });
  const [issuer, verifier] = [issuerOf(ring), verifierOf(ring, { revocations })];
  const token = issuer.sign({ sub: 'ada', sid: 's' });
  await revocations.revokeSession('s', new Date(Date.now() + 3_600_000));
  assert.equal(verifier.tryVerify(token).code, 'ERR_JWT_REVOKED');
  const copy = KeyRing.unseal(ring.seal(storeKey()), storeKey());
  assert.equal(verifierOf(copy).verify(issuer.sign({ sub: 'bob' })).sub, 'bob');
  // A backup has the ring.
  const to = path.join(path.dirname(storePath(t)), 'copy');
  await store.backup(to);
  const restored = await KeyRing.open(await openStore(t, to));
  assert.deepEqual(restored.list(), ring.list());
});

test('worker threads that open a store have its ring, and hear of its changes', async (t) => {
  const at = storePath(t);
  const store = await openStore(t, at);
  const ring = await KeyRing.open(store, { alg: 'EdDSA' });
  const code = `
    const { parentPort, workerData } = require('node:worker_threads');
    const { JwtIssuer, KeyRing, SecretBuffer, Store } = require('@nodesec/native');
    (async () => {
      const store = await Store.open(workerData, { key: SecretBuffer.from(Buffer.alloc(32, 9)) });
      const keys = await KeyRing.open(store, { alg: 'EdDSA' });
      keys.on('change', ({ kid, to }) => to === 'revoked' && parentPort.postMessage({ revoked: kid }));
      const issuer = new JwtIssuer({ keys, issuer: 'id', expiresIn: 60 });
      parentPort.postMessage({ token: issuer.sign({ sub: 'thread' }) });
      parentPort.once('message', () => {});
    })();
  `;
  const workers = Array.from({ length: 3 }, () => new Worker(code, { eval: true, workerData: at }));
  const kid = ring.list()[0].kid;
  await Promise.all(
    workers.map(async (worker) => {
      const [{ token }] = await once(worker, 'message');
      assert.equal(verifierOf(ring).verify(token).sub, 'thread');
    }),
  );
  const heard = Promise.all(workers.map((worker) => once(worker, 'message')));
  ring.revoke(kid);
  for (const [{ revoked }] of await heard) assert.equal(revoked, kid);
  await Promise.all(workers.map((worker) => worker.terminate()));
  assert.equal((await ring.rotate({ force: true })).kid, ring.list().find(({ state }) => state === 'active').kid);
});
