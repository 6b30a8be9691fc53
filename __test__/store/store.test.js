'use strict';

// Lists on a store: their revocations in other processes, and after a restart.

const assert = require('node:assert/strict');
const { mkdtempSync, rmSync, statSync } = require('node:fs');
const { tmpdir } = require('node:os');
const path = require('node:path');
const { test } = require('node:test');

const {
  ArgumentError, JwtIssuer, JwtKey, JwtVerifier, RevocationList, SecretBuffer, Sessions, Store,
  StoreError,
} = require('@nodesec/native');
const { runScript } = require('../helpers/child.js');

const HOUR = Math.floor(Date.now() / 1000) + 3600;
const folder = mkdtempSync(path.join(tmpdir(), 'nodesec-store-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
let paths = 0;
const newPath = () => path.join(folder, `store ${(paths += 1)}`);
const key = () => SecretBuffer.from(Buffer.alloc(32, 9));
const keys = JwtKey.fromSecret(Buffer.alloc(32, 7), { alg: 'HS256' });
const issuer = new JwtIssuer({ keys, issuer: 'id', expiresIn: '1h' });
const verifierOf = (revocations) =>
  new JwtVerifier({ keys, issuer: 'id', audience: false, revocations });

/** Runs `body` in another process, with a list on the store. */
async function elsewhere(store, body) {
  const script = `
    const { RevocationList, SecretBuffer, Store } = require('@nodesec/native');
    (async () => {
      const key = SecretBuffer.from(Buffer.alloc(32, 9));
      const store = await Store.open(${JSON.stringify(store)}, { key });
      const list = new RevocationList({ store });
      ${body}
      await store.close();
    })();`;
  const { code, stdout, stderr } = await runScript(script);
  assert.equal(code, 0, stderr);
  return stdout.trim();
}

test('another process refuses the new and the earlier revocations of a process at once', async () => {
  const at = newPath();
  const store = await Store.open(at, { key: key() });
  const revocations = new RevocationList({ store });
  const verifier = verifierOf(revocations);
  const token = issuer.sign({ sub: 'ada', sid: 'theirs' });
  await revocations.revokeSession('ours', HOUR);
  assert.equal(verifier.tryVerify(token).ok, true);
  const said = await elsewhere(at, `
    console.log(list.isRevoked({ sid: 'ours' }), list.isRevoked({ sid: 'theirs' }));
    await list.revokeSession('theirs', ${HOUR});`);
  assert.equal(said, 'true false');
  assert.equal(verifier.tryVerify(token).code, 'ERR_JWT_REVOKED');
  await store.close();
});

test('a process that verifies nothing hears of revocations elsewhere as remote', async () => {
  const at = newPath();
  const list = await RevocationList.open(at, { key: key() });
  const heard = [];
  // A listener does not keep the event loop alive.
  const alive = setInterval(() => {}, 1000);
  const two = new Promise((resolve) => {
    list.on('revoked', (event) => {
      heard.push(event);
      if (heard.length === 2) resolve();
    });
  });
  await list.revokeKey('ours');
  await elsewhere(at, `await list.revokeSession('theirs', ${HOUR});`);
  await two;
  clearInterval(alive);
  assert.deepEqual(heard, [
    { kind: 'key', until: undefined, origin: 'local', missed: 0 },
    { kind: 'session', until: HOUR, origin: 'remote', missed: 0 },
  ]);
  await list.close();
});

test('every function revokes for good, in both forms', async () => {
  const at = newPath();
  const list = await RevocationList.open(at, { key: key() });
  await list.revoke({ jti: 'a', exp: HOUR, iss: 'id' });
  list.revokeSync({ jti: 'b', exp: HOUR });
  await list.revokeId('c', HOUR);
  list.revokeIdSync('d', HOUR, { issuer: 'id' });
  await list.revokeSession('e', HOUR);
  list.revokeSessionSync('f', HOUR);
  await list.revokeSubject('g', new Date(5000));
  list.revokeSubjectSync('h');
  await list.revokeKey('i');
  list.revokeKeySync('j');
  await list.revokeAll({ issuer: 'old', issuedBefore: 9 });
  list.revokeAllSync({ issuer: 'older' });
  const stats = list.stats();
  await list.close();
  const again = await RevocationList.open(at, { key: key() });
  assert.deepEqual(again.stats(), stats);
  const iat = 5;
  for (const claims of [
    { jti: 'a', iss: 'id' }, { jti: 'b' }, { jti: 'c' }, { jti: 'd', iss: 'id' }, { sid: 'e' },
    { sid: 'f' }, { sub: 'g' }, { sub: 'h' }, { kid: 'i' }, { kid: 'j' }, { iss: 'old' },
    { iss: 'older' },
  ]) {
    assert.equal(again.isRevoked({ iat, ...claims }), true, JSON.stringify(claims));
  }
  for (const claims of [{ jti: 'a' }, { jti: 'd', iss: 'x' }, { sub: 'g', iat: 6 }, { jti: 'e' }]) {
    assert.equal(again.isRevoked({ iat, ...claims }), false, JSON.stringify(claims));
  }
  await again.close();
});

test('a session that ends is refused by a list on a store', async () => {
  const list = await RevocationList.open(newPath(), { key: key() });
  const sessions = new Sessions({ issuer, revocations: list });
  const { accessToken, sessionId } = await sessions.start('ada');
  const verifier = verifierOf(list);
  assert.equal(verifier.verify(accessToken).sub, 'ada');
  await sessions.end(sessionId);
  assert.equal(verifier.tryVerify(accessToken).code, 'ERR_JWT_REVOKED');
  await list.close();
});

test('a closed store is an error of every call, and a verifier refuses every token', async () => {
  const store = await Store.open(newPath(), { key: key(), onStoreError: 'allow' });
  const list = new RevocationList({ store });
  const verifier = verifierOf(list);
  const token = issuer.sign({ sub: 'ada' });
  assert.equal(verifier.verify(token).sub, 'ada');
  // The list shares the store, and does not close it.
  await list.close();
  assert.equal(verifier.verify(token).sub, 'ada');
  await store.close();
  await store.close();
  assert.equal(verifier.tryVerify(token).code, 'ERR_REVOCATION_STORE');
  const closed = { code: 'ERR_STORE_CLOSED' };
  assert.throws(() => list.isRevoked({ jti: 'a' }), closed);
  assert.throws(() => list.revokeKeySync('a'), closed);
  await assert.rejects(list.revokeKey('a'), closed);
  assert.throws(() => store.stats(), closed);
  await assert.rejects(store.backup(newPath()), StoreError);
});

test('two stores of a directory are one, and the last one closes it', async () => {
  const at = newPath();
  const [one, two] = [await Store.open(at, { key: key() }), await Store.open(at, { key: key() })];
  const list = new RevocationList({ store: one });
  assert.equal(two.stats().openers, 2);
  await one.close();
  list.revokeKeySync('a');
  assert.equal(new RevocationList({ store: two }).isRevoked({ kid: 'a' }), true);
  await two.close();
  assert.throws(() => list.isRevoked({ kid: 'a' }), { code: 'ERR_STORE_CLOSED' });
  const later = await RevocationList.open(at, { key: key() });
  assert.equal(later.isRevoked({ kid: 'a' }), true);
  await later.close();
});

test('lists and openers that disagree are errors, and leave the store as it is', async () => {
  const at = newPath();
  const store = await Store.open(at, { key: key() });
  const list = new RevocationList({ store, maxEntries: 5 });
  assert.throws(() => new RevocationList({ store }), ArgumentError);
  await assert.rejects(RevocationList.open(at, { key: key(), maxEntries: 6 }), ArgumentError);
  await assert.rejects(Store.open(at, { key: key(), busyMs: 7 }), ArgumentError);
  await assert.rejects(Store.open(at, { key: key(), onStoreError: 'allow' }), ArgumentError);
  await assert.rejects(Store.open(at, { key: SecretBuffer.random(32) }), { code: 'ERR_STORE_KEY' });
  assert.equal(store.stats().openers, 1);
  list.revokeKeySync('a');
  assert.equal(list.isRevoked({ kid: 'a' }), true);
  await store.close();
});

test('a full list says so, and nothing was written', async () => {
  const store = await Store.open(newPath(), { key: key() });
  const list = new RevocationList({ store, maxEntries: 2 });
  await list.revokeKey('a');
  await list.revokeKey('b');
  const { entries } = store.stats();
  await assert.rejects(list.revokeKey('c'), { code: 'ERR_REVOCATION_FULL' });
  assert.equal(store.stats().entries, entries);
  await store.close();
});

test('revocations of one tick are committed together', async () => {
  const store = await Store.open(newPath(), { key: key() });
  const list = new RevocationList({ store });
  const before = store.stats().commits;
  await Promise.all(Array.from({ length: 500 }, (_, n) => list.revokeSession(`${n}`, HOUR)));
  const { commits, largestGroup, lag } = store.stats();
  assert.ok(commits - before < 250, `${commits - before}`);
  assert.ok(largestGroup > 2);
  assert.equal(lag, 0);
  await store.close();
});

test('a backup opens with what was acknowledged before it', async () => {
  const [at, copy] = [newPath(), newPath()];
  const store = await Store.open(at, { key: key() });
  const list = new RevocationList({ store });
  await list.revokeKey('a');
  await store.backup(copy);
  await list.revokeKey('b');
  await assert.rejects(store.backup(copy), { code: 'ERR_STORE_OPEN' });
  await store.close();
  const restored = await RevocationList.open(copy, { key: key() });
  assert.deepEqual(['a', 'b'].map((kid) => restored.isRevoked({ kid })), [true, false]);
  await restored.close();
  if (process.platform !== 'win32') assert.equal(statSync(copy).mode & 0o777, 0o700);
});

test('an open store keeps no process running', async () => {
  const { code, stdout } = await runScript(`
    const { RevocationList, SecretBuffer } = require('@nodesec/native');
    const key = SecretBuffer.random(32);
    RevocationList.open(${JSON.stringify(newPath())}, { key }).then((list) => {
      list.on('revoked', () => {});
      list.revokeKeySync('a');
      console.log('open');
    });`);
  assert.deepEqual([code, stdout], [0, 'open\n']);
});
