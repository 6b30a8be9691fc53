'use strict';

// Tokens and keys, exchanged with jose, jsonwebtoken, fast-jwt and PyJWT.

const assert = require('node:assert/strict');
const { createPublicKey, createSecretKey, randomBytes } = require('node:crypto');
const { test } = require('node:test');

const { createSigner, createVerifier } = require('fast-jwt');
const jsonwebtoken = require('jsonwebtoken');

const { JwtIssuer, JwtKey, JwtVerifier } = require('@nodesec/native');
const { keyPair } = require('../helpers/key-pairs.js');
const { pyJwt } = require('../helpers/peers.js');

const KID = 'k1';
const CLAIMS = { sub: 'subject', name: 'Ünïcödé 🐎', roles: ['a', 'b'], deep: { n: 1.5 } };
const rsa = keyPair('rsa', { modulusLength: 2048 });
const secret = createSecretKey(randomBytes(64));
const hmac = { privateKey: secret, publicKey: secret };
const ed25519 = keyPair('ed25519');

const keys = {
  HS256: hmac,
  HS384: hmac,
  HS512: hmac,
  RS256: rsa,
  RS384: rsa,
  RS512: rsa,
  PS256: rsa,
  PS384: rsa,
  PS512: rsa,
  ES256: keyPair('ec', { namedCurve: 'P-256' }),
  ES384: keyPair('ec', { namedCurve: 'P-384' }),
  ES512: keyPair('ec', { namedCurve: 'P-521' }),
  EdDSA: ed25519,
  Ed25519: ed25519,
};

/** Imports a KeyObject in every way. */
function imports(key, alg) {
  const options = { alg, kid: KID };
  const jwk = key.export({ format: 'jwk' });
  const all = {
    KeyObject: JwtKey.fromKeyObject(key, options),
    JWK: JwtKey.fromJwk(jwk, options),
    'JWK that says all': JwtKey.fromJwk({ ...jwk, ...options, use: 'sig' }),
  };
  if (alg.startsWith('HS')) return { ...all, secret: JwtKey.fromSecret(key.export(), options) };
  for (const [type, usable] of Object.entries({
    pkcs8: key.type === 'private',
    spki: key.type === 'public',
    pkcs1: /^[RP]S/.test(alg),
    sec1: key.type === 'private' && alg.startsWith('ES'),
  })) {
    if (!usable) continue;
    all[`PEM, ${type}`] = JwtKey.fromPem(key.export({ type, format: 'pem' }), options);
    all[`DER, ${type}`] = JwtKey.fromDer(key.export({ type, format: 'der' }), options);
  }
  return all;
}

const issue = (key) =>
  new JwtIssuer({ keys: key, issuer: 'me', audience: 'you', expiresIn: '1h' }).sign(CLAIMS);
const check = (key, token) => {
  const verifier = new JwtVerifier({ keys: key, issuer: 'me', audience: 'you' });
  const { iat, exp, iss, aud, jti, ...claims } = verifier.verify(token);
  assert.deepEqual(claims, CLAIMS);
};

/** The other libraries: each is a function of the algorithm, and its results take KeyObjects. */
const others = {
  jose: async (alg) => {
    const { SignJWT, jwtVerify } = await import('jose');
    return {
      sign: (key) =>
        new SignJWT(CLAIMS)
          .setProtectedHeader({ alg, kid: KID })
          .setIssuedAt()
          .setIssuer('me')
          .setAudience('you')
          .setExpirationTime('1h')
          .sign(key),
      verify: async (key, token) => {
        const options = { algorithms: [alg], issuer: 'me', audience: 'you' };
        return (await jwtVerify(token, key, options)).payload;
      },
    };
  },
  jsonwebtoken: async (algorithm) => ({
    sign: (key) =>
      jsonwebtoken.sign(CLAIMS, key, {
        algorithm,
        keyid: KID,
        issuer: 'me',
        audience: 'you',
        expiresIn: '1h',
      }),
    verify: (key, token) =>
      jsonwebtoken.verify(token, key, { algorithms: [algorithm], issuer: 'me', audience: 'you' }),
  }),
  'fast-jwt': async (algorithm) => {
    const text = (key) =>
      key.type === 'secret'
        ? key.export()
        : key.export({ type: key.type === 'private' ? 'pkcs8' : 'spki', format: 'pem' });
    return {
      sign: (key) =>
        createSigner({
          algorithm,
          key: text(key),
          kid: KID,
          iss: 'me',
          aud: 'you',
          expiresIn: 3600_000,
        })(CLAIMS),
      verify: (key, token) =>
        createVerifier({
          key: text(key),
          algorithms: [algorithm],
          allowedIss: 'me',
          allowedAud: 'you',
        })(token),
    };
  },
};

