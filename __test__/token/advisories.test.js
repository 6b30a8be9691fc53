'use strict';

// One test for each published advisory of jsonwebtoken, fast-jwt, jose and the jsonwebtoken crate
// that can concern a library for signed tokens, named after it. For the advisories about encryption
// (CVE-2021-29443, CVE-2022-36083, CVE-2024-28176) only one thing can be tested here: encrypted and
// compressed tokens are refused.

const assert = require('node:assert/strict');
const { createHmac } = require('node:crypto');
const { test } = require('node:test');

const { JwtKey, JwtVerifier } = require('@nodesec/native');
const { keyPair } = require('../helpers/key-pairs.js');
const { SECRET, assertRejected, craft, craftClaims, key, now, segment, verifier } =
  require('../helpers/tokens.js');
const { coded } = require('../helpers/outcome.js');

const rsa = keyPair('rsa', { modulusLength: 2048 });
const pem = rsa.publicKey.export({ type: 'spki', format: 'pem' });
const jwk = JSON.stringify(rsa.publicKey.export({ format: 'jwk' }));
const rsaVerifier = (options) =>
  verifier({ keys: JwtKey.fromPem(pem, { alg: 'RS256', kid: 'k1' }), ...options });
const claims = () => ({ iat: now() - 10, exp: now() + 1000 });
const refusedAsSecret = (...texts) => {
  for (const text of texts) {
    for (const alg of ['HS256', 'HS384', 'HS512']) {
      assert.throws(() => JwtKey.fromSecret(Buffer.from(text), { alg }), coded('ERR_JWT_KEY'));
    }
  }
};
const unsigned = (alg) => `${segment({ alg })}.${segment(claims())}.`;

/**
 * Uses a public key as an HMAC secret. A verifier that takes the key for a secret would accept the
 * token.
 */
function confused(secret) {
  const header = { alg: 'HS256', kid: 'k1' };
  assertRejected(rsaVerifier(), craft(claims(), header, secret), 'ERR_JWT_ALGORITHM');
  const { kid, ...nameless } = header;
  assertRejected(rsaVerifier(), craft(claims(), nameless, secret), 'ERR_JWT_KEY_NOT_FOUND');
}

test('CVE-2015-9235 (jsonwebtoken): a public key is no HMAC secret', () => confused(pem));

test('CVE-2022-23539 (jsonwebtoken): a key must be of the algorithm’s type', () => {
  const ec = keyPair('ec', { namedCurve: 'P-384' });
  const pss = keyPair('rsa-pss', { modulusLength: 2048 });
  const pss512 = keyPair('rsa-pss', { modulusLength: 2048, hashAlgorithm: 'sha512' });
  for (const [pair, alg] of [
    [rsa, 'ES256'],
    [ec, 'ES256'],
    [ec, 'RS256'],
    [pss, 'RS256'],
    [pss512, 'PS256'],
  ]) {
    const make = () => JwtKey.fromKeyObject(pair.publicKey, { alg });
    assert.throws(make, coded('ERR_JWT_KEY'));
  }
});

test('CVE-2022-23540 (jsonwebtoken): a token without a signature is refused', () => {
  for (const alg of ['none', 'None', 'NONE', 'nOnE']) {
    assertRejected(verifier(), unsigned(alg), 'ERR_JWT_ALGORITHM');
    assertRejected(rsaVerifier(), unsigned(alg), 'ERR_JWT_ALGORITHM');
  }
});

test('CVE-2022-23541 (jsonwebtoken): a set with keys of both kinds confuses none', () => {
  const keys = [key, JwtKey.fromPem(pem, { alg: 'RS256', kid: 'public' })];
  const forged = craft(claims(), { alg: 'HS256', kid: 'public' }, pem);
  assertRejected(verifier({ keys }), forged, 'ERR_JWT_ALGORITHM');
});

test('CVE-2025-65945 (jws): no secret comes from the token', () => {
  for (const kid of ['', 'constructor', '__proto__', 'toString']) {
    const token = craft(claims(), { alg: 'HS256', kid }, kid);
    assertRejected(verifier(), token, 'ERR_JWT_KEY_NOT_FOUND');
  }
});

test('CVE-2023-48223 (fast-jwt): an RSA PUBLIC KEY is no HMAC secret', () => {
  const pkcs1 = rsa.publicKey.export({ type: 'pkcs1', format: 'pem' });
  confused(pkcs1);
  refusedAsSecret(pem, pkcs1);
});

test('CVE-2025-30144 (fast-jwt): an array is no issuer', () => {
  const strict = verifier({ issuer: 'https://good.example' });
  const token = craftClaims({ iss: ['https://evil.example', 'https://good.example'] });
  assertRejected(strict, token, 'ERR_JWT_CLAIM', { claim: 'iss', reason: 'type' });
});

