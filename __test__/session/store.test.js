'use strict';

// Sessions on a store, in one process.

const assert = require('node:assert/strict');
const { readdirSync, readFileSync } = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');

const { JwtIssuer, JwtKey, JwtVerifier, RevocationList, SecretBuffer, Sessions, Store } =
  require('@nodesec/native');
const { coded } = require('../helpers/outcome.js');
const { StoreService, storePath } = require('../helpers/store-service.js');

const statusOf = async (service, { refreshToken }) =>
  (await service.sessions.refresh(refreshToken)).status;

test('a session goes on after a restart, and one that has ended stays ended', async (t) => {
  const at = storePath(t);
  const service = await StoreService.open(at);
  const { sessions } = service;
  const first = await sessions.start('ada', { role: 'admin' }, { meta: { device: 'phone' } });
  const { pair } = await sessions.refresh(first.refreshToken);
  const ended = await sessions.start('ada');
  await sessions.end(ended.sessionId);
  await service.close();
  await assert.rejects(sessions.refresh(pair.refreshToken), coded('ERR_STORE_CLOSED'));
  await assert.rejects(sessions.start('ada'), coded('ERR_STORE_CLOSED'));

  const again = await StoreService.open(at);
  const [listed, ...others] = await again.sessions.list('ada');
  assert.deepEqual([listed.sessionId, listed.meta], [first.sessionId, { device: 'phone' }]);
  assert.deepEqual(others, []);
  assert.equal(again.verifier.tryVerify(ended.accessToken).code, 'ERR_JWT_REVOKED');
  assert.equal(await statusOf(again, ended), 'unknown');
  assert.equal(await statusOf(again, first), 'replayed');
  const next = await again.sessions.refresh(pair.refreshToken);
  assert.equal(again.verifier.verify(next.pair.accessToken).role, 'admin');
  assert.equal(await again.sessions.endByRefreshToken(first.refreshToken), true);
  assert.equal(await again.sessions.endByRefreshToken(first.refreshToken), false);
  assert.equal(again.verifier.tryVerify(next.pair.accessToken).code, 'ERR_JWT_REVOKED');
  await again.close();
});

test('many calls at once give each session one successor', async (t) => {
  const service = await StoreService.open(storePath(t));
  const pairs = await Promise.all(Array.from({ length: 50 }, () => service.sessions.start('ada')));
  const refresh = ({ refreshToken }) => service.sessions.refresh(refreshToken);
  const results = await Promise.all([...pairs, ...pairs, ...pairs].map(refresh));
  for (const at of pairs.keys()) {
    const own = [results[at], results[at + 50], results[at + 100]];
    const statuses = own.map(({ status }) => status).sort();
    assert.deepEqual(statuses, ['replayed', 'replayed', 'rotated']);
    assert.equal(new Set(own.map(({ pair }) => pair.refreshToken)).size, 1);
  }
  await service.sessions.endAll('ada');
  assert.deepEqual(await service.sessions.list('ada'), []);
  for (const { pair } of results) {
    assert.equal(service.verifier.tryVerify(pair.accessToken).code, 'ERR_JWT_REVOKED');
  }
  await service.close();
});

test('sessions that start at once stay within the limit of their subject', async (t) => {
  const at = storePath(t);
  const limits = { maxSessionsPerSubject: 3 };
  const service = await StoreService.open(at, { sessions: limits });
  const starts = Array.from({ length: 20 }, () => service.sessions.start('ada'));
  const results = await Promise.allSettled(starts);
  assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 3);
  for (const { reason } of results) if (reason) assert.equal(reason.code, 'ERR_SESSION_LIMIT');
  await service.close();

  const sessions = { ...limits, onSessionLimit: 'end-oldest' };
  const again = await StoreService.open(at, { sessions });
  const pairs = await Promise.all(Array.from({ length: 20 }, () => again.sessions.start('ada')));
  const live = (await again.sessions.list('ada')).map(({ sessionId }) => sessionId);
  assert.equal(live.length, 3);
  for (const { accessToken, sessionId } of pairs) {
    const { code } = again.verifier.tryVerify(accessToken);
    assert.equal(code, live.includes(sessionId) ? undefined : 'ERR_JWT_REVOKED');
  }
  await again.close();
});

