'use strict';

// A set of certificates by kid, as Google and Firebase publish it, from a real server.

const assert = require('node:assert/strict');
const { constants, createPrivateKey, createPublicKey, sign: signBytes } = require('node:crypto');
const { test } = require('node:test');

const { RemoteJwks } = require('@nodesec/native');
const { keyPair } = require('../helpers/key-pairs.js');
const { KeyServer, clock, consumer } = require('../helpers/key-server.js');
const { coded } = require('../helpers/outcome.js');
const { now, segment } = require('../helpers/tokens.js');
const { cases } = require('../vectors/certificates.json');

const named = (name) => cases.find((entry) => entry.name === name);
const [RSA, EC, ED] = ['RSA', 'P-256', 'Ed25519'].map(named);
/** A key of no certificate. */
const OTHER = { key: keyPair('rsa', { modulusLength: 2048 }).privateKey };
const UNKNOWN = 'ERR_JWT_KEY_NOT_FOUND';

/** A token of the key of a certificate. */
function tokenOf({ key }, alg, kid) {
  const signed = `${segment({ alg, kid })}.${segment({ sub: kid, exp: now() + 1000 })}`;
  const padding = alg.startsWith('PS') ? constants.RSA_PKCS1_PSS_PADDING : constants.RSA_PKCS1_PADDING;
  const saltLength = constants.RSA_PSS_SALTLEN_DIGEST;
  const own = typeof key === 'string' ? createPrivateKey(key) : key;
  const rsa = own.asymmetricKeyType === 'rsa' ? { padding, saltLength } : {};
  const hash = alg === 'EdDSA' ? null : 'sha256';
  const options = { key: own, dsaEncoding: 'ieee-p1363', ...rsa };
  return `${signed}.${signBytes(hash, Buffer.from(signed), options).toString('base64url')}`;
}

async function served(t, set, options) {
  const server = await KeyServer.start(t);
  server.answer = (request, response) => {
    response.writeHead(200, { 'content-type': 'application/json', ...server.headers });
    response.end(JSON.stringify(set));
  };
  return { server, ...consumer(server, { format: 'x509', ...options }) };
}

test('tokens verify with the certificates that their kid names, expired ones too', async (t) => {
  const expired = named('RSA, expired');
  const set = { a: RSA.cert, b: EC.cert, c: ED.cert, d: expired.cert };
  const { codeAsync, remote } = await served(t, set);
  for (const [entry, alg, kid, expected] of [
    [RSA, 'RS256', 'a', undefined],
    [EC, 'ES256', 'b', undefined],
    [ED, 'EdDSA', 'c', undefined],
    [expired, 'RS256', 'd', undefined],
    [OTHER, 'RS256', 'a', 'ERR_JWT_SIGNATURE'],
    [RSA, 'PS256', 'a', 'ERR_JWT_ALGORITHM'],
    [RSA, 'RS256', 'z', UNKNOWN],
  ]) {
    assert.equal(await codeAsync(tokenOf(entry, alg, kid)), expected, `${alg} ${kid}`);
  }
  assert.deepEqual(remote.status().ignored, []);
});

test('algorithms say for which algorithms an RSA certificate is', async (t) => {
  const { codeAsync, remote } = await served(t, { a: RSA.cert, b: EC.cert }, { algorithms: ['PS256', 'RS256'] });
  assert.equal(await codeAsync(tokenOf(RSA, 'PS256', 'a')), undefined);
  assert.equal(await codeAsync(tokenOf(RSA, 'RS256', 'a')), undefined);
  assert.deepEqual(remote.list(), ['PS256', 'RS256'].map((alg) => ({ kid: 'a', alg })));
  assert.equal(await codeAsync(tokenOf(EC, 'ES256', 'b')), UNKNOWN);
  const reason = 'the key is for none of the accepted algorithms (`algorithms`)';
  assert.deepEqual(remote.status().ignored, [{ kid: 'b', reason }]);
});

