'use strict';

// JavaScript objects of wrong or unusual kinds, passed as keys.

const assert = require('node:assert/strict');
const { KeyObject } = require('node:crypto');
const { test } = require('node:test');

const { JwtKey } = require('@nodesec/native');
const { keyPair } = require('../helpers/key-pairs.js');
const { coded } = require('../helpers/outcome.js');

const { publicKey, privateKey } = keyPair('ed25519');
const jwk = privateKey.export({ format: 'jwk' });
const publicJwk = publicKey.export({ format: 'jwk' });
const oct = { kty: 'oct', k: Buffer.alloc(32, 7).toString('base64url') };

const refused = (make, code = 'ERR_JWT_KEY') => assert.throws(make, coded(code));

test('a JWK whose operations are no distinct strings is refused', () => {
  const many = Array.from({ length: 11_000 }, (_, n) => n);
  for (const operations of [many, ['verify', 'verify'], ['verify', null], 'verify', { 0: 'verify' }]) {
    assert.throws(() => JwtKey.fromJwk({ ...publicJwk, key_ops: operations }, { alg: 'EdDSA' }), {
      code: 'ERR_JWT_KEY',
    });
  }
});

test('a JWK has what is its own, read once', () => {
  const inherited = Object.assign(Object.create({ kid: 'inherited', alg: 'EdDSA' }), publicJwk);
  refused(() => JwtKey.fromJwk(inherited), 'ERR_MISSING_OPTION');
  assert.notEqual(JwtKey.fromJwk(inherited, { alg: 'EdDSA' }).kid, 'inherited');
  for (const [own, alg] of [[publicJwk, 'EdDSA'], [jwk, 'EdDSA'], [oct, 'HS256']]) {
    const read = [];
    const members = Object.entries({ ...own, alg, kid: 'k' }).map(([name, value]) => [
      name,
      { enumerable: true, get: () => read.push(name) && value },
    ]);
    const watched = Object.defineProperties({}, Object.fromEntries(members));
    assert.equal(JwtKey.fromJwk(watched).kid, 'k');
    assert.deepEqual(read, [...new Set(read)]);
    assert.throws(
      () => JwtKey.fromJwk({ ...own, get alg() { throw new TypeError('mine'); } }),
      { name: 'TypeError', message: 'mine' },
    );
  }
});

test('a bad alg or kid in a JWK is a fault of the JWK', () => {
  for (const own of [{ ...publicJwk, alg: 'EdDSA' }, { ...jwk, alg: 'EdDSA' }, { ...oct, alg: 'HS256' }]) {
    for (const kid of [7, [], 'k'.repeat(257), '\ud800']) refused(() => JwtKey.fromJwk({ ...own, kid }));
  }
  assert.throws(() => JwtKey.fromJwk(oct, { alg: 'RS256' }), { code: 'ERR_JWT_KEY', message: /oct/ });
});

test('an object that only looks like a KeyObject is refused', () => {
  for (const key of [Object.create(KeyObject.prototype), { type: 'secret' }, null]) {
    refused(() => JwtKey.fromKeyObject(key, { alg: 'HS256' }), 'ERR_INVALID_ARG_TYPE');
  }
});
