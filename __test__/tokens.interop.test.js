'use strict';

// Tokens and keys, from and to jose and fast-jwt.

const assert = require('node:assert/strict');
const { createPublicKey, createSecretKey, generateKeyPairSync, randomBytes } =
  require('node:crypto');
const { test } = require('node:test');

const { createSigner, createVerifier } = require('fast-jwt');

const { JwtIssuer, JwtKey, JwtVerifier } = require('@nodesec/native');

const KID = 'k1';
const CLAIMS = { sub: 'subject', name: 'Ünïcödé 🐎', roles: ['a', 'b'], deep: { n: 1.5 } };
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const secret = createSecretKey(randomBytes(32));

const keys = {
  HS256: { privateKey: secret, publicKey: secret },
  RS256: rsa,
  PS256: rsa,
  ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  EdDSA: generateKeyPairSync('ed25519'),
};

/** Every way to take a KeyObject over. */
function imports(key, alg) {
  const options = { alg, kid: KID };
  const jwk = key.export({ format: 'jwk' });
  const all = {
    KeyObject: JwtKey.fromKeyObject(key, options),
    JWK: JwtKey.fromJwk(jwk, options),
    'JWK that says all': JwtKey.fromJwk({ ...jwk, ...options, use: 'sig' }),
  };
  if (alg === 'HS256') return { ...all, secret: JwtKey.fromSecret(key.export(), options) };
  for (const [type, usable] of Object.entries({
    pkcs8: key.type === 'private',
    spki: key.type === 'public',
    pkcs1: key.type === 'private' && /^[RP]S/.test(alg),
    sec1: key.type === 'private' && alg === 'ES256',
  })) {
    if (usable) all[`PEM, ${type}`] = JwtKey.fromPem(key.export({ type, format: 'pem' }), options);
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

/** The other libraries, as functions of a KeyObject. */
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

for (const [alg, { privateKey, publicKey }] of Object.entries(keys)) {
  for (const [library, of] of Object.entries(others)) {
    test(`${alg} and ${library}`, async () => {
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

  test(`${alg}: whatever way a key comes, it is the same key`, async () => {
    const { calculateJwkThumbprint } = await import('jose');
    for (const [way, key] of Object.entries(imports(privateKey, alg))) {
      assert.deepEqual([key.alg, key.kid, key.private], [alg, KID, true], way);
    }
    if (alg === 'HS256') return;
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

  if (alg !== 'HS256') {
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