test('a certificate that cannot be read is reported and takes no other away', async (t) => {
  const set = { a: RSA.cert, b: EC.cert.replace('MII', 'AAA'), c: RSA.cert + EC.cert, ['k'.repeat(300)]: ED.cert };
  const { codeAsync, events, remote } = await served(t, set);
  assert.equal(await codeAsync(tokenOf(RSA, 'RS256', 'a')), undefined);
  const { ignored } = remote.status();
  assert.deepEqual(ignored, events[0].ignored);
  assert.deepEqual(ignored.map(({ kid }) => kid), ['b', 'c', undefined]);
  assert.deepEqual(ignored.map(({ reason }) => reason), [
    'this is not an X.509 certificate in PEM or DER',
    'the PEM must have one certificate; pass the section of the leaf alone',
    'the kid of an entry must be 1 to 256 bytes long',
  ]);
});

test('Cache-Control and the size limit hold as for a JWK Set, and a new set replaces the old', async (t) => {
  const advance = clock(t);
  const set = { a: RSA.cert };
  const { codeAsync, events, remote, server } = await served(t, set, { maxBytes: 4096 });
  server.headers = { 'cache-control': 'public, max-age=300', etag: '"1"' };
  assert.equal(await codeAsync(tokenOf(RSA, 'RS256', 'a')), undefined);
  assert.equal(events[0].freshFor, 300);
  delete set.a;
  set.b = EC.cert;
  advance(240);
  await codeAsync(tokenOf(EC, 'ES256', 'b'));
  await remote.refresh();
  assert.equal(server.requests[1].headers['if-none-match'], '"1"');
  assert.equal(await codeAsync(tokenOf(EC, 'ES256', 'b')), undefined);
  assert.equal(await codeAsync(tokenOf(RSA, 'RS256', 'a')), UNKNOWN);
  set.c = 'x'.repeat(4096);
  await assert.rejects(remote.refresh(), /longer than maxBytes/);
  delete set.c;
  delete set.b;
  await remote.refresh();
  assert.deepEqual(remote.list(), []);
});

test('an answer in the other format is refused with the option that reads it', async (t) => {
  const { n, e } = createPrivateKey(RSA.key).export({ format: 'jwk' });
  const jwks = { keys: [{ kty: 'RSA', n, e, kid: 'a' }] };
  for (const [set, format, message] of [
    [{ a: RSA.cert }, 'jwks', /not a JWK Set: .*format: 'x509'/],
    [jwks, 'x509', /not a set of certificates: .*leave the option format out/],
    [{ keys: [] }, 'x509', /not a set of certificates/],
    [{ error: 'not found' }, 'x509', /not a set of certificates/],
    [{ a: 7, b: null }, 'x509', /not a set of certificates/],
    [[RSA.cert], 'x509', /not a set of certificates/],
  ]) {
    const { remote } = await served(t, set, { format });
    await assert.rejects(remote.refresh(), (error) => {
      assert.match(error.message, message);
      assert.ok(!error.message.includes('MII'));
      return coded('ERR_JWT_KEYS_UNAVAILABLE')(error);
    });
  }
});

test('a value that is no text is reported and takes no other away', async (t) => {
  const { codeAsync, remote } = await served(t, { a: RSA.cert, b: 7, c: null, d: [EC.cert], e: 'none' });
  assert.equal(await codeAsync(tokenOf(RSA, 'RS256', 'a')), undefined);
  const reason = 'the value is not a PEM text';
  assert.deepEqual(remote.status().ignored, ['b', 'c', 'd', 'e'].map((kid) => ({ kid, reason })));
});

test('public keys by kid, as Google IAP publishes them, verify its tokens', async (t) => {
  const spki = ({ key }) => createPublicKey(key).export({ type: 'spki', format: 'pem' });
  const set = { ec: spki(EC), rsa: spki(RSA), private: ED.key };
  const { codeAsync, remote } = await served(t, set);
  assert.equal(await codeAsync(tokenOf(EC, 'ES256', 'ec')), undefined);
  assert.equal(await codeAsync(tokenOf(RSA, 'RS256', 'rsa')), undefined);
  assert.equal(await codeAsync(tokenOf(ED, 'EdDSA', 'private')), UNKNOWN);
  const reason = 'the PEM has a private key, so everyone can sign with it: replace the key';
  assert.deepEqual(remote.status().ignored, [{ kid: 'private', reason }]);
});

test('certificates are no bundle of SPIFFE', () => {
  const make = () => new RemoteJwks('https://keys.example/', { format: 'x509', use: 'jwt-svid' });
  assert.throws(make, coded('ERR_INVALID_ARG_VALUE'));
});
