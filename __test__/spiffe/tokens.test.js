'use strict';

// JWT-SVIDs as SPIRE issues them, and bundles as it publishes them.

const assert = require('node:assert/strict');
const { before, test } = require('node:test');

const { JwtVerifier, RevocationList, parseSpiffeId } = require('@nodesec/native');
const { SignJWT, exportJWK } = require('jose');
const { keyPair } = require('../helpers/key-pairs.js');
const { coded } = require('../helpers/outcome.js');
const { assertRejected, craftClaims } = require('../helpers/tokens.js');

const WEB = 'spiffe://example.org/ns/prod/sa/web';
const ec = keyPair('ec', { namedCurve: 'P-256' });
const rsa = keyPair('rsa', { modulusLength: 2048 });
const authority = keyPair('ec', { namedCurve: 'P-384' });
const ed25519 = keyPair('ed25519');
let bundle;

before(async () => {
  const jwk = async ({ publicKey }, members) => ({ ...(await exportJWK(publicKey)), ...members });
  bundle = {
    keys: [
      await jwk(authority, { use: 'x509-svid', x5c: ['MIIB'] }),
      await jwk(ec, { use: 'jwt-svid', kid: 'ec' }),
      await jwk(rsa, { use: 'jwt-svid', kid: 'rsa' }),
      await jwk(ed25519, { use: 'jwt-svid', kid: 'ed' }),
      await jwk(authority, { use: 'jwt-svid' }),
      { use: 'jwt-svid', kid: 'new', kty: 'AKP', alg: 'ML-DSA-44', pub: 'AA' },
    ],
    spiffe_sequence: 12035488,
    spiffe_refresh_hint: 2419200,
  };
});

const verifier = (options) =>
  JwtVerifier.spiffe({ trustDomain: 'example.org', bundle, audience: 'reports', ...options });

/** A token as SPIRE makes it, except for the given members. */
function svid({ key = ec, header, ...claims } = {}) {
  return new SignJWT({ aud: ['reports'], sub: WEB, ...claims })
    .setProtectedHeader({ alg: 'ES256', kid: 'ec', typ: 'JWT', ...header })
    .setIssuedAt()
    .setExpirationTime('5m')
    .sign(key.privateKey);
}

test('a workload is its subject', async () => {
  const token = await svid();
  for (const options of [
    {},
    { trustDomain: 'spiffe://example.org' },
    { bundle: JSON.stringify(bundle) },
    { audience: ['other', 'reports'] },
    { cache: true },
    { requiredClaims: ['iat'] },
  ]) {
    const one = verifier(options);
    assert.ok(one instanceof JwtVerifier);
    assert.equal(parseSpiffeId(one.verify(token).sub).path, '/ns/prod/sa/web');
    const { ok, header } = one.tryVerify(token);
    assert.deepEqual([ok, header], [true, { alg: 'ES256', kid: 'ec', typ: 'JWT' }]);
    assert.equal((await one.verifyAsync(token)).sub, WEB);
  }
});

test('an RSA key of a bundle is for all algorithms of RSA', async () => {
  for (const alg of ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512']) {
    const token = await svid({ key: rsa, header: { alg, kid: 'rsa' } });
    assert.equal(verifier().verify(token).sub, WEB);
  }
});

test('keys that are for something else or have no id verify nothing', async () => {
  const unknown = { key: authority, header: { alg: 'ES384', kid: undefined } };
  assertRejected(verifier(), await svid(unknown), 'ERR_JWT_KEY_NOT_FOUND');
  const other = { key: authority, header: { alg: 'ES384', kid: 'authority' } };
  assertRejected(verifier(), await svid(other), 'ERR_JWT_KEY_NOT_FOUND');
  const eddsa = { key: ed25519, header: { alg: 'EdDSA', kid: 'ed' } };
  assertRejected(verifier(), await svid(eddsa), 'ERR_JWT_ALGORITHM');
});

test('an algorithm that no SVID has is refused', async () => {
  const hmac = craftClaims({ aud: 'reports', sub: WEB }, { alg: 'HS256', kid: 'ec' });
  assertRejected(verifier(), hmac, 'ERR_JWT_ALGORITHM');
  const none = craftClaims({ aud: 'reports', sub: WEB }, { alg: 'none', kid: 'ec' });
  assertRejected(verifier(), none, 'ERR_JWT_ALGORITHM');
});

