'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { JwtIssuer, JwtKey, JwtVerifier, RevocationList } = require('@nodesec/native');
const { coded } = require('../helpers/outcome.js');
const { KID, assertRejected, craftClaims, now, verifier } = require('../helpers/tokens.js');

const SOON = now() + 3600;
const CLAIMS = { jti: 'id', sid: 'session', sub: 'subject', iss: 'me' };
const token = (claims) => craftClaims({ ...CLAIMS, ...claims });

test('a token is refused by each kind of entry', async () => {
  for (const revoke of [
    (list) => list.revoke({ jti: 'id', exp: SOON, iss: 'me', other: 1 }),
    (list) => list.revoke({ jti: 'id', exp: SOON }),
    (list) => list.revokeSync({ jti: 'id', exp: SOON }),
    (list) => list.revokeId('id', SOON),
    (list) => list.revokeIdSync('id', new Date(SOON * 1000)),
    (list) => list.revokeSession('session', SOON),
    (list) => list.revokeSessionSync('session', SOON, { issuer: 'me' }),
    (list) => list.revokeSubject('subject'),
    (list) => list.revokeSubject('subject', new Date()),
    (list) => list.revokeSubjectSync('subject', now(), { issuer: 'me' }),
    (list) => list.revokeKey(KID),
    (list) => list.revokeKeySync(KID),
  ]) {
    const revocations = new RevocationList();
    const policy = verifier({ revocations });
    assert.equal(policy.verify(token()).sub, 'subject');
    assert.equal(revocations.size, 0);
    await revoke(revocations);
    assert.equal(revocations.size, 1);
    assertRejected(policy, token(), 'ERR_JWT_REVOKED');
    assert.equal(revocations.isRevoked({ ...CLAIMS, iat: now() - 10, kid: KID }), true);
    assert.equal(verifier().verify(token()).sub, 'subject');
  }
});

test('a token is not refused by an entry for another', async () => {
  const revocations = new RevocationList();
  for (const name of ['ID', 'session', 'subject', 'k1', 'me']) {
    await revocations.revokeId(name, SOON);
  }
  for (const name of ['id', 'Session', 'subject']) await revocations.revokeSession(name, SOON);
  for (const name of ['id', 'session', 'Subject']) await revocations.revokeSubject(name);
  for (const name of ['id', 'session', 'subject']) await revocations.revokeKey(name);
  await revocations.revokeId('id', SOON, { issuer: 'you' });
  await revocations.revokeSubject('subject', now() - 60);
  assert.equal(verifier({ revocations }).tryVerify(token()).ok, true);
});

test('a revocation of one issuer’s is not of another’s', () => {
  const list = new RevocationList();
  list.revokeIdSync('id', SOON, { issuer: 'me' });
  assert.equal(list.isRevoked({ jti: 'id', iss: 'me' }), true);
  assert.equal(list.isRevoked({ jti: 'id', iss: 'you' }), false);
  assert.equal(list.isRevoked({ jti: 'id' }), false);
  list.revokeIdSync('id', SOON);
  assert.equal(list.isRevoked({ jti: 'id', iss: 'you' }), true);
  assert.equal(list.isRevoked({ jti: 'id' }), true);
});

test('a subject is revoked until a moment', () => {
  const list = new RevocationList();
  const moment = now() - 100;
  list.revokeSubjectSync('subject', moment);
  const at = (iat) => list.isRevoked({ sub: 'subject', iat });
  assert.deepEqual([at(0), at(moment - 1), at(moment), at(moment + 0.9)], [true, true, true, true]);
  assert.deepEqual([at(moment + 1), at(now())], [false, false]);
  // A token without `iat` may have been issued before that moment, so it counts as revoked.
  assert.equal(at(undefined), true);
  list.revokeSubjectSync('subject', moment - 50);
  assert.equal(at(moment), true);
});

test('with a list, a token must be one that can be taken back', () => {
  const revocations = new RevocationList({ maxTokenTtl: '1h' });
  const policy = verifier({ revocations });
  const refused = (claims, claim, reason) =>
    assertRejected(policy, token(claims), 'ERR_JWT_CLAIM', { claim, reason });
  refused({ jti: undefined }, 'jti', 'missing');
  refused({ iat: undefined }, 'iat', 'missing');
  refused({ iat: now() - 10, exp: now() + 3600 }, 'exp', 'mismatch');
  assert.ok(policy.verify(token({ iat: now() - 10, exp: now() + 3500 })));
});

