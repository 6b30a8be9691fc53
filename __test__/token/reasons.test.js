'use strict';

// The message of a rejection: a reason on which a developer can act.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { JwtKey, KeyRing, RevocationList, verifyJws } = require('@nodesec/native');
const { coded } = require('../helpers/outcome.js');
const { KID, SECRET, craft, craftClaims, key, now, verifier } = require('../helpers/tokens.js');

const HEADER = { alg: 'HS256', kid: KID };
const good = () => craftClaims({});

test('each kind of rejection says its reason', async () => {
  const other = JwtKey.fromSecret(SECRET, { alg: 'HS256', kid: 'k2' });
  const closed = new RevocationList();
  await closed.close();
  const ring = new KeyRing({ keys: [key] });
  ring.revoke(KID);
  const revocations = new RevocationList({ maxTokenTtl: '1h' });
  const id = { jti: 'j' };
  for (const [options, token, code, message] of [
    [{}, undefined, 'MALFORMED', /^no token was given$/],
    [{}, null, 'MALFORMED', /^no token was given$/],
    [{}, '', 'MALFORMED', /^no token was given$/],
    [{ cache: true }, '', 'MALFORMED', /^no token was given$/],
    [{ maxBytes: 2 ** 20 }, undefined, 'MALFORMED', /^no token was given$/],
    [{}, 42, 'MALFORMED', /^the token is not a string$/],
    [{}, Buffer.from(good()), 'MALFORMED', /^the token is not a string$/],
    [{}, Object(good()), 'MALFORMED', /^the token is not a string$/],
    [{}, 'x'.repeat(16_385), 'MALFORMED', /longer than maxBytes/],
    [{ maxBytes: 2 ** 20 }, 'x'.repeat(2 ** 20 + 1), 'MALFORMED', /longer than maxBytes/],
    [{}, 'x'.repeat(10_000_000), 'MALFORMED', /longer than maxBytes/],
    [{}, `Bearer ${good()}`, 'MALFORMED', /begins with "Bearer "/],
    [{}, 'opaque', 'MALFORMED', /three segments/],
    [{}, 'a.b.c.d.e', 'MALFORMED', /encrypted/],
    [{}, `${good()}=`, 'MALFORMED', /padding: 'allow'/],
    [{}, `${good()}\u00e9`, 'MALFORMED', /not ASCII/],
    [{}, `${good()}\ud800`, 'MALFORMED', /not ASCII/],
    [{}, `${good()}!`, 'MALFORMED', /signature is not base64url/],
    [{}, craft({}, { ...HEADER, b64: false }), 'MALFORMED', /header .*"b64"/],
    [{}, craft('[]'), 'MALFORMED', /payload/],
    [{}, craft({}, { ...HEADER, alg: 'none' }), 'ALGORITHM', /none of the accepted algorithms/],
    [{ keys: [key, other] }, craft({}, { alg: 'HS256' }), 'KEY_NOT_FOUND', /has no "kid"/],
    [{}, craft({}, { ...HEADER, kid: 'k9' }), 'KEY_NOT_FOUND', /no key has the token's "kid"/],
    [{}, craft({}, { ...HEADER, alg: 'HS512' }), 'ALGORITHM', /"kid" is for another algorithm/],
    [{ keys: ring }, good(), 'REVOKED', /the key .* has been revoked/],
    [{}, craftClaims({ exp: now() - 9 }), 'EXPIRED', /its "exp" has passed/],
    [{ maxAge: 5 }, good(), 'EXPIRED', /older than maxAge/],
    [{ maxAge: 5 }, craftClaims({ iat: undefined }), 'CLAIM', /no "iat", from which maxAge/],
    [{}, craftClaims({ nbf: now() + 60 }), 'NOT_ACTIVE', /"nbf" is in the future/],
    [{}, craftClaims({ iat: now() + 60 }), 'CLAIM', /in the future.*clockTolerance/],
    [{}, craftClaims({ exp: Date.now() }), 'CLAIM', /"exp" is not a number of seconds/],
    [{}, craftClaims({ aud: 1 }), 'CLAIM', /"aud" is neither a string nor an array/],
    [{}, craftClaims({ sub: 1 }), 'CLAIM', /"sub" is not a string/],
    [{ issuer: 'i' }, craftClaims({ iss: 'j' }), 'CLAIM', /none of the names in .* issuer/],
    [{ audience: 'a' }, craftClaims({ aud: 'b' }), 'CLAIM', /none of the names in .* audience/],
    [{ claims: { role: 'a' } }, craftClaims({ role: 'b' }), 'CLAIM', /"role" has none of the values/],
    [{ typ: 'at+jwt' }, craft({}, { ...HEADER, typ: 'JWT' }), 'CLAIM', /"typ" is not the type/],
    [{ revocations }, good(), 'CLAIM', /no "jti", so it could not be revoked/],
    [
      { revocations },
      craftClaims({ ...id, exp: now() + 3600 }),
      'CLAIM',
      /lives longer than the revocation list's maxTokenTtl/,
    ],
  ]) {
    const judge = verifier(options);
    const result = judge.tryVerify(token);
    assert.equal(result.code, `ERR_JWT_${code}`, String(message));
    assert.match(result.message, message);
    assert.deepEqual((await judge.verifyMany([token, good()]))[0], result);
    assert.throws(() => judge.verify(token), coded(result.code, { message: result.message }));
    await assert.rejects(judge.verifyAsync(token), coded(result.code, { message: result.message }));
  }
  const { code, message } = verifier({ revocations: closed }).tryVerify(craftClaims(id));
  assert.equal(code, 'ERR_REVOCATION_CLOSED');
  assert.match(message, /list is closed/);
});

test('verifyJws says the same reasons', () => {
  for (const [token, message] of [
    ['', /^no token was given$/],
    ['x'.repeat(16_385), /longer than maxBytes/],
    [`Bearer ${good()}`, /begins with "Bearer "/],
    [`${good()}\u00e9`, /not ASCII/],
    [`${good()}=`, /padding: 'allow'/],
  ]) {
    const call = () => verifyJws(token, key, { algorithms: ['HS256'] });
    assert.throws(call, { name: 'JwtError', code: 'ERR_JWT_MALFORMED', message });
  }
});

test('clockTolerance left out is 5 s for iat and nbf, and 0 for exp', () => {
  for (const [claims, code] of [
    [{ iat: now() + 4 }, undefined],
    [{ nbf: now() + 4 }, undefined],
    [{ iat: now() + 7 }, 'ERR_JWT_CLAIM'],
    [{ nbf: now() + 7 }, 'ERR_JWT_NOT_ACTIVE'],
    [{ exp: now() }, 'ERR_JWT_EXPIRED'],
  ]) {
    assert.equal(verifier().tryVerify(craftClaims(claims)).code, code);
  }
  // A value that is given, even 0, holds for all three.
  const exact = verifier({ clockTolerance: 0 });
  assert.equal(exact.tryVerify(craftClaims({ iat: now() + 2 })).code, 'ERR_JWT_CLAIM');
  assert.equal(exact.tryVerify(craftClaims({ nbf: now() + 2 })).code, 'ERR_JWT_NOT_ACTIVE');
  assert.ok(verifier({ clockTolerance: 5 }).verify(craftClaims({ exp: now() - 3 })));
});
