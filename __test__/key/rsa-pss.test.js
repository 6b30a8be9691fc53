'use strict';

// RSA keys that are for RSASSA-PSS only (id-RSASSA-PSS, RFC 4055).

const assert = require('node:assert/strict');
const { constants, createPublicKey, sign, verify } = require('node:crypto');
const { test } = require('node:test');

const { JwtIssuer, JwtKey, JwtVerifier } = require('@nodesec/native');
const { keyPair } = require('../helpers/key-pairs.js');
const { cases } = require('../vectors/certificates.json');

const ALGORITHMS = ['PS256', 'PS384', 'PS512'];
const BITS = { modulusLength: 2048 };
const { RSA_PKCS1_PSS_PADDING, RSA_PSS_SALTLEN_DIGEST } = constants;

const pss = (hash, saltLength, mgf1HashAlgorithm = hash) =>
  keyPair('rsa-pss', { ...BITS, hashAlgorithm: hash, saltLength, mgf1HashAlgorithm });

/** Keys with the parameters of Node, and the algorithm that these allow, if any. */
const RESTRICTED = [
  [pss('sha256', 32), 'PS256'],
  // The length of the salt is the least one.
  [pss('sha256', 20), 'PS256'],
  [pss('sha256', 0), 'PS256'],
  [pss('sha256', 33), undefined],
  [pss('sha384', 48), 'PS384'],
  [pss('sha512', 64), 'PS512'],
  [pss('sha512', 65), undefined],
  [pss('sha256', 32, 'sha1'), undefined],
  [pss('sha1', 20), undefined],
  [pss('sha224', 28), undefined],
];
const free = keyPair('rsa-pss', BITS);

const files = ({ privateKey, publicKey }) => [
  privateKey.export({ type: 'pkcs8', format: 'pem' }),
  publicKey.export({ type: 'spki', format: 'pem' }),
  privateKey.export({ type: 'pkcs8', format: 'der' }),
  publicKey.export({ type: 'spki', format: 'der' }),
];

const read = (file, alg) =>
  typeof file === 'string' ? JwtKey.fromPem(file, { alg }) : JwtKey.fromDer(file, { alg });

const refused = (make, message) => assert.throws(make, { code: 'ERR_JWT_KEY', message });

/** Signs with one half and verifies with the other, here and in Node. */
function agrees({ privateKey, publicKey }, alg) {
  const signer = JwtKey.fromKeyObject(privateKey, { alg });
  const reader = JwtKey.fromKeyObject(publicKey, { alg });
  assert.equal(signer.kid, reader.kid);
  const verifier = new JwtVerifier({ keys: reader, issuer: false, audience: false });
  const token = new JwtIssuer({ keys: signer, expiresIn: 60 }).sign({ sub: 'alice' });
  assert.equal(verifier.verify(token).sub, 'alice');
  const [text, signature] = [token.slice(0, token.lastIndexOf('.')), token.split('.')[2]];
  const hash = `sha${alg.slice(2)}`;
  const options = { padding: RSA_PKCS1_PSS_PADDING, saltLength: RSA_PSS_SALTLEN_DIGEST };
  const bytes = Buffer.from(signature, 'base64url');
  assert.ok(verify(hash, text, { key: publicKey, ...options }, bytes));
  const theirs = sign(hash, text, { key: privateKey, ...options }).toString('base64url');
  assert.equal(verifier.verify(`${text}.${theirs}`).sub, 'alice');
}

test('a key for RSASSA-PSS is for the algorithm that its parameters allow', () => {
  for (const [pair, allowed] of RESTRICTED) {
    for (const file of files(pair)) {
      for (const alg of ALGORITHMS) {
        if (alg === allowed) assert.equal(read(file, alg).alg, alg);
        else if (allowed === undefined) refused(() => read(file, alg), /no algorithm of JWS/);
        else refused(() => read(file, alg), new RegExp(`allow ${allowed} only`));
      }
    }
    if (allowed !== undefined) agrees(pair, allowed);
  }
});

test('a key for RSASSA-PSS without parameters is for each algorithm of that padding', () => {
  for (const alg of ALGORITHMS) {
    for (const file of files(free)) assert.equal(read(file, alg).alg, alg);
    agrees(free, alg);
  }
});

test('a key for RSASSA-PSS never signs with another padding', () => {
  for (const pair of [free, RESTRICTED[0][0]]) {
    for (const file of files(pair)) {
      for (const alg of ['RS256', 'RS384', 'RS512']) {
        refused(() => read(file, alg), /RSASSA-PSS/);
      }
      for (const alg of ['ES256', 'EdDSA', 'HS256']) refused(() => read(file, alg), /./);
    }
  }
});

test('an encrypted key for RSASSA-PSS is read', () => {
  const [{ privateKey }] = RESTRICTED[0];
  const passphrase = 'row';
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase });
  assert.equal(JwtKey.fromPem(pem, { alg: 'PS256', passphrase }).private, true);
  refused(() => JwtKey.fromPem(pem, { alg: 'PS512', passphrase }), /allow PS256 only/);
});

test('malformed parameters of RSASSA-PSS are refused', () => {
  const der = RESTRICTED[0][0].publicKey.export({ type: 'spki', format: 'der' });
  const start = der.indexOf(Buffer.from('06092a864886f70d01010a', 'hex'));
  const end = der.indexOf(Buffer.from('038201', 'hex'), start);
  for (let place = start + 11; place < end; place++) {
    for (const bit of [1, 0x80]) {
      const changed = Buffer.from(der);
      changed[place] ^= bit;
      let alg;
      try {
        ({ alg } = JwtKey.fromDer(changed, { alg: 'PS256' }));
      } catch (error) {
        assert.equal(error.code, 'ERR_JWT_KEY', `${place}`);
        continue;
      }
      // A change that we read must leave a key that Node reads, with the same hash.
      const { hashAlgorithm } = createPublicKey({ key: changed, format: 'der', type: 'spki' })
        .asymmetricKeyDetails;
      assert.deepEqual([alg, hashAlgorithm], ['PS256', 'sha256'], `${place}`);
    }
  }
});

test('a certificate for RSASSA-PSS keeps to its parameters', () => {
  const { cert } = cases.find(({ name }) => name === 'RSA-PSS');
  assert.equal(JwtKey.fromCertificate(cert, { alg: 'PS256' }).alg, 'PS256');
  refused(() => JwtKey.fromCertificate(cert, { alg: 'PS384' }), /allow PS256 only/);
  refused(() => JwtKey.fromCertificate(cert, { alg: 'RS256' }), /allow PS256 only/);
});