test('a revoked token is refused by every verifier with the list', async () => {
  const revocations = new RevocationList();
  const key = await JwtKey.generate('EdDSA');
  const signed = new JwtIssuer({ keys: key, expiresIn: '15m' }).sign({ sub: 'subject' });
  const policies = [1, 2].map(
    () => new JwtVerifier({ keys: key, issuer: false, audience: false, revocations }),
  );
  const [claims] = policies.map((policy) => policy.verify(signed));
  await revocations.revoke(claims);
  for (const policy of policies) assertRejected(policy, signed, 'ERR_JWT_REVOKED');
});

test('a closed list answers nothing, and nothing is verified against it', async () => {
  const revocations = new RevocationList();
  const policy = verifier({ revocations });
  assert.ok(policy.verify(token()));
  await revocations.close();
  await revocations.close();
  assertRejected(policy, token(), 'ERR_REVOCATION_CLOSED');
  assert.throws(() => revocations.isRevoked({ jti: 'id' }), coded('ERR_REVOCATION_CLOSED'));
  assert.throws(() => revocations.revokeKeySync('kid'), coded('ERR_REVOCATION_CLOSED'));
  await assert.rejects(revocations.revokeKey('kid'), coded('ERR_REVOCATION_CLOSED'));
});

test('a full list says that nothing was revoked', async () => {
  const list = new RevocationList({ maxEntries: 2 });
  await list.revokeId('one', SOON);
  await list.revokeId('two', SOON);
  await assert.rejects(list.revokeId('three', SOON), coded('ERR_REVOCATION_FULL'));
  assert.deepEqual(
    ['one', 'two', 'three'].map((jti) => list.isRevoked({ jti })),
    [true, true, false],
  );
  // An id that is already listed takes no more room.
  await list.revokeId('one', SOON + 1);
  assert.equal(list.size, 2);
});

test('a full list may refuse whatever is older instead', () => {
  const revocations = new RevocationList({ maxEntries: 2, onFull: 'reject-older' });
  const policy = verifier({ revocations });
  for (const jti of ['one', 'two', 'three']) revocations.revokeIdSync(jti, SOON);
  assert.equal(revocations.size, 1);
  assertRejected(policy, token({ jti: 'nobody’s' }), 'ERR_JWT_REVOKED');
  const { rejectsIssuedUntil } = revocations.stats();
  // The verifier tolerates an `iat` that is 5 s ahead.
  assert.ok(rejectsIssuedUntil > now() && rejectsIssuedUntil <= now() + 5);
  assert.equal(revocations.isRevoked({ jti: 'x', iat: rejectsIssuedUntil + 1 }), false);
});

test('stats counts entries by kind', async () => {
  const list = new RevocationList({ maxEntries: 10 });
  list.revokeIdSync('a', SOON);
  list.revokeIdSync('a', SOON);
  list.revokeSessionSync('a', SOON);
  list.revokeSubjectSync('a');
  list.revokeKeySync('a');
  assert.equal(list.size, 4);
  assert.deepEqual(list.stats(), {
    ids: 1,
    sessions: 1,
    subjects: 1,
    keys: 1,
    all: 0,
    maxEntries: 10,
    rejectsIssuedUntil: 0,
  });
});

test('expired entries make room once the time has been proven for an hour', () => {
  let time = Date.UTC(2031, 0, 1);
  const list = new RevocationList({ maxEntries: 10, clock: () => new Date(time) });
  for (let n = 0; n < 10; n++) list.revokeIdSync(`id ${n}`, now() - 100_000);
  assert.throws(() => list.revokeIdSync('id', SOON), coded('ERR_REVOCATION_FULL'));
  time += 3_600_000;
  for (let n = 0; n < 1000; n++) list.revokeIdSync(`id ${n}`, now() - 100_000);
  const end = time / 1000 + 60;
  list.revokeIdSync('id', end);
  assert.ok(list.size <= 10);
  assert.equal(list.isRevoked({ jti: 'id' }), true);
});

test('ids may be any text', () => {
  const list = new RevocationList();
  for (const jti of ['\0', '🐎', 'a\0b', '__proto__', 'x'.repeat(10_000)]) {
    list.revokeIdSync(jti, SOON);
    assert.equal(list.isRevoked({ jti }), true);
    assert.equal(list.isRevoked({ jti: `${jti} ` }), false);
  }
  assert.throws(() => list.revokeIdSync('x'.repeat(20_000), SOON), coded('ERR_OUT_OF_RANGE'));
});

