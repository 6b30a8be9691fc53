'use strict';

// Each way to do a thing reports it once, and a report names a subject only if it is genuine.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const {
  JwtIssuer,
  JwtKey,
  JwtVerifier,
  JwtVerifiers,
  KeyRing,
  PasswordHasher,
  RevocationList,
  Sessions,
  signJws,
  verify,
  verifyJws,
  verifySync,
} = require('@nodesec/native');
const argon2 = require('@nodesec/native/argon2');
const { hashId } = require('@nodesec/native/audit');
const { heard } = require('../helpers/heard.js');
const { outcome } = require('../helpers/outcome.js');
const { FAST, PASSWORD, SECRET, SUBJECT, issuer, key, verifier } = require('../helpers/provocations/call.js');

const expired = () => {
  const clock = () => new Date(1e12);
  const past = new JwtIssuer({ keys: key, expiresIn: '5m', clock });
  return past.sign({ sub: SUBJECT, sid: 'a-session' });
};

test('a token names its subject only if its signature is right', async () => {
  const forge = (token) => `${token.slice(0, -4)}${token.endsWith('AAAA') ? 'BBBB' : 'AAAA'}`;
  const strict = { issuer: 'https://id.example', audience: 'api', maxAge: '1s' };
  const claims = { sub: SUBJECT, sid: 'a-session' };
  const other = JwtKey.fromSecret(Buffer.from(`${SECRET} of another`), { alg: 'HS256' });
  const closed = new RevocationList();
  await closed.close();
  const cases = [
    [verifier, expired()],
    [new JwtVerifier({ keys: key, ...strict }), issuer.sign(claims)],
    [verifier, issuer.sign(claims, { notBefore: '1m' })],
    [
      new JwtVerifier({ keys: key, issuer: false, audience: false, requiredClaims: ['scope'] }),
      issuer.sign(claims),
    ],
    [
      new JwtVerifier({ keys: key, issuer: false, audience: false, revocations: closed }),
      issuer.sign(claims),
    ],
  ];
  for (const [judge, token] of cases) {
    const [genuine, forged] = await heard(() => {
      assert.ok(!judge.tryVerify(token).ok);
      assert.ok(!judge.tryVerify(forge(token)).ok);
    });
    assert.equal(genuine.subject, hashId('subject', SUBJECT), genuine.code);
    assert.equal(genuine.session, hashId('session', 'a-session'));
    assert.equal(forged.code, 'ERR_JWT_SIGNATURE');
    assert.deepEqual([forged.subject, forged.session, forged.tokenId], [undefined, undefined, undefined]);
  }
  const foreign = new JwtIssuer({ keys: other, expiresIn: '5m' }).sign(claims);
  const [unknown] = await heard(() => verifier.tryVerify(foreign));
  assert.equal(unknown.subject, undefined);
  const [revoked] = await heard(() => {
    const ring = new KeyRing({ keys: [key] });
    ring.revoke(key.kid);
    new JwtVerifier({ keys: ring, issuer: false, audience: false }).tryVerify(forge(foreign));
    new JwtVerifier({ keys: ring, issuer: false, audience: false }).tryVerify(forge(issuer.sign(claims)));
  }).then((events) => events.filter(({ code }) => code === 'ERR_JWT_REVOKED'));
  assert.equal(revoked.subject, undefined);
});

test('each way to verify reports a refused token once, and an accepted one never', async () => {
  const good = issuer.sign({ sub: SUBJECT });
  const bad = expired();
  const named = new JwtVerifier({ keys: key, issuer: 'https://id.example', audience: false });
  const several = new JwtVerifiers({ 'https://id.example': named });
  const cached = new JwtVerifier({ keys: key, issuer: false, audience: false, cache: true });
  const ways = [verifier, cached, several].flatMap((one) => [
    () => one.verify(bad),
    () => one.tryVerify(bad),
    () => one.verifyAsync(bad),
    () => one.tryVerifyAsync(bad),
    () => one.verifyMany([bad]),
  ]);
  ways.push(() => verifyJws('a.b.c', key, { algorithms: ['HS256'] }));
  ways.push(() => verifier.tryVerify('x'.repeat(100_000)));
  ways.push(() => verifier.tryVerify(42));
  for (const way of ways) {
    const events = await heard(() => outcome(way));
    assert.deepEqual(events.map(({ event }) => event), ['token.refused'], String(way));
  }
  const quiet = await heard(async () => {
    verifier.verify(good);
    cached.verify(good);
    cached.verify(good);
    await verifier.verifyMany([good, good]);
    verifyJws(signJws('payload', key), key, { algorithms: ['HS256'] });
  });
  assert.deepEqual(quiet, []);
});

test('each way to verify a password reports it once', async () => {
  const hasher = new PasswordHasher(FAST);
  const digest = await hasher.hash(PASSWORD);
  const ways = [
    (password) => verify(digest, password),
    (password) => verifySync(digest, password),
    (password) => hasher.verify(digest, password),
    (password) => hasher.verifyAndUpdate(digest, password),
    (password) => argon2.verify(digest, password),
  ];
  for (const way of ways) {
    const events = await heard(async () => {
      await way(PASSWORD);
      await way('another');
    });
    const expected = ['password.verified', 'password.refused'];
    assert.deepEqual(events.map(({ event }) => event), expected, String(way));
  }
  const [missing] = await heard(() => hasher.verifyAndUpdate(null, PASSWORD));
  assert.equal(missing.event, 'password.refused');
});

test('each way to revoke reports what it has revoked', async () => {
  const list = new RevocationList();
  const soon = Date.now() / 1000 + 60;
  const events = await heard(async () => {
    await list.revoke({ jti: 'one', exp: soon });
    await list.revokeId('two', soon);
    await list.revokeSession('three', soon);
    await list.revokeSubject(SUBJECT);
    await list.revokeKey('four');
    await outcome(() => list.revokeId('', soon));
  });
  assert.deepEqual(
    events.map(({ kind, tokenId, session, subject, kid }) => [kind, tokenId ?? session ?? subject ?? kid]),
    [
      ['token', hashId('tokenId', 'one')],
      ['token', hashId('tokenId', 'two')],
      ['session', hashId('session', 'three')],
      ['subject', hashId('subject', SUBJECT)],
      ['key', 'four'],
    ],
  );
});

test('each way to end a session reports it', async () => {
  const sessions = new Sessions({ issuer, revocations: new RevocationList(), refreshTtl: '1h' });
  const [one, two] = [await sessions.start(SUBJECT), await sessions.start(SUBJECT)];
  const events = await heard(async () => {
    await sessions.end(one.sessionId);
    assert.equal(await sessions.endByRefreshToken(two.refreshToken), true);
    assert.equal(await sessions.endByRefreshToken(two.refreshToken), false);
    await sessions.endAll(SUBJECT);
  });
  assert.deepEqual(
    events.map(({ event, session, subject }) => [event, session ?? subject]),
    [
      ['session.ended', hashId('session', one.sessionId)],
      ['session.ended', hashId('session', two.sessionId)],
      ['session.refused', undefined],
      ['session.ended', hashId('subject', SUBJECT)],
    ],
  );
});
