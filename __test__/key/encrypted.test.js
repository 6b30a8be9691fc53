'use strict';

// Encrypted PKCS#8 files.

const assert = require('node:assert/strict');
const { createPrivateKey } = require('node:crypto');
const { test } = require('node:test');

const { JwtKey, SecretBuffer } = require('@nodesec/native');
const { keyPair } = require('../helpers/key-pairs.js');
const { coded } = require('../helpers/outcome.js');

const { publicKey, privateKey } = keyPair('ed25519');
const publicJwk = publicKey.export({ format: 'jwk' });
const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });

const refused = (make) => assert.throws(make, coded('ERR_JWT_KEY'));

const refusedFor = (make, message) => assert.throws(make, { code: 'ERR_JWT_KEY', message });

const sealed = (options) =>
  privateKey.export({ type: 'pkcs8', format: 'pem', passphrase: 'open sesame', ...options });

test('encrypted keys are opened with their passphrase', () => {
  const passphrase = 'open sesame';
  for (const cipher of ['aes-128-cbc', 'aes-192-cbc', 'aes-256-cbc', 'des-ede3-cbc']) {
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

// As above, with -v2 des3 or -v2 aes-256-cbc and -v2prf hmacWithSHA…. Left out, `-v2prf` was SHA-1
// before OpenSSL 1.1, and Snowflake's manual has its readers pass -v2 des3.
const OLDER = {
  'SHA-1, des3': `MHwwQAYJKoZIhvcNAQUNMDMwGwYJKoZIhvcNAQUMMA4ECAfJwTVuetuWAgIIADAU
BggqhkiG9w0DBwQIlrczRbgpaWcEOCQN/pBO5NHN1R0ZUHp0MHwnBhY+kuDOMcrR
JEbhwJutjp66h/BACASI0SlzyOtqablVnpZon0k0`,
  'SHA-1, aes-256-cbc': `MIGNMEkGCSqGSIb3DQEFDTA8MBsGCSqGSIb3DQEFDDAOBAhn79VaLxogDAICCAAw
HQYJYIZIAWUDBAEqBBC2IxTMdqwtSMtI/aC/CzflBEDOhOeT0mvgH9v2KmtXixu1
Tw4Et4eb7n/6Y0ZE8b9gcoVKS6LJNixeySWNu86Rj7/mvCU46U92jE+qD8mbDE8E`,
  'SHA-224, aes-256-cbc': `MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAjn51lMRwVtBwICCAAw
DAYIKoZIhvcNAggFADAdBglghkgBZQMEASoEEIvq6a3yka7v6myDwexS12EEQLOt
udUnkVcRmOanB4PgBMuQQfrh9eu+egj57Z9lQqY/Mjqi1CsNL5IWwUngP7NP6j8g
ekfQph22ZodZhOmGetE=`,
  'SHA-384, aes-256-cbc': `MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAjldI/Dp7Y3xwICCAAw
DAYIKoZIhvcNAgoFADAdBglghkgBZQMEASoEENLpc4+HBxVBH799tavGOH4EQJuV
NlEjsDOt4nFGq+iAEk3A5LTbVma7vcWY7zIy5wqYXAX9QNG2Ee7FM4f4+8YSdE2u
P6aKpRkYvA7GnnT3O4Q=`,
  'SHA-512, des3': `MIGKME4GCSqGSIb3DQEFDTBBMCkGCSqGSIb3DQEFDDAcBAiEcSSalUbC2QICCAAw
DAYIKoZIhvcNAgsFADAUBggqhkiG9w0DBwQI8Qh5VTUk+NoEOF1giPt8JVED8fJl
1H5iH2ivhs6zLK9J9gCJA3uFtBmjtZ4VIGiq4Ol2TW/RIa3MkbqeoSAjGwgH`,
  'SHA-512, aes-256-cbc': `MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAhDvgdMZZKdFAICCAAw
DAYIKoZIhvcNAgsFADAdBglghkgBZQMEASoEEEgP1rT+pRzpsiwcbXsG3lcEQFQH
6FuFefs/QOSf3pkh4UwGdcVz27BY/7MektmapmLpH8kVcD0Ds97P0ZUNEEr1r82R
DHVDc48CQSzFl04/DQk=`,
};

test('a key is opened that openssl encrypts with any hash, or with triple DES', () => {
  const kids = Object.entries(OLDER).map(([name, body]) => {
    const der = Buffer.from(body, 'base64');
    const object = createPrivateKey({ key: der, type: 'pkcs8', format: 'der', passphrase: 'row' });
    const { kid } = JwtKey.fromDer(der, { alg: 'EdDSA', passphrase: 'row' });
    assert.equal(kid, JwtKey.fromKeyObject(object, { alg: 'EdDSA' }).kid, name);
    assert.throws(() => JwtKey.fromDer(der, { alg: 'EdDSA', passphrase: 'raw' }), {
      message: 'the passphrase does not decrypt the key',
    });
    return kid;
  });
  assert.equal(new Set(kids).size, 1);
});

test('an encryption that is not read is refused with the remedy', () => {
  // -v1 PBE-SHA1-3DES, of PKCS#12; and -traditional of `openssl rsa -aes128`.
  const v1 = `MFgwHAYKKoZIhvcNAQwBAzAOBAgpCY2bEsqM9QICCAAEONP+Vtqu9FsLALVktPh4
4hlpQtPa/3bZTfJo0YezQnI04GN//Oo1oKZ22bZ+dK5JvfNVHoXrZlIK`;
  refusedFor(() => JwtKey.fromDer(Buffer.from(v1, 'base64'), { alg: 'EdDSA', passphrase: 'row' }),
    /PBES2.*openssl pkcs8 -topk8 -v2 aes-256-cbc/);
  const { privateKey: rsa } = keyPair('rsa', { modulusLength: 2048 });
  const options = { type: 'pkcs1', format: 'pem', cipher: 'aes-128-cbc', passphrase: 'row' };
  refusedFor(() => JwtKey.fromPem(rsa.export(options), { alg: 'RS256', passphrase: 'row' }),
    /legacy encryption; convert it to PKCS#8: openssl pkcs8 -topk8/);
});

test('an encrypted key does not decide how long its opening takes', () => {
  for (const [what, body] of Object.entries(ENCRYPTED)) {
    const label = 'ENCRYPTED PRIVATE KEY';
    const text = `-----BEGIN ${label}-----\n${body}\n-----END ${label}-----\n`;
    const open = () => JwtKey.fromPem(text, { alg: 'EdDSA', passphrase: 'row' });
    if (what === 'scrypt') assert.equal(open().private, true);
    else assert.throws(open, { code: 'ERR_JWT_KEY', message: /too much work/ });
  }
});
