'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { JwtIssuer, JwtKey, JwtVerifier, RevocationList, Sessions, uuidv7 } =
  require('@nodesec/native');
const { coded } = require('../helpers/outcome.js');

const key = JwtKey.fromSecret(Buffer.alloc(32, 7), { alg: 'HS256' });

function service(options, issuerOptions) {
  const revocations = new RevocationList();
  const issuer = new JwtIssuer({ keys: key, issuer: 'me', expiresIn: '15m', ...issuerOptions });
  const sessions = new Sessions({ issuer, revocations, ...options });
  const verifier = new JwtVerifier({ keys: key, issuer: 'me', audience: false, revocations });
  return { sessions, verifier, revocations, issuer };
}

const code = (verifier, { accessToken }) => verifier.tryVerify(accessToken).code;

test('a session begins with a pair', async () => {
  const { sessions, verifier } = service();
  const pair = await sessions.start('subject', { role: 'admin', tenant: { id: 1 } });
  assert.deepEqual(Object.keys(pair).sort(), [
    'accessToken',
    'expiresIn',
    'refreshExpiresAt',
    'refreshToken',
    'sessionId',
  ]);
  assert.equal(pair.expiresIn, 900);
  const { sub, sid, role, tenant } = verifier.verify(pair.accessToken);
  assert.deepEqual([sub, sid], ['subject', pair.sessionId]);
  assert.deepEqual({ role, tenant }, { role: 'admin', tenant: { id: 1 } });
  assert.ok(!pair.refreshToken.includes('.'));
  assert.equal(verifier.tryVerify(pair.refreshToken).code, 'ERR_JWT_MALFORMED');
});

test('a pair tells when its refresh token expires', async () => {
  const { sessions } = service({ refreshTtl: 3600, idleTtl: 600 });
  const lifeOf = ({ refreshExpiresAt }) => (refreshExpiresAt.getTime() - Date.now()) / 1000;
  const about = (seconds, pair) => assert.ok(Math.abs(lifeOf(pair) - seconds) < 60, lifeOf(pair));
  const first = await sessions.start('subject');
  about(600, first);
  const { pair } = await sessions.refresh(first.refreshToken);
  about(600, pair);
  const replayed = await sessions.refresh(first.refreshToken);
  assert.deepEqual(replayed.pair.refreshExpiresAt, pair.refreshExpiresAt);
  const [listed] = await sessions.list('subject');
  assert.deepEqual(listed.expiresAt, pair.refreshExpiresAt);
  about(300, await service({ refreshTtl: 300 }).sessions.start('subject'));
});

test('a refresh token ends its session, even when it is used up', async () => {
  const { sessions, verifier } = service();
  for (const refreshes of [0, 1, 2]) {
    const first = await sessions.start('subject');
    let latest = first;
    for (let n = 0; n < refreshes; n++) ({ pair: latest } = await sessions.refresh(latest.refreshToken));
    assert.equal(await sessions.endByRefreshToken(first.refreshToken), true);
    assert.equal(code(verifier, latest), 'ERR_JWT_REVOKED');
    assert.equal((await sessions.refresh(latest.refreshToken)).status, 'unknown');
    assert.equal(await sessions.endByRefreshToken(first.refreshToken), false);
  }
});

test('a text that is no refresh token of the table ends nothing', async () => {
  const { sessions, verifier } = service();
  const pair = await sessions.start('subject');
  const { refreshToken: foreign } = await service().sessions.start('subject');
  const changed = pair.refreshToken.replace(/.$/, (last) => (last === 'A' ? 'E' : 'A'));
  for (const token of ['', 'x', pair.accessToken, foreign, changed, 'x'.repeat(10_000)]) {
    assert.equal(await sessions.endByRefreshToken(token), false);
  }
  assert.equal(code(verifier, pair), undefined);
});

test('an issuer without token ids is refused, since verifiers with a list refuse its tokens', () => {
  assert.throws(() => service({}, { jti: false }), coded('ERR_INVALID_ARG_VALUE'));
});

test('a refresh rotates and keeps session and claims', async () => {
  const { sessions, verifier } = service();
  const first = await sessions.start('subject', { role: 'admin' });
  let current = first;
  for (let n = 0; n < 5; n++) {
    const { status, pair } = await sessions.refresh(current.refreshToken);
    assert.equal(status, 'rotated');
    assert.notEqual(pair.refreshToken, current.refreshToken);
    assert.equal(pair.sessionId, first.sessionId);
    const { sub, sid, role } = verifier.verify(pair.accessToken);
    assert.deepEqual([sub, sid, role], ['subject', first.sessionId, 'admin']);
    current = pair;
  }
});

