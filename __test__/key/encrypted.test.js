'use strict';

// Encrypted PKCS#8 files.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { JwtKey, SecretBuffer } = require('@nodesec/native');
const { keyPair } = require('../helpers/key-pairs.js');
const { coded } = require('../helpers/outcome.js');

const { publicKey, privateKey } = keyPair('ed25519');
const publicJwk = publicKey.export({ format: 'jwk' });
const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });

const refused = (make) => assert.throws(make, coded('ERR_JWT_KEY'));

const sealed = (options) =>
  privateKey.export({ type: 'pkcs8', format: 'pem', passphrase: 'open sesame', ...options });

test('encrypted keys are opened with their passphrase', () => {
  const passphrase = 'open sesame';
  for (const cipher of ['aes-128-cbc', 'aes-192-cbc', 'aes-256-cbc']) {
    const text = sealed({ cipher });
    for (const given of [passphrase, Buffer.from(passphrase), SecretBuffer.fromString(passphrase)]) {
      const key = JwtKey.fromPem(text, { alg: 'EdDSA', passphrase: given });
      assert.equal(key.toPublicJwk().x, publicJwk.x);
    }
    for (const wrong of [undefined, '', 'open sesame!']) {
      refused(() => JwtKey.fromPem(text, { alg: 'EdDSA', passphrase: wrong }));
    }
    refused(() => JwtKey.fromPem(text, { alg: 'ES256', passphrase }));
    const der = sealed({ cipher, format: 'der' });
    assert.equal(JwtKey.fromDer(der, { alg: 'EdDSA', passphrase }).private, true);
  }
  refused(() => JwtKey.fromPem(sealed({ cipher: 'des-ede3-cbc' }), { alg: 'EdDSA', passphrase }));
  refused(() => JwtKey.fromPem(pem, { alg: 'EdDSA', passphrase }));
});

// Made by `openssl pkcs8 -topk8` from one key, with the passphrase "row": -scrypt; the same with a
// parallelism of 127; -v2 aes-256-cbc with -iter 2000001.
const ENCRYPTED = {
  scrypt: `MIGTME8GCSqGSIb3DQEFDTBCMCEGCSsGAQQB2kcECzAUBAhbg/hX2l83FwICQAAC
AQgCAQEwHQYJYIZIAWUDBAEqBBCo+UEt6mXOBC0TMNnJMZDHBECtUkcmJ4fznA7w
eulCKugqDTdAmLulNLp6z5mDv6CYSV8SGqfaGUBna1cgH9a3eAPEr6LC96uBdyON
8ArXdYBR`,
  'much scrypt': `MIGTME8GCSqGSIb3DQEFDTBCMCEGCSsGAQQB2kcECzAUBAhbg/hX2l83FwICQAAC
AQgCAX8wHQYJYIZIAWUDBAEqBBCo+UEt6mXOBC0TMNnJMZDHBECtUkcmJ4fznA7w
eulCKugqDTdAmLulNLp6z5mDv6CYSV8SGqfaGUBna1cgH9a3eAPEr6LC96uBdyON
8ArXdYBR`,
  'much PBKDF2': `MIGcMFgGCSqGSIb3DQEFDTBLMCoGCSqGSIb3DQEFDDAdBAg+HvUB45i4XwIDHoSB
MAwGCCqGSIb3DQIJBQAwHQYJYIZIAWUDBAEqBBDr4+g+VSDKK/TCgLUtSbODBEAq
W0SRw7xvCWAXIDDvUDGw/w4XMGoWyDozEgkG0lwwtF/cHcRbx7xC4E6eQrlGXvcC
s1cTS8dj1MIwxNuX9OOX`,
};

test('an encrypted key does not decide how long its opening takes', () => {
  for (const [what, body] of Object.entries(ENCRYPTED)) {
    const label = 'ENCRYPTED PRIVATE KEY';
    const text = `-----BEGIN ${label}-----\n${body}\n-----END ${label}-----\n`;
    const open = () => JwtKey.fromPem(text, { alg: 'EdDSA', passphrase: 'row' });
    if (what === 'scrypt') assert.equal(open().private, true);
    else assert.throws(open, { code: 'ERR_JWT_KEY', message: /too much work/ });
  }
});
