'use strict';

// Public keys of X.509 certificates.

const assert = require('node:assert/strict');
const { X509Certificate, createPublicKey } = require('node:crypto');
const { test } = require('node:test');

const { JwtIssuer, JwtKey, JwtVerifier, SecretBuffer } = require('@nodesec/native');
const { cases } = require('../vectors/certificates.json');
const keys = require('../vectors/keys.json').cases;

const named = (name) => cases.find((entry) => entry.name === name);
const pemOf = (name) => keys.find((entry) => entry.name === name).pem;
const { cert: RSA } = named('RSA');

const refused = (certificate, message, alg = 'RS256') =>
  assert.throws(() => JwtKey.fromCertificate(certificate, { alg }), { code: 'ERR_JWT_KEY', message });

test('the key of a certificate verifies what the key pair signs', () => {
  for (const { name, alg, cert, key } of cases) {
    const der = new X509Certificate(cert).raw;
    const own = JwtKey.fromPem(key, { alg });
    const token = new JwtIssuer({ keys: own, expiresIn: 60 }).sign({ sub: name });
    for (const form of [cert, Buffer.from(cert), SecretBuffer.fromString(cert), der]) {
      const taken = JwtKey.fromCertificate(form, { alg });
      assert.deepEqual([taken.kid, taken.private], [own.kid, false], name);
      const verifier = new JwtVerifier({ keys: taken, issuer: false, audience: false });
      assert.equal(verifier.verify(token).sub, name);
    }
  }
});

test('a certificate may have a kid, text around it and a key beside it', () => {
  const { kid } = JwtKey.fromCertificate(RSA, { alg: 'RS256' });
  assert.equal(JwtKey.fromCertificate(RSA, { alg: 'RS256', kid: 'own' }).kid, 'own');
  for (const text of [
    `subject=CN = rsa\r\n\n${RSA.replaceAll('\n', '\r\n')}\n\nafter`,
    `\ufeff${RSA.replaceAll('\n', ' ')}`,
    RSA.replaceAll('CERTIFICATE', 'X509 CERTIFICATE'),
    pemOf('rsa-2048 pkcs8') + RSA,
  ]) {
    assert.equal(JwtKey.fromCertificate(text, { alg: 'RS256' }).kid, kid, text);
  }
});

test('a certificate of another algorithm, two certificates and no certificate are refused', () => {
  for (const { cert, alg } of cases) {
    for (const other of ['RS512', 'ES256', 'ES384', 'ES512', 'EdDSA']) {
      if (other.slice(0, 2) === alg.slice(0, 2) && !other.startsWith('ES')) continue;
      if (other === alg || (alg.startsWith('PS') && other === 'RS512')) continue;
      refused(cert, /not a valid/, other);
    }
    refused(cert, /secret|not a valid/, 'HS256');
  }
  refused(RSA + named('Ed25519').cert, /one certificate; pass the section of the leaf alone/);
  refused(RSA + RSA, /one certificate/);
  refused(pemOf('rsa-2048 spki'), /no certificate; JwtKey.fromPem/);
  refused(pemOf('certificate request'), /no certificate/);
  refused(RSA.replaceAll('\n', '\\n'), /two characters \\n/);
  refused(RSA.slice(0, -30), /malformed/);
  refused(RSA.replace(/\n.{8}/, '\n'), /not an X.509 certificate/);
  refused('', /no section/);
  refused(new Uint8Array(8), /no section/);
  const der = new X509Certificate(RSA).raw;
  refused(Buffer.concat([der, Buffer.from([0])]), /not an X.509 certificate/);
  for (let length = 0; length < der.length; length += 7) refused(der.subarray(0, length), /./);
});

test('an X509Certificate gives its key, and an object that only looks like one does not', () => {
  const { kid } = JwtKey.fromCertificate(RSA, { alg: 'RS256' });
  assert.equal(JwtKey.fromCertificate(new X509Certificate(RSA), { alg: 'RS256' }).kid, kid);
  const throwing = Object.defineProperty(new X509Certificate(RSA), 'raw', {
    get() {
      throw new Error('no');
    },
  });
  for (const other of [Object.create(X509Certificate.prototype), throwing, { raw: RSA }]) {
    assert.throws(() => JwtKey.fromCertificate(other, { alg: 'RS256' }), {
      code: 'ERR_INVALID_ARG_TYPE',
    });
  }
});

test('the message about a member of x5c, and about DER of the other kind, names the call', () => {
  const der = new X509Certificate(RSA).raw;
  for (const text of [der.toString('base64'), der.toString('base64url'), ` ${der.toString('base64')}\n`]) {
    refused(text, /pass the bytes.* fromCertificate: Buffer\.from\(text, 'base64'\)/);
    assert.equal(JwtKey.fromCertificate(Buffer.from(text, 'base64'), { alg: 'RS256' }).alg, 'RS256');
  }
  refused(createPublicKey(RSA).export({ type: 'spki', format: 'der' }), /is a key.* fromDer/);
  for (const [bytes, message] of [
    [der, /JwtKey\.fromCertificate/],
    [Buffer.from(RSA), /fromPem/],
    [Buffer.from(der.toString('base64')), /Buffer\.from\(text, 'base64'\)/],
  ]) {
    assert.throws(() => JwtKey.fromDer(bytes, { alg: 'RS256' }), { code: 'ERR_JWT_KEY', message });
  }
});

test('fromPem names fromCertificate for a certificate', () => {
  assert.throws(() => JwtKey.fromPem(RSA, { alg: 'RS256' }), {
    code: 'ERR_JWT_KEY',
    message: /JwtKey.fromCertificate/,
  });
});
