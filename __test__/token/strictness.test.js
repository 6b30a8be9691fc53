'use strict';

// A policy must state all that is required, and nothing that it cannot enforce.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { JwtKey, JwtVerifier, RemoteJwks, SecretBuffer } = require('@nodesec/native');
const { keyPair } = require('../helpers/key-pairs.js');
const { coded } = require('../helpers/outcome.js');
const { KID, SECRET, assertRejected, craftClaims, key, verifier } = require('../helpers/tokens.js');

test('issuer and audience are given, or waived', () => {
  const whole = { keys: key, issuer: 'i', audience: 'a' };
  for (const name of ['issuer', 'audience']) {
    for (const [value, code] of [
      [undefined, 'ERR_MISSING_OPTION'],
      [null, 'ERR_INVALID_ARG_TYPE'],
      [true, 'ERR_INVALID_ARG_TYPE'],
      [/./, 'ERR_INVALID_ARG_TYPE'],
      [(given) => given === 'i', 'ERR_INVALID_ARG_TYPE'],
      ['', 'ERR_OUT_OF_RANGE'],
      [[], 'ERR_OUT_OF_RANGE'],
      [[''], 'ERR_OUT_OF_RANGE'],
      [['a', /./], 'ERR_INVALID_ARG_TYPE'],
    ]) {
      assert.throws(() => new JwtVerifier({ ...whole, [name]: value }), coded(code), name);
    }
    const { [name]: left, ...rest } = whole;
    assert.ok(left);
    assert.throws(() => new JwtVerifier(rest), coded('ERR_MISSING_OPTION'));
    assert.ok(new JwtVerifier({ ...whole, [name]: false }));
  }
});

test('a wrong element of a list is named by its index', () => {
  const rest = { keys: key, issuer: false, audience: false };
  for (const [use, message] of [
    [() => new JwtVerifier({ ...rest, requiredClaims: ['a', 'b', 7] }), /^requiredClaims\[2\] must be a string/],
    [() => new JwtVerifier({ ...rest, keys: [key, {}] }), /^keys\[1\] must be a JwtKey/],
    [() => new JwtVerifier({ ...rest, issuer: 7 }), /^issuer must be/],
    [() => new RemoteJwks('https://example.com/', { headers: { a: 'b', c: 7 } }), /^a value in headers must be/],
  ]) {
    assert.throws(use, { code: 'ERR_INVALID_ARG_TYPE', message });
  }
});

test('no name is a pattern', () => {
  for (const pattern of ['.', '*', '.*', '^a$', 'a|b', '%', '_']) {
    for (const [name, claim] of [['issuer', 'iss'], ['audience', 'aud']]) {
      const token = craftClaims({ [claim]: 'a' });
      const details = { claim, reason: 'mismatch' };
      assertRejected(verifier({ [name]: pattern }), token, 'ERR_JWT_CLAIM', details);
      assert.ok(verifier({ [name]: [pattern, 'a'] }).verify(token));
    }
  }
});

test('tolerance ends at five minutes', () => {
  for (const within of [0, 300, '5m', '300s']) assert.ok(verifier({ clockTolerance: within }));
  for (const beyond of [301, '6m', '1d', -1, 0.5, Infinity, Number.MAX_SAFE_INTEGER]) {
    assert.throws(() => verifier({ clockTolerance: beyond }), coded('ERR_OUT_OF_RANGE'));
  }
});

test('none does not exist', () => {
  for (const alg of ['none', 'None', 'NONE', 'HS257', 'ES256K', '']) {
    const code = 'ERR_INVALID_ARG_VALUE';
    assert.throws(() => verifier({ algorithms: ['HS256', alg] }), coded(code));
    assert.throws(() => JwtKey.fromSecret(SECRET, { alg }), coded(code));
  }
  assert.throws(() => verifier({ algorithms: [] }), coded('ERR_OUT_OF_RANGE'));
});

test('an unknown option is refused', () => {
  const mistakes = ['algorithm', 'iss', 'aud', 'ignoreExpiration', 'maxTokenAge', 'requireexp'];
  for (const name of mistakes) {
    assert.throws(() => verifier({ [name]: 'x' }), coded('ERR_UNKNOWN_OPTION'), name);
  }
});

test('the error for a wrong element names the element', () => {
  const of = (options) => new JwtVerifier({ keys: key, issuer: false, audience: false, ...options });
  for (const [options, message] of [
    [{ requiredClaims: ['sub', 1] }, 'requiredClaims[1] must be a string'],
    [{ requiredClaims: [''] }, 'requiredClaims[0] must be 1 to 256 bytes long'],
    [{ issuer: ['a', '\ud800'] }, 'issuer[1] must be well-formed Unicode: it holds a lone surrogate'],
    [{ audience: [null] }, 'audience[0] must be a string'],
    [{ keys: [key, {}] }, 'keys[1] must be a JwtKey'],
    [{ keys: {} }, 'keys must be a KeyRing, a JwtKey, an array of JwtKeys or a RemoteJwks'],
  ]) {
    assert.throws(() => of(options), { message });
  }
  assert.throws(() => of({ algorithms: ['HS256', 'none'] }), /^ArgumentError: algorithms\[1\] must be one of/);
});

test('an option implies that the claim is there', () => {
  const bare = craftClaims({ iat: undefined }, { alg: 'HS256', kid: KID });
  assert.ok(verifier().verify(bare));
  for (const [options, claim] of [
    [{ issuer: 'i' }, 'iss'],
    [{ audience: 'a' }, 'aud'],
    [{ maxAge: 60 }, 'iat'],
    [{ typ: 'JWT' }, 'typ'],
    [{ requiredClaims: ['sub'] }, 'sub'],
  ]) {
    assertRejected(verifier(options), bare, 'ERR_JWT_CLAIM', { claim, reason: 'missing' });
  }
  const endless = craftClaims({ exp: undefined });
  assertRejected(verifier(), endless, 'ERR_JWT_CLAIM', { claim: 'exp', reason: 'missing' });
});

test('where a token says its key is makes no difference', () => {
  const { publicKey } = keyPair('ed25519');
  const jwk = publicKey.export({ format: 'jwk' });
  for (const extra of [
    { jwk },
    { jwk: 1 },
    { jku: 'http://127.0.0.1:9/' },
    { jku: null },
    { x5u: 'http://127.0.0.1:9/' },
    { x5u: [] },
    { x5c: ['AAAA'] },
    { x5c: 'AAAA' },
    { x5t: 1, 'x5t#S256': {} },
  ]) {
    assert.ok(verifier().verify(craftClaims({}, { alg: 'HS256', kid: KID, ...extra })));
    const foreign = craftClaims({}, { alg: 'EdDSA', kid: KID, ...extra });
    assertRejected(verifier(), foreign, 'ERR_JWT_ALGORITHM');
  }
});

test('key files in secret memory', () => {
  const { privateKey } = keyPair('ed25519');
  const [pem, der] = ['pem', 'der'].map((format) => privateKey.export({ type: 'pkcs8', format }));
  const options = { alg: 'EdDSA' };
  const kids = [
    JwtKey.fromKeyObject(privateKey, options),
    JwtKey.fromPem(SecretBuffer.fromString(pem), options),
    JwtKey.fromDer(SecretBuffer.from(der), options),
  ].map(({ kid }) => kid);
  assert.equal(new Set(kids).size, 1);
  for (const bytes of [Buffer.from(pem), der]) {
    const secret = SecretBuffer.from(bytes);
    assert.throws(() => JwtKey.fromSecret(secret, { alg: 'HS256' }), coded('ERR_JWT_KEY'));
  }
});