test('an SVID has no header parameters but alg, kid and typ', async () => {
  for (const typ of [undefined, 'JWT', 'JOSE']) {
    assert.equal(verifier().verify(await svid({ header: { typ } })).sub, WEB);
  }
  const mismatch = { claim: 'typ', reason: 'mismatch' };
  for (const typ of ['at+jwt', 'wit+jwt', 'jwt']) {
    assertRejected(verifier(), await svid({ header: { typ } }), 'ERR_JWT_CLAIM', mismatch);
  }
  for (const more of [{ jku: 'https://example.org' }, { jwk: {} }, { cty: 'JWT' }, { own: 1 }]) {
    assertRejected(verifier(), await svid({ header: more }), 'ERR_JWT_MALFORMED');
  }
});

test('an SVID names a workload of the trust domain, an audience and its end', async () => {
  const mismatch = (claim) => ({ claim, reason: 'mismatch' });
  for (const sub of ['spiffe://example.com/a', 'spiffe://example.org', 'alice', `${WEB}/`]) {
    assertRejected(verifier(), await svid({ sub }), 'ERR_JWT_CLAIM', mismatch('sub'));
  }
  const none = { claim: 'sub', reason: 'missing' };
  assertRejected(verifier(), await svid({ sub: undefined }), 'ERR_JWT_CLAIM', none);
  assertRejected(verifier(), await svid({ aud: ['x'] }), 'ERR_JWT_CLAIM', mismatch('aud'));
  const noAudience = { claim: 'aud', reason: 'missing' };
  assertRejected(verifier(), await svid({ aud: undefined }), 'ERR_JWT_CLAIM', noAudience);
  const endless = new SignJWT({ aud: 'reports', sub: WEB }).setProtectedHeader({ alg: 'ES256' });
  const noExpiry = { claim: 'exp', reason: 'missing' };
  assertRejected(verifier(), await endless.sign(ec.privateKey), 'ERR_JWT_CLAIM', noExpiry);
});

test('a bundle without keys revokes all', async () => {
  for (const keys of [[], [bundle.keys[0]], [bundle.keys[4]]]) {
    const none = verifier({ bundle: { ...bundle, keys } });
    assertRejected(none, await svid(), 'ERR_JWT_KEY_NOT_FOUND');
  }
});

test('with a list, an SVID needs what it can be revoked by', async () => {
  const revocations = new RevocationList();
  const strict = verifier({ revocations });
  const missing = { claim: 'jti', reason: 'missing' };
  assertRejected(strict, await svid(), 'ERR_JWT_CLAIM', missing);
  const token = await svid({ jti: 'j' });
  const { jti, exp } = strict.verify(token);
  await revocations.revoke({ jti, exp });
  assertRejected(strict, token, 'ERR_JWT_REVOKED');
});

test('a value that is no bundle or no trust domain is refused', () => {
  const refused = (options, code) => assert.throws(() => verifier(options), coded(code));
  for (const text of ['', '{}', '[]', '{"keys":{}}', '{"keys":[],"keys":[]}']) {
    refused({ bundle: text }, 'ERR_JWT_KEY');
  }
  refused({ bundle: { keys: [1n] } }, 'ERR_JWT_KEY');
  refused({ bundle: {} }, 'ERR_JWT_KEY');
  refused({ bundle: undefined }, 'ERR_MISSING_OPTION');
  refused({ bundle: 7 }, 'ERR_INVALID_ARG_TYPE');
  for (const trustDomain of ['', 'Example.org', 'example.org/', WEB, 'https://example.org']) {
    refused({ trustDomain }, 'ERR_SPIFFE_ID');
  }
  refused({ trustDomain: undefined }, 'ERR_MISSING_OPTION');
});

test('nothing is waived', () => {
  const refused = (options, code) => assert.throws(() => verifier(options), coded(code));
  refused({ audience: false }, 'ERR_INVALID_ARG_VALUE');
  refused({ audience: undefined }, 'ERR_MISSING_OPTION');
  for (const name of ['issuer', 'keys', 'algorithms', 'typ', 'requireExp']) {
    refused({ [name]: false }, 'ERR_UNKNOWN_OPTION');
  }
});