test('CVE-2026-34950 (fast-jwt): a PEM after white space is no HMAC secret', () => {
  refusedAsSecret(...[' ', '\n', '\t', '\r\n', '\u{feff}', '\u{a0}'].map((space) => space + pem));
});

test('GHSA-ww5h-9m49-7xx4 (fast-jwt): a PEM after other text is no HMAC secret', () => {
  refusedAsSecret(`x${pem}`, `# a comment\n${pem}`, `\0${pem}`);
  const utf16 = Buffer.from(`\u{feff}${pem}`, 'utf16le');
  refusedAsSecret(utf16, Buffer.from(utf16).swap16());
});

test('GHSA-g3jj-5cmm-3hxx (fast-jwt): a JWK is no HMAC secret', () => {
  confused(jwk);
  refusedAsSecret(jwk, ` ${jwk}`, `x${jwk}`, `{"keys":[${jwk}]}`, jwk.replaceAll(':', ' :\n'));
});

test('CVE-2026-35039 (fast-jwt): no verified token takes the place of another', () => {
  const one = verifier();
  for (const sub of ['a', 'b']) {
    assert.equal(one.verify(craftClaims({ sub })).sub, sub);
  }
  const [first, second] = ['a', 'b'].map((sub) => craftClaims({ sub }).split('.'));
  assertRejected(one, [...first.slice(0, 2), second[2]].join('.'), 'ERR_JWT_SIGNATURE');
});

test('CVE-2026-35040 and CVE-2026-35041 (fast-jwt): a pattern is refused', () => {
  for (const pattern of [/^a+$/g, /^(a+)+$/y, [/a/]]) {
    for (const claim of ['issuer', 'audience']) {
      assert.throws(() => verifier({ [claim]: pattern }), coded('ERR_INVALID_ARG_TYPE'));
    }
  }
  const strict = verifier({ audience: 'a.b' });
  for (let i = 0; i < 4; i += 1) assert.ok(strict.verify(craftClaims({ aud: 'a.b' })));
  const details = { claim: 'aud', reason: 'mismatch' };
  assertRejected(strict, craftClaims({ aud: 'axb' }), 'ERR_JWT_CLAIM', details);
});

test('CVE-2026-35042 (fast-jwt): a critical header parameter is refused', () => {
  const header = { alg: 'HS256', kid: 'k1', crit: ['x'], x: true };
  assertRejected(verifier(), craft(claims(), header), 'ERR_JWT_CRITICAL');
});

test('CVE-2026-44351 and GHSA-8wpc-h4q6-8fxv (fast-jwt): an empty key is refused', () => {
  for (const empty of [Buffer.alloc(0), Buffer.alloc(31)]) {
    assert.throws(() => JwtKey.fromSecret(empty, { alg: 'HS256' }), coded('ERR_JWT_KEY'));
  }
  for (const keys of ['', null, undefined, [], ['']]) {
    const make = () => new JwtVerifier({ keys, issuer: false, audience: false });
    assert.throws(make, { name: /^(Argument|Jwt)Error$/ });
  }
  assertRejected(verifier(), craft(claims(), undefined, ''), 'ERR_JWT_SIGNATURE');
  assertRejected(verifier({ algorithms: ['HS256'] }), unsigned('HS256'), 'ERR_JWT_SIGNATURE');
});

test('CVE-2021-29443, CVE-2022-36083 and CVE-2024-28176 (jose): encryption is refused', () => {
  for (const more of [{ enc: 'A128CBC-HS256' }, { zip: 'DEF' }, { enc: 'A128GCM', zip: 'DEF' }]) {
    const header = { alg: 'HS256', kid: 'k1', ...more };
    assertRejected(verifier(), craft(claims(), header), 'ERR_JWT_MALFORMED');
  }
  const header = segment({ alg: 'PBES2-HS256+A128KW', enc: 'A128GCM', p2c: 2 ** 31 });
  assertRejected(verifier(), `${header}.a.b.c.d`, 'ERR_JWT_MALFORMED');
});

test('CVE-2026-25537 (the jsonwebtoken crate): a time of the wrong type is refused', () => {
  for (const claim of ['exp', 'nbf', 'iat']) {
    for (const wrong of [String(now() - 100), '0', [0], {}, true, null]) {
      const details = { claim, reason: 'type' };
      assertRejected(verifier(), craftClaims({ [claim]: wrong }), 'ERR_JWT_CLAIM', details);
    }
  }
});

test('the secret of these tests signs', () => {
  const [header, payload, tag] = craftClaims({}).split('.');
  const own = createHmac('sha256', SECRET).update(`${header}.${payload}`).digest('base64url');
  assert.equal(tag, own);
});
