'use strict';

// CryptoKeys of Web Crypto.

const assert = require('node:assert/strict');
const { createPublicKey, webcrypto: { subtle } } = require('node:crypto');
const { test } = require('node:test');

const { JwtIssuer, JwtKey, JwtVerifier } = require('@nodesec/native');

const ALGORITHMS = [
  'HS256', 'HS384', 'HS512', 'RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512',
  'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519',
];
const RSA = { modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) };
const hashOf = (alg) => `SHA-${alg.slice(2)}`;
const BOTH = ['sign', 'verify'];

/** The parameters of Web Crypto for an algorithm. */
function parameters(alg) {
  const hash = hashOf(alg);
  if (alg.startsWith('HS')) return { name: 'HMAC', hash };
  if (alg.startsWith('RS')) return { name: 'RSASSA-PKCS1-v1_5', hash, ...RSA };
  if (alg.startsWith('PS')) return { name: 'RSA-PSS', hash, ...RSA };
  const namedCurve = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' }[alg];
  return namedCurve ? { name: 'ECDSA', namedCurve } : { name: 'Ed25519' };
}

async function generate(alg, extractable = true) {
  const made = await subtle.generateKey(parameters(alg), extractable, BOTH);
  return 'privateKey' in made ? made : { privateKey: made, publicKey: made };
}

const refused = (key, alg, message) =>
  assert.throws(() => JwtKey.fromKeyObject(key, { alg }), { code: 'ERR_JWT_KEY', message });

test('a CryptoKey signs and verifies as in Web Crypto', async () => {
  for (const alg of ALGORITHMS) {
    const { privateKey, publicKey } = await generate(alg);
    const keys = JwtKey.fromKeyObject(privateKey, { alg, kid: 'own' });
    assert.deepEqual([keys.alg, keys.kid, keys.private], [alg, 'own', true]);
    const token = new JwtIssuer({ keys, expiresIn: 60 }).sign({ sub: alg });
    const reader = JwtKey.fromKeyObject(publicKey, { alg, kid: 'own' });
    assert.equal(reader.private, alg.startsWith('HS'));
    const policy = { keys: reader, issuer: false, audience: false };
    assert.equal(new JwtVerifier(policy).verify(token).sub, alg);
    const [text, signature] = [token.slice(0, token.lastIndexOf('.')), token.split('.')[2]];
    const how = { ...parameters(alg), hash: hashOf(alg), saltLength: Number(alg.slice(2)) / 8 };
    const bytes = [Buffer.from(signature, 'base64url'), Buffer.from(text)];
    assert.ok(await subtle.verify(how, publicKey, ...bytes), alg);
  }
});

test('a CryptoKey that is not extractable is read as far as Node reads it', async () => {
  for (const alg of ['HS256', 'ES256', 'EdDSA']) {
    const { privateKey } = await generate(alg, false);
    assert.equal(JwtKey.fromKeyObject(privateKey, { alg }).private, true);
  }
});

test('a CryptoKey is only for its own algorithm', async () => {
  for (const own of ['HS256', 'RS384', 'PS512', 'ES256', 'EdDSA']) {
    const { privateKey, publicKey } = await generate(own);
    for (const alg of ALGORITHMS) {
      if (alg === own || (own === 'EdDSA' && alg === 'Ed25519')) continue;
      for (const key of [privateKey, publicKey]) {
        refused(key, alg, new RegExp(`is for ${own}( or Ed25519)?; give that as alg`));
      }
    }
  }
});

test('a CryptoKey is only for its usages', async () => {
  const raw = Buffer.alloc(32, 7);
  for (const usages of [['sign'], ['verify']]) {
    const key = await subtle.importKey('raw', raw, parameters('HS256'), true, usages);
    refused(key, 'HS256', /must have sign and verify among its usages/);
  }
  const { privateKey, publicKey } = await generate('ES256');
  const jwk = await subtle.exportKey('jwk', publicKey);
  delete jwk.key_ops;
  const useless = await subtle.importKey('jwk', jwk, parameters('ES256'), true, []);
  refused(useless, 'ES256', /must have verify among its usages/);
  assert.equal(JwtKey.fromKeyObject(privateKey, { alg: 'ES256' }).private, true);
});

test('a CryptoKey for another purpose is refused', async () => {
  const agreement = { name: 'ECDH', namedCurve: 'P-256' };
  const encryption = { name: 'RSA-OAEP', hash: 'SHA-256', ...RSA };
  const keys = [
    (await subtle.generateKey(agreement, true, ['deriveBits'])).privateKey,
    (await subtle.generateKey(encryption, true, ['encrypt', 'decrypt'])).publicKey,
    await subtle.generateKey({ name: 'AES-GCM', length: 256 }, true, ['encrypt']),
    await subtle.generateKey({ name: 'HMAC', hash: 'SHA-1' }, true, BOTH),
  ];
  for (const key of keys) {
    for (const alg of ['ES256', 'RS256', 'HS256']) refused(key, alg, /for no algorithm of JWS/);
  }
});

test('a CryptoKey needs the options of a KeyObject', async () => {
  const { privateKey, publicKey } = await generate('ES256');
  const spki = await subtle.exportKey('spki', publicKey);
  const own = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
  assert.equal(
    JwtKey.fromKeyObject(publicKey, { alg: 'ES256' }).kid,
    JwtKey.fromKeyObject(own, { alg: 'ES256' }).kid,
  );
  for (const [options, code] of [
    [{}, 'ERR_MISSING_OPTION'],
    [undefined, 'ERR_MISSING_OPTION'],
    [{ alg: 'none' }, 'ERR_INVALID_ARG_VALUE'],
    [{ alg: 'ES256', kid: '' }, 'ERR_OUT_OF_RANGE'],
    [{ alg: 'ES256', algorithm: 'ES256' }, 'ERR_UNKNOWN_OPTION'],
  ]) {
    assert.throws(() => JwtKey.fromKeyObject(privateKey, options), { code }, JSON.stringify(options));
    assert.throws(() => JwtKey.fromKeyObject(own, options), { code }, JSON.stringify(options));
  }
  const fake = Object.create(Object.getPrototypeOf(privateKey));
  for (const other of [fake, { ...privateKey }, await generate('ES256')]) {
    assert.throws(() => JwtKey.fromKeyObject(other, { alg: 'ES256' }), {
      code: 'ERR_INVALID_ARG_TYPE',
    });
  }
});