test('a subject that is revoked now may log in again at once, if its tokens prove their time', async () => {
  const revocations = new RevocationList();
  const key = await JwtKey.generate('EdDSA');
  const issuer = new JwtIssuer({ keys: key, expiresIn: '15m' });
  const policy = new JwtVerifier({ keys: key, issuer: false, audience: false, revocations });
  const before = issuer.sign({ sub: 'subject' });
  await revocations.revokeSubject('subject');
  assertRejected(policy, before, 'ERR_JWT_REVOKED');
  for (const end = Date.now(); Date.now() <= end; );
  assert.equal(policy.verify(issuer.sign({ sub: 'subject' })).sub, 'subject');
  // A clock that is ahead, and no proof.
  assertRejected(verifier({ revocations }), token({ iat: now() + 4 }), 'ERR_JWT_REVOKED');
  assert.equal(revocations.isRevoked({ sub: 'subject', iat: now() + 4 }), true);
  assert.equal(revocations.isRevoked({ sub: 'subject', iat: now() + 9 }), false);
  // A moment that is given is taken as it is.
  const exact = new RevocationList();
  verifier({ revocations: exact });
  exact.revokeSubjectSync('subject', now());
  assert.equal(exact.isRevoked({ sub: 'subject', iat: now() + 4 }), false);
});

test('all tokens of an issuer, or of any, are revoked until a moment', async () => {
  const key = await JwtKey.generate('EdDSA');
  const issuer = new JwtIssuer({ keys: key, issuer: 'me', expiresIn: '15m' });
  for (const options of [undefined, {}, { issuer: 'me' }, { issuedBefore: new Date() }]) {
    const revocations = new RevocationList();
    const policy = new JwtVerifier({ keys: key, issuer: 'me', audience: false, revocations });
    const before = issuer.sign({ sub: 'subject' });
    assert.equal(policy.tryVerify(before).ok, true);
    await revocations.revokeAll(options);
    assertRejected(policy, before, 'ERR_JWT_REVOKED');
    assert.deepEqual([revocations.stats().all, revocations.size], [1, 1]);
    if (options?.issuedBefore !== undefined) continue;
    // A token of ours proves that it was issued later, so that a user can log in again at once.
    for (const end = Date.now(); Date.now() <= end; );
    assert.equal(policy.tryVerify(issuer.sign({ sub: 'subject' })).ok, true);
  }
  const other = new RevocationList();
  other.revokeAllSync({ issuer: 'you' });
  const policy = new JwtVerifier({ keys: key, issuer: 'me', audience: false, revocations: other });
  assert.equal(policy.tryVerify(issuer.sign({})).ok, true);
  other.revokeAllSync({ issuer: 'me', issuedBefore: now() - 100 });
  const at = (iat) => other.isRevoked({ iss: 'me', iat });
  assert.deepEqual([at(now() - 200), at(now() - 50), at(undefined)], [true, false, true]);
});

test('times of issue that are absurd are refused, and revoke nothing', () => {
  const list = new RevocationList();
  for (const issuedBefore of [NaN, -1, Infinity, 2 ** 53, new Date(NaN), '1', {}, null]) {
    assert.throws(() => list.revokeAllSync({ issuedBefore }), /issuedBefore/, String(issuedBefore));
  }
  for (const issuer of [1, '\ud800', 'x'.repeat(10_000_000), {}]) {
    assert.throws(() => list.revokeAllSync({ issuer }), /issuer/);
  }
  assert.throws(() => list.revokeAllSync({ iss: 'me' }), coded('ERR_UNKNOWN_OPTION'));
  assert.equal(list.size, 0);
});

test('a clock that goes back lets no token pass that was issued before revokeSubject', () => {
  const start = Date.UTC(2031, 0, 1);
  for (const back of [5_000, 3_600_000]) {
    let ms = start + 700;
    const clock = () => new Date(ms);
    const revocations = new RevocationList({ clock });
    const key = JwtKey.fromSecret(new Uint8Array(32).fill(1), { alg: 'HS256' });
    const issuer = new JwtIssuer({ keys: key, expiresIn: '15m', clock });
    const policy = new JwtVerifier({ keys: key, issuer: false, audience: false, revocations, clock });
    const token = issuer.sign({ sub: 'subject' });
    assert.equal(policy.tryVerify(token).ok, true);
    ms -= back;
    revocations.revokeSubjectSync('subject');
    ms += back;
    assertRejected(policy, token, 'ERR_JWT_REVOKED');
    ms += 1;
    assert.equal(policy.tryVerify(issuer.sign({ sub: 'subject' })).ok, true);
  }
});
