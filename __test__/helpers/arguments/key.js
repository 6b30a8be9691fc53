'use strict';

const { createSecretKey } = require('node:crypto');

const { JwtKey, KeyRing, SecretBuffer } = require('@nodesec/native');
const {
  CANARY,
  boolean,
  bytes,
  callback,
  duration,
  instance,
  integer,
  kind,
  moment,
  name,
  options,
  or,
  record,
  secret,
  secretly,
  text,
  word,
} = require('../hostile.js');
const { SECRET, algorithmList, hmacKey, key, keyList, publicJwk } = require('../key-kinds.js');
const { keyPair } = require('../key-pairs.js');
const { cases } = require('../../vectors/keys.json');
const { openedStore, store } = require('./store.js');

const encrypted = (format) =>
  keyPair('ed25519').privateKey.export({
    type: 'pkcs8',
    format,
    cipher: 'aes-256-cbc',
    passphrase: 'row',
  });
const [ENCRYPTED_PEM, ENCRYPTED_DER] = [encrypted('pem'), encrypted('der')];

const CERTIFICATE = cases.find(({ name }) => name === 'certificate').pem;

const ring = () => new KeyRing({ keys: [hmacKey()] });
const ringOptions = () => ({
  alg: 'HS256',
  maxTokenTtl: '1d',
  jwksMaxAge: 600,
  rotateEvery: '30d',
});
const ringKinds = {
  alg: word,
  maxTokenTtl: duration,
  jwksMaxAge: duration,
  rotateEvery: duration,
};
/** `null` is a value of its own. */
const { null: _, ...notDurations } = duration.refused;
const durationOrNull = kind(notDurations);
const sealKey = () => SecretBuffer.from(SECRET);
const sealing = secretly(
  kind(instance(SecretBuffer, sealKey).refused, {
    'a short one': () => SecretBuffer.from(new Uint8Array(31)),
  }),
);
const listening = () => ['change', () => {}];
const naming = options({ alg: word, kid: name });
const fileNaming = options({ alg: word, kid: name, passphrase: secret });
const named = { alg: 'HS256', kid: 'k' };
const plain = (on) => ({ on, args: () => [], kinds: [] });

module.exports = {
  'new JwtKey': { refused: true },
  'JwtKey.generate': {
    args: () => ['RS256', { kid: 'k', modulusLength: 2048 }],
    kinds: [word, options({ kid: name, modulusLength: integer })],
  },
  'JwtKey.fromSecret': { args: () => [SECRET, named], kinds: [or(bytes, secret), naming] },
  'JwtKey.fromPem': {
    args: () => [ENCRYPTED_PEM, { alg: 'EdDSA', kid: 'k', passphrase: 'row' }],
    kinds: [secret, fileNaming],
  },
  'JwtKey.fromDer': {
    args: () => [ENCRYPTED_DER, { alg: 'EdDSA', kid: 'k', passphrase: 'row' }],
    kinds: [or(bytes, secret), fileNaming],
  },
  'JwtKey.fromCertificate': {
    args: () => [CERTIFICATE, { alg: 'ES256', kid: 'k' }],
    kinds: [secret, naming],
  },
  'JwtKey.fromJwk': {
    args: () => [{ ...publicJwk, kid: 'own' }, { alg: 'EdDSA', kid: 'k' }],
    kinds: [record({ kty: word, crv: word, x: name, kid: kind() }), naming],
  },
  'JwtKey.fromJwks': {
    args: () => [{ keys: [publicJwk] }, { algorithms: ['EdDSA'], use: 'sig' }],
    kinds: [
      kind(text.refused, { 'no set': () => '{}', 'keys that are none': () => ({ keys: [CANARY] }) }),
      options({ algorithms: algorithmList, use: word }),
    ],
  },
  'JwtKey.fromKeyObject': {
    args: () => [createSecretKey(SECRET), named],
    kinds: [bytes, naming],
  },
  'JwtKey.prototype.toPublicJwk': plain(() => JwtKey.fromJwk(publicJwk, { alg: 'EdDSA' })),
  'JwtKey.prototype.toString': plain(hmacKey),
  'JwtKey.prototype.toJSON': plain(hmacKey),

  'new KeyRing': {
    args: () => [{ ...ringOptions(), keys: [hmacKey()] }],
    kinds: [options({ ...ringKinds, keys: keyList })],
  },
  'KeyRing.shared': {
    args: () => ['row', ringOptions()],
    kinds: [name, options(ringKinds)],
  },
  'KeyRing.open': {
    args: () => [openedStore(), {}],
    kinds: [store, options(ringKinds)],
  },
  'KeyRing.unseal': {
    args: () => [ring().seal(sealKey()), sealKey(), { ...ringOptions(), shared: 'sealed row' }],
    kinds: [bytes, sealing, options({ ...ringKinds, shared: name })],
  },
  'KeyRing.prototype.add': {
    on: () => new KeyRing(),
    args: () => [hmacKey(), { state: 'next' }],
    kinds: [key, options({ state: word })],
  },
  'KeyRing.prototype.addAsync': {
    on: () => new KeyRing(),
    args: () => [hmacKey(), { state: 'next' }],
    kinds: [key, options({ state: word })],
  },
  'KeyRing.prototype.revoke': { on: ring, args: () => ['k'], kinds: [name] },
  'KeyRing.prototype.revokeAsync': { on: ring, args: () => ['k'], kinds: [name] },
  'KeyRing.prototype.configure': {
    on: ring,
    args: () => [{ rotateEvery: '30d' }],
    kinds: [options({ rotateEvery: durationOrNull })],
  },
  'KeyRing.prototype.rotate': {
    on: ring,
    args: () => [{ force: true }],
    kinds: [options({ force: boolean })],
  },
  'KeyRing.prototype.tick': { on: ring, args: () => [1.8e9], kinds: [moment] },
  'KeyRing.prototype.list': plain(ring),
  'KeyRing.prototype.ready': plain(ring),
  'KeyRing.prototype.jwks': plain(ring),
  'KeyRing.prototype.seal': { on: ring, args: () => [sealKey()], kinds: [sealing] },
  'KeyRing.prototype.on': { on: ring, args: listening, kinds: [word, callback] },
  'KeyRing.prototype.off': { on: ring, args: listening, kinds: [word, callback] },
};
