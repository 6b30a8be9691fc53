'use strict';

// JWK Sets as providers publish them.

const assert = require('node:assert/strict');
const { constants, sign: signBytes } = require('node:crypto');
const { test } = require('node:test');

const { JwtIssuer, JwtKey, JwtVerifier, KeyRing, verifyJws } = require('@nodesec/native');
const { keyPair } = require('../helpers/key-pairs.js');
const { coded } = require('../helpers/outcome.js');
const { now, segment } = require('../helpers/tokens.js');

const rsa = keyPair('rsa', { modulusLength: 2048 });
const ec = keyPair('ec', { namedCurve: 'P-256' });

const names = (keys) => keys.map(({ kid, alg }) => `${kid} ${alg}`);
const jwkOf = (key) => key.export({ format: 'jwk' });
const verifier = (keys, options) =>
  new JwtVerifier({ keys, issuer: false, audience: false, ...options });

/** Signs a token with the RSA key under one of its algorithms. */
function sign(alg, kid) {
  const signed = `${segment({ alg, kid })}.${segment({ sub: 'subject', exp: now() + 1000 })}`;
  const padding = alg.startsWith('PS') ? constants.RSA_PKCS1_PSS_PADDING : constants.RSA_PKCS1_PADDING;
  const key = { key: rsa.privateKey, padding, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
  return `${signed}.${signBytes(`sha${alg.slice(2)}`, Buffer.from(signed), key).toString('base64url')}`;
}

test('tokens of a ring verify with the keys that it publishes', async () => {
  const ring = new KeyRing({ keys: [await JwtKey.generate('ES256')] });
  const token = new JwtIssuer({ keys: ring, expiresIn: 60 }).sign({ sub: 'subject' });
  const { body } = ring.jwks();
  for (const jwks of [body, JSON.parse(body)]) {
    const keys = JwtKey.fromJwks(jwks);
    assert.deepEqual(names(keys), ring.list().map(({ kid, alg }) => `${kid} ${alg}`));
    assert.equal(keys[0].private, false);
    assert.equal(verifier(keys).verify(token).sub, 'subject');
    assert.equal(JSON.parse(verifyJws(token, keys, { algorithms: ['ES256'] })).sub, 'subject');
  }
});

test('keys without an algorithm are imported, as Azure AD publishes them', () => {
  const jwk = { ...jwkOf(rsa.publicKey), kid: 'azure', use: 'sig', x5t: 'azure' };
  assert.deepEqual(names(JwtKey.fromJwks({ keys: [jwk] })), ['azure RS256']);
  const keys = JwtKey.fromJwks({ keys: [jwk] }, { algorithms: ['PS256', 'RS256', 'ES256'] });
  assert.deepEqual(names(keys), ['azure RS256', 'azure PS256']);
  for (const alg of ['RS256', 'PS256']) {
    for (const kid of ['azure', undefined]) {
      const token = sign(alg, kid);
      assert.equal(verifier(keys).verify(token).sub, 'subject');
    }
  }
  const token = sign('RS512', 'azure');
  assert.throws(() => verifier(keys).verify(token), coded('ERR_JWT_ALGORITHM'));
});

test('a bundle of SPIFFE has keys of its own kind', () => {
  const jwk = jwkOf(ec.publicKey);
  const bundle = {
    spiffe_sequence: 1,
    spiffe_refresh_hint: 300,
    keys: [
      { ...jwk, kid: 'jwt', use: 'jwt-svid' },
      { ...jwk, use: 'jwt-svid' },
      { ...jwk, use: 'x509-svid', x5c: ['AA=='] },
    ],
  };
  assert.deepEqual(names(JwtKey.fromJwks(bundle, { use: 'jwt-svid' })), ['jwt ES256']);
  assert.deepEqual(JwtKey.fromJwks(bundle), []);
  assert.throws(() => verifier(JwtKey.fromJwks(bundle)), coded('ERR_JWT_KEY'));
});

test('a private key that was published is nobody’s secret', () => {
  const keys = [jwkOf(ec.privateKey), jwkOf(ec.publicKey)];
  assert.deepEqual(JwtKey.fromJwks({ keys }), []);
});

test('a value that is no set is refused', () => {
  const cycle = { keys: [] };
  cycle.cycle = cycle;
  for (const jwks of ['', '[]', '{"keys":[],"keys":[]}', {}, { keys: 'none' }, cycle]) {
    assert.throws(() => JwtKey.fromJwks(jwks), coded('ERR_JWT_KEY'));
  }
  assert.throws(() => JwtKey.fromJwks([]), coded('ERR_JWT_KEY'));
  assert.throws(() => JwtKey.fromJwks(undefined), coded('ERR_INVALID_ARG_TYPE'));
  const hmac = { algorithms: ['RS256', 'HS256'] };
  assert.throws(() => JwtKey.fromJwks({ keys: [] }, hmac), coded('ERR_INVALID_ARG_VALUE'));
});