test('a client that refreshes twice at once gets one successor', async () => {
  const { sessions, verifier } = service();
  const { refreshToken } = await sessions.start('subject');
  const [one, two] = await Promise.all([1, 2].map(() => sessions.refresh(refreshToken)));
  assert.deepEqual([one.status, two.status], ['rotated', 'replayed']);
  assert.equal(one.pair.refreshToken, two.pair.refreshToken);
  assert.equal(verifier.tryVerify(two.pair.accessToken).ok, true);
  assert.equal((await sessions.refresh(two.pair.refreshToken)).status, 'rotated');
});

test('reuse ends the session', async () => {
  const { sessions, verifier } = service({ grace: 0 });
  const first = await sessions.start('subject');
  const { pair } = await sessions.refresh(first.refreshToken);
  const { sessionId } = first;
  const reuse = await sessions.refresh(first.refreshToken);
  assert.deepEqual(reuse, { status: 'reuse', sessionId, subject: 'subject' });
  assert.deepEqual(await sessions.refresh(pair.refreshToken), { status: 'unknown' });
  for (const each of [first, pair]) assert.equal(code(verifier, each), 'ERR_JWT_REVOKED');
  assert.deepEqual(await sessions.list('subject'), []);
});

test('an older generation is reuse within the grace period, too', async () => {
  const { sessions } = service({ grace: 300 });
  const first = await sessions.start('subject');
  const second = (await sessions.refresh(first.refreshToken)).pair;
  await sessions.refresh(second.refreshToken);
  assert.equal((await sessions.refresh(first.refreshToken)).status, 'reuse');
});

test('reuse of one session leaves the others', async () => {
  const { sessions, verifier } = service({ grace: 0 });
  const [stolen, other] = [await sessions.start('subject'), await sessions.start('subject')];
  await sessions.refresh(stolen.refreshToken);
  await sessions.refresh(stolen.refreshToken);
  assert.equal(code(verifier, other), undefined);
  assert.equal((await sessions.refresh(other.refreshToken)).status, 'rotated');
});

test('a foreign or changed refresh token is unknown, and ends no session', async () => {
  const { sessions } = service();
  const { refreshToken } = await sessions.start('subject');
  const theirs = await service().sessions.start('subject');
  const flip = (at) =>
    refreshToken.slice(0, at) +
    (refreshToken[at] === 'A' ? 'B' : 'A') +
    refreshToken.slice(at + 1);
  for (const token of [
    '',
    'garbage',
    '\0',
    'é',
    theirs.refreshToken,
    theirs.accessToken,
    refreshToken.slice(1),
    `${refreshToken}A`,
    `${refreshToken}=`,
    'A'.repeat(65_536),
    ...Array.from({ length: refreshToken.length }, (_, at) => flip(at)),
  ]) {
    assert.deepEqual(await sessions.refresh(token), { status: 'unknown' }, token.slice(0, 100));
  }
  assert.equal((await sessions.refresh(refreshToken)).status, 'rotated');
});

test('end revokes the tokens of one session', async () => {
  const { sessions, verifier } = service();
  const [one, other] = [await sessions.start('subject'), await sessions.start('subject')];
  await sessions.end(one.sessionId);
  await sessions.end(one.sessionId);
  assert.equal(code(verifier, one), 'ERR_JWT_REVOKED');
  assert.deepEqual(await sessions.refresh(one.refreshToken), { status: 'unknown' });
  assert.equal(code(verifier, other), undefined);
  await sessions.end(uuidv7());
});

test('endAll ends a subject’s sessions, and a new one may start at once', async () => {
  const { sessions, verifier } = service();
  const pairs = [await sessions.start('subject'), await sessions.start('subject')];
  const somebody = await sessions.start('somebody');
  await sessions.endAll('subject');
  for (const pair of pairs) {
    assert.equal(code(verifier, pair), 'ERR_JWT_REVOKED');
    assert.deepEqual(await sessions.refresh(pair.refreshToken), { status: 'unknown' });
  }
  assert.equal(code(verifier, somebody), undefined);
  const again = await sessions.start('subject');
  assert.equal(code(verifier, again), undefined);
  assert.equal((await sessions.refresh(again.refreshToken)).status, 'rotated');
  await sessions.endAll('nobody');
});