test('a token that is later than its restored session goes on', async (t) => {
  const at = storePath(t);
  const service = await StoreService.open(at, { sessions: { grace: 0 } });
  const first = await service.sessions.start('ada');
  await service.backup(`${at}-backup`);
  const { pair: second } = await service.sessions.refresh(first.refreshToken);
  const { pair: third } = await service.sessions.refresh(second.refreshToken);
  await service.close();
  const restored = await StoreService.open(`${at}-backup`, { sessions: { grace: 0 } });
  assert.equal(await statusOf(restored, third), 'rotated');
  assert.equal(await statusOf(restored, second), 'reuse');
  await restored.close();
});

test('revocations must be on the store of the sessions, and options those of the first', async (t) => {
  const service = await StoreService.open(storePath(t));
  const other = await StoreService.open(storePath(t));
  const { issuer, store, revocations } = service;
  const make = (options) => () => new Sessions({ issuer, store, revocations, ...options });
  make({})();
  for (const wrong of [
    { revocations: new RevocationList() },
    { revocations: other.revocations },
    { grace: 31 },
    { maxSessions: 5 },
    { retryUntilUsed: true },
  ]) {
    assert.throws(make(wrong), coded('ERR_INVALID_ARG_VALUE'));
  }
  await service.close();
  await other.close();
  assert.throws(make({}), coded('ERR_STORE_CLOSED'));
});

test('all sessions on a store are those of every object on it', async (t) => {
  const at = storePath(t);
  const [one, other] = [await StoreService.open(at), await StoreService.open(at)];
  const pair = await one.sessions.start('ada');
  const { pair: next } = await other.sessions.refresh(pair.refreshToken);
  await other.sessions.end(pair.sessionId);
  assert.equal(await statusOf(one, next), 'unknown');
  await one.close();
  assert.equal((await other.sessions.list('ada')).length, 0);
  await other.close();
});

test('the files hold no subject, no claim, no meta data and no secret of a token', async (t) => {
  const at = storePath(t);
  const service = await StoreService.open(at);
  const pair = await service.sessions.start(
    'subject-c4n4ry',
    { claim: 'claim-c4n4ry' },
    { meta: { device: 'meta-c4n4ry' } },
  );
  const bytes = Buffer.from(pair.refreshToken, 'base64url');
  const [secret, tag] = [bytes.subarray(25, 41), bytes.subarray(41)];
  const parts = Object.entries({ text: 'c4n4ry', token: pair.refreshToken, secret, tag });
  const id = Buffer.from(pair.sessionId.replaceAll('-', ''), 'hex');
  /** The files with the id of the session, which is not encrypted, so that its row is there. */
  const searched = () => {
    const files = readdirSync(at).map((name) => [name, readFileSync(path.join(at, name))]);
    for (const [name, file] of files) {
      for (const [what, part] of parts) assert.ok(!file.includes(part), `${what} is in ${name}`);
    }
    return files.filter(([, file]) => file.includes(id)).map(([name]) => name);
  };
  const [log] = searched();
  assert.match(log, /-wal$/);
  await service.close();
  const [database] = searched();
  assert.notEqual(database, log);
});

test('while the list is full, a session that should end stops working, and its tokens stay valid', async (t) => {
  const at = storePath(t);
  const key = SecretBuffer.from(Buffer.alloc(32, 9));
  const store = await Store.open(at, { key });
  const revocations = new RevocationList({ store, maxEntries: 1 });
  const keys = JwtKey.fromSecret(Buffer.alloc(32, 7), { alg: 'HS256' });
  const issuer = new JwtIssuer({ keys, expiresIn: '1h' });
  const sessions = new Sessions({ issuer, revocations, store, grace: 0 });
  const [one, other] = [await sessions.start('ada'), await sessions.start('ada')];
  await sessions.end(one.sessionId);
  await assert.rejects(sessions.end(other.sessionId), coded('ERR_REVOCATION_FULL'));
  await assert.rejects(sessions.refresh(other.refreshToken), coded('ERR_REVOCATION_FULL'));
  assert.deepEqual(await sessions.list('ada'), []);
  await assert.rejects(sessions.endAll('ada'), coded('ERR_REVOCATION_FULL'));
  const verifier = new JwtVerifier({ keys, issuer: false, audience: false, revocations });
  assert.equal(verifier.tryVerify(one.accessToken).code, 'ERR_JWT_REVOKED');
  assert.equal(verifier.tryVerify(other.accessToken).code, undefined);
  await store.close();
});