/** The algorithms that the other libraries lack. */
const UNKNOWN = { 'fast-jwt': ['Ed25519'], jsonwebtoken: ['EdDSA', 'Ed25519'] };

for (const [alg, { privateKey, publicKey }] of Object.entries(keys)) {
  for (const [library, of] of Object.entries(others)) {
    if (UNKNOWN[library]?.includes(alg)) continue;
    test(`${library} and we verify each other’s ${alg}`, async () => {
      const other = await of(alg);
      const theirs = await other.sign(privateKey);
      for (const key of [
        ...Object.values(imports(publicKey, alg)),
        ...Object.values(imports(privateKey, alg)),
      ]) {
        check(key, theirs);
      }
      for (const [way, key] of Object.entries(imports(privateKey, alg))) {
        const { sub, name, roles, deep } = await other.verify(publicKey, issue(key));
        assert.deepEqual({ sub, name, roles, deep }, CLAIMS, way);
      }
    });
  }

  test(`${alg}: a key of any format is the same key`, async () => {
    const { calculateJwkThumbprint } = await import('jose');
    for (const [way, key] of Object.entries(imports(privateKey, alg))) {
      assert.deepEqual([key.alg, key.kid, key.private], [alg, KID, true], way);
    }
    if (alg.startsWith('HS')) return;
    const jwk = publicKey.export({ format: 'jwk' });
    for (const [way, key] of Object.entries(imports(publicKey, alg))) {
      assert.deepEqual([key.alg, key.kid, key.private], [alg, KID, false], way);
      assert.deepEqual(key.toPublicJwk(), { ...jwk, alg, kid: KID, use: 'sig' }, way);
    }
    for (const key of [publicKey, privateKey]) {
      const { kid } = JwtKey.fromKeyObject(key, { alg });
      assert.equal(kid, await calculateJwkThumbprint(jwk));
    }
  });

  if (!alg.startsWith('HS')) {
    test(`${alg}: our keys are keys to node:crypto and jose`, async () => {
      const { importJWK } = await import('jose');
      const key = await JwtKey.generate(alg);
      const jwk = key.toPublicJwk();
      const other = await others.jose(alg);
      assert.equal((await other.verify(await importJWK(jwk), issue(key))).sub, 'subject');
      const published = createPublicKey({ key: jwk, format: 'jwk' });
      assert.equal((await other.verify(published, issue(key))).sub, 'subject');
    });
  }
}

test('PyJWT and we verify each other’s tokens of every algorithm', (t) => {
  const python = pyJwt(t);
  if (python === undefined) return;
  const pem = (key, type) =>
    key.type === 'secret'
      ? key.export({ format: 'jwk' }).k
      : key.export({ type, format: 'pem' });
  // PyJWT does not know `Ed25519`, the name of RFC 9864.
  const shared = Object.entries(keys).filter(([alg]) => alg !== 'Ed25519');
  const input = shared.map(([alg, { privateKey, publicKey }]) => ({
    alg,
    signer: pem(privateKey, 'pkcs8'),
    reader: pem(publicKey, 'spki'),
    token: issue(JwtKey.fromKeyObject(privateKey, { alg, kid: KID })),
  }));
  const program = `
import base64, jwt, time
def key(case, which):
    text = case[which]
    if not case['alg'].startswith('HS'):
        return text
    return base64.urlsafe_b64decode(text + '=' * (-len(text) % 4))
out = []
for case in json.load(sys.stdin):
    alg = case['alg']
    read = jwt.decode(case['token'], key(case, 'reader'), [alg], issuer='me', audience='you')
    now = int(time.time())
    claims = {**{n: read[n] for n in ('sub', 'name', 'roles', 'deep')}, 'iss': 'me', 'aud': 'you'}
    claims.update(iat=now, exp=now + 60)
    out.append(jwt.encode(claims, key(case, 'signer'), alg, headers={'kid': '${KID}'}))
print(json.dumps(out))
`;
  const tokens = python(program, input);
  assert.equal(tokens.length, 13);
  for (const [i, [alg, { publicKey }]] of shared.entries()) {
    check(JwtKey.fromKeyObject(publicKey, { alg, kid: KID }), tokens[i]);
  }
});