test('list gives a subject’s sessions with their times', async () => {
  const { sessions } = service({ refreshTtl: '30d', idleTtl: '7d' });
  assert.deepEqual(await sessions.list('subject'), []);
  const pairs = [await sessions.start('subject'), await sessions.start('subject')];
  const list = await sessions.list('subject');
  assert.deepEqual(list.map(({ sessionId }) => sessionId), pairs.map((pair) => pair.sessionId));
  for (const { startedAt, usedAt, expiresAt } of list) {
    assert.ok([startedAt, usedAt, expiresAt].every((date) => date instanceof Date));
    assert.equal(expiresAt - usedAt, 7 * 24 * 3600 * 1000);
    assert.equal(+startedAt, +usedAt);
  }
  await sessions.end(pairs[0].sessionId);
  assert.equal((await sessions.list('subject')).length, 1);
});

test('a claim that a session sets itself is refused', async () => {
  const { sessions } = service();
  for (const claims of [{ sub: 'x' }, { sid: 'x' }, { iat: 1 }, { jti: 'x' }, { iss: 'x' }]) {
    await assert.rejects(sessions.start('subject', claims), coded('ERR_JWT_CLAIM'));
  }
  assert.deepEqual(await sessions.list('subject'), []);
});

test('subjects may be any text', async () => {
  const { sessions, verifier } = service();
  for (const subject of ['"', '\\', '\0', '🐎', '__proto__', 'x'.repeat(1024)]) {
    const pair = await sessions.start(subject);
    assert.equal(verifier.verify(pair.accessToken).sub, subject);
    assert.equal((await sessions.list(subject)).length, 1);
  }
  await assert.rejects(sessions.start('x'.repeat(1025)), coded('ERR_OUT_OF_RANGE'));
});

test('sessions are bounded by maxSessions', async () => {
  const { sessions } = service({ maxSessions: 2 });
  const { sessionId } = await sessions.start('one');
  await sessions.start('two');
  await assert.rejects(sessions.start('three'), coded('ERR_SESSION_FULL'));
  await sessions.end(sessionId);
  await sessions.start('three');
});

test('access tokens must not outlive the list’s memory', () => {
  const { issuer } = service();
  const revocations = new RevocationList({ maxTokenTtl: 60 });
  assert.throws(() => new Sessions({ issuer, revocations }), coded('ERR_OUT_OF_RANGE'));
});

test('with a closed list nothing ends in silence', async () => {
  const { sessions, revocations } = service();
  const { sessionId } = await sessions.start('subject');
  await revocations.close();
  await assert.rejects(sessions.end(sessionId), coded('ERR_REVOCATION_CLOSED'));
  await assert.rejects(sessions.endAll('subject'), coded('ERR_REVOCATION_CLOSED'));
});

test('meta data are listed, are in no token, and stay until a refresh replaces them', async () => {
  const { sessions, verifier } = service();
  const meta = { device: 'phone', seen: [1, { deep: null }], __proto__: null };
  const pair = await sessions.start('subject', { role: 'admin' }, { meta });
  await sessions.start('subject');
  const metas = async () => (await sessions.list('subject')).map((info) => info.meta);
  assert.deepEqual(await metas(), [{ ...meta }, undefined]);
  const claims = verifier.verify(pair.accessToken);
  assert.ok(!JSON.stringify(claims).includes('phone'));
  const { pair: next } = await sessions.refresh(pair.refreshToken, { meta: undefined });
  assert.deepEqual((await metas())[0], { ...meta });
  await sessions.refresh(next.refreshToken, { meta: { device: 'other' } });
  assert.deepEqual((await metas())[0], { device: 'other' });
  assert.ok(!('meta' in (await sessions.list('subject'))[1]));
});

test('claims of a refresh replace those of the session from there on', async () => {
  const { sessions, verifier } = service();
  const { refreshToken } = await sessions.start('subject', { role: 'admin', tenant: 1 });
  const demoted = await sessions.refresh(refreshToken, { claims: { role: 'user' } });
  const later = await sessions.refresh(demoted.pair.refreshToken);
  const replayed = await sessions.refresh(demoted.pair.refreshToken, { claims: { role: 'guest' } });
  assert.equal(replayed.status, 'replayed');
  const last = await sessions.refresh(later.pair.refreshToken);
  const roles = [demoted, later, replayed, last].map(({ pair }) => {
    const { role, tenant, sub } = verifier.verify(pair.accessToken);
    assert.deepEqual([tenant, sub], [undefined, 'subject']);
    return role;
  });
  assert.deepEqual(roles, ['user', 'user', 'guest', 'guest']);
});

test('an array of claims that is long stays whole', async () => {
  const { sessions, verifier } = service();
  const groups = Array.from({ length: 2000 }, (_, at) => at);
  const { refreshToken } = await sessions.start('subject');
  const { pair } = await sessions.refresh(refreshToken, { claims: { groups } });
  assert.deepEqual(verifier.verify(pair.accessToken).groups, groups);
});

