'use strict';

// Access tokens of OAuth 2.0 (RFC 9068).

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { JwtIssuer, JwtVerifier } = require('@nodesec/native');
const { SignJWT } = require('jose');
const { coded } = require('../helpers/outcome.js');
const { KID, SECRET, assertRejected, craft, key, now } = require('../helpers/tokens.js');

const POLICY = { keys: key, issuer: 'https://id.example', audience: 'api' };
const verifier = (options) => JwtVerifier.accessToken({ ...POLICY, ...options });

const HEADER = { alg: 'HS256', typ: 'at+jwt', kid: KID };
const CLAIMS = {
  iss: POLICY.issuer,
  exp: now() + 1000,
  aud: POLICY.audience,
  sub: 'alice',
  client_id: 'app',
  iat: now() - 10,
  jti: 'j',
};

test("this library's own issuer makes them", () => {
  const { issuer, audience, keys } = POLICY;
  const options = { keys, issuer, audience, expiresIn: '10m', typ: 'at+jwt' };
  const token = new JwtIssuer(options).sign({ sub: 'alice', client_id: 'app', scope: 'read' });
  const one = verifier({ requiredClaims: ['scope'], maxAge: '1h', cache: true });
  assert.ok(one instanceof JwtVerifier);
  assert.equal(one.verify(token).scope, 'read');
  assert.equal(one.verify(token).client_id, 'app');
  assert.equal(one.tryVerify(token).header.typ, 'at+jwt');
});

test("jose's are verified", async () => {
  const { exp, iat, ...claims } = CLAIMS;
  const token = await new SignJWT(claims)
    .setProtectedHeader({ alg: 'HS256', typ: 'application/at+jwt' })
    .setExpirationTime(exp)
    .setIssuedAt(iat)
    .sign(SECRET);
  assert.deepEqual(verifier().verify(token), CLAIMS);
});

test('a token of another kind is refused', () => {
  const { typ, ...untyped } = HEADER;
  assert.equal(typ, 'at+jwt');
  const missing = { claim: 'typ', reason: 'missing' };
  assertRejected(verifier(), craft(CLAIMS, untyped), 'ERR_JWT_CLAIM', missing);
  const mismatch = { claim: 'typ', reason: 'mismatch' };
  for (const typ of ['JWT', 'id+jwt', 'dpop+jwt', 'at']) {
    assertRejected(verifier(), craft(CLAIMS, { ...HEADER, typ }), 'ERR_JWT_CLAIM', mismatch);
  }
});

test('every claim must be there, and be what it should be', () => {
  for (const claim of Object.keys(CLAIMS)) {
    const { [claim]: _, ...others } = CLAIMS;
    const missing = { claim, reason: 'missing' };
    assertRejected(verifier(), craft(others, HEADER), 'ERR_JWT_CLAIM', missing);
    const mistyped = { claim, reason: 'type' };
    for (const value of [[1], {}, null, true]) {
      const token = craft({ ...CLAIMS, [claim]: value }, HEADER);
      assertRejected(verifier(), token, 'ERR_JWT_CLAIM', mistyped);
    }
  }
  for (const [claim, value] of Object.entries({ iss: 'x', aud: ['x'], iat: now() + 100 })) {
    const token = craft({ ...CLAIMS, [claim]: value }, HEADER);
    assertRejected(verifier(), token, 'ERR_JWT_CLAIM', { claim, reason: 'mismatch' });
  }
  assertRejected(verifier(), craft({ ...CLAIMS, exp: now() }, HEADER), 'ERR_JWT_EXPIRED');
});

test('a token without a signature or with encryption is refused', () => {
  const none = { ...HEADER, alg: 'none' };
  assertRejected(verifier(), craft(CLAIMS, none), 'ERR_JWT_ALGORITHM');
  assertRejected(verifier(), `${craft(CLAIMS, HEADER)}..`, 'ERR_JWT_MALFORMED');
});

test('nothing is waived', () => {
  const refused = (options, code) => assert.throws(() => verifier(options), coded(code));
  for (const name of ['issuer', 'audience']) {
    refused({ [name]: false }, 'ERR_INVALID_ARG_VALUE');
    refused({ [name]: undefined }, 'ERR_MISSING_OPTION');
  }
  for (const name of ['typ', 'requireExp', 'bundle']) {
    refused({ [name]: false }, 'ERR_UNKNOWN_OPTION');
  }
  refused({ keys: undefined }, 'ERR_MISSING_OPTION');
});