test('options are read once, and a refused one uses no token up', async () => {
  const { sessions } = service({ grace: 0 });
  const { refreshToken } = await sessions.start('subject');
  let reads = 0;
  const meta = { get device() { return (reads += 1); } };
  for (const [options, expected] of [
    [{ meta: new Map() }, 'ERR_INVALID_ARG_TYPE'],
    [{ meta: { long: 'x'.repeat(4096) } }, 'ERR_OUT_OF_RANGE'],
    [{ meta: { long: 'x'.repeat(10_000_000) } }, 'ERR_OUT_OF_RANGE'],
    [{ meta: { big: 1n } }, 'ERR_INVALID_ARG_VALUE'],
    [{ claims: { sub: 'other' } }, 'ERR_JWT_CLAIM'],
    [{ claims: { big: 1n } }, 'ERR_JWT_CLAIM'],
    [{ claims: null }, 'ERR_INVALID_ARG_TYPE'],
    [Object.create({ meta }), 'ERR_INVALID_ARG_TYPE'],
  ]) {
    await assert.rejects(sessions.refresh(refreshToken, options), coded(expected));
  }
  const tooLong = { meta: { long: 'x'.repeat(20_000) } };
  await assert.rejects(sessions.refresh(refreshToken, tooLong), /meta must .* 4096 bytes/);
  const thrown = new Error('from a getter');
  const throwing = { get meta() { throw thrown; } };
  await assert.rejects(sessions.refresh(refreshToken, throwing), thrown);
  const { status } = await sessions.refresh(refreshToken, { meta });
  assert.equal(status, 'rotated');
  assert.deepEqual((await sessions.list('subject'))[0].meta, { device: 1 });
  assert.equal(reads, 1);
});

test('with retryUntilUsed a lost response costs no session, and a voided token is reuse', async () => {
  const { sessions, verifier } = service({ grace: 0, retryUntilUsed: true });
  const first = await sessions.start('subject');
  const { pair: lost } = await sessions.refresh(first.refreshToken);
  const { status, pair } = await sessions.refresh(first.refreshToken);
  assert.equal(status, 'rotated');
  assert.notEqual(pair.refreshToken, lost.refreshToken);
  assert.equal((await sessions.refresh(lost.refreshToken)).status, 'reuse');
  assert.equal((await sessions.refresh(pair.refreshToken)).status, 'unknown');
  assert.equal(code(verifier, pair), 'ERR_JWT_REVOKED');
});

test('a subject has at most a tenth of all sessions, unless it is told otherwise', async () => {
  const { sessions } = service({ maxSessions: 20 });
  await sessions.start('one');
  const { sessionId } = await sessions.start('one');
  await assert.rejects(sessions.start('one'), coded('ERR_SESSION_LIMIT'));
  await sessions.start('another');
  await sessions.end(sessionId);
  await sessions.start('one');
});

test('the oldest session of a subject ends for a new one', async () => {
  const { sessions, verifier } = service({ maxSessionsPerSubject: 1, onSessionLimit: 'end-oldest' });
  const [first, second] = [await sessions.start('subject'), await sessions.start('subject')];
  assert.equal(code(verifier, first), 'ERR_JWT_REVOKED');
  assert.equal((await sessions.refresh(first.refreshToken)).status, 'unknown');
  assert.equal(code(verifier, second), undefined);
  const listed = await sessions.list('subject');
  assert.deepEqual(listed.map(({ sessionId }) => sessionId), [second.sessionId]);
});

test('while all of many sessions end, other work goes on', async () => {
  const { sessions, verifier } = service();
  const pairs = [];
  for (let at = 0; at < 2000; at += 1) pairs.push(await sessions.start('subject'));
  let turns = 0;
  const timer = setInterval(() => (turns += 1));
  let left = 0;
  const count = () => {
    turns += 1;
    immediate = setImmediate(count);
  };
  let immediate = setImmediate(count);
  const ending = sessions.endAll('subject');
  const after = await sessions.start('subject');
  await ending;
  clearInterval(timer);
  clearImmediate(immediate);
  // At most 128 sessions end between two turns of the event loop.
  assert.ok(turns >= 2000 / 128 - 1, `${turns}`);
  for (const pair of pairs) left += code(verifier, pair) === 'ERR_JWT_REVOKED' ? 0 : 1;
  assert.equal(left, 0);
  assert.equal(code(verifier, after), undefined);
  assert.equal((await sessions.list('subject')).length, 1);
});
