'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { JwtIssuer, JwtKey, JwtVerifier, KeyRing } = require('@nodesec/native');
const { keyPair } = require('../helpers/key-pairs.js');
const { coded } = require('../helpers/outcome.js');

const states = (ring) => ring.list().map(({ state }) => state);
const kids = (ring) => JSON.parse(ring.jwks().body).keys.map(({ kid }) => kid);
const issuer = (keys) => new JwtIssuer({ keys, expiresIn: 60 });
const verifier = (keys) => new JwtVerifier({ keys, issuer: false, audience: false });
const code = (verifier, token) => verifier.tryVerify(token).code;

test('the first rotation makes an active key and publishes the next', async () => {
  const ring = new KeyRing({ alg: 'EdDSA' });
  const { kid } = await ring.rotate();
  const list = ring.list();
  assert.deepEqual(states(ring), ['active', 'next']);
  assert.equal(list[0].kid, kid);
  assert.ok(list.every(({ alg, since }) => alg === 'EdDSA' && since instanceof Date));
  assert.ok(Math.abs(list[0].since - Date.now()) < 3600_000);
  assert.deepEqual(kids(ring), list.map((key) => key.kid));
});

test('a key is published before it signs', async () => {
  const ring = new KeyRing({ alg: 'EdDSA' });
  await ring.rotate();
  await assert.rejects(ring.rotate(), coded('ERR_KEYRING_NOT_PUBLISHED'));
  await assert.rejects(ring.rotate({ force: false }), coded('ERR_KEYRING_NOT_PUBLISHED'));
  assert.deepEqual(states(ring), ['active', 'next']);
  const [, next] = ring.list();
  assert.equal((await ring.rotate({ force: true })).kid, next.kid);
  assert.deepEqual(states(ring), ['retired', 'active', 'next']);
});

test('where nobody caches the JWKS, every rotation goes on', async () => {
  const ring = new KeyRing({ alg: 'EdDSA', jwksMaxAge: 0 });
  for (let n = 0; n < 4; n++) await ring.rotate();
  assert.deepEqual(states(ring), ['retired', 'retired', 'retired', 'active', 'next']);
});

test('issuers and verifiers follow the ring', async () => {
  const ring = new KeyRing({ alg: 'EdDSA', jwksMaxAge: 0 });
  assert.throws(() => issuer(ring).sign({}), coded('ERR_KEYRING_NO_ACTIVE_KEY'));
  const [sign, verify] = [issuer(ring), verifier(ring)];
  const tokens = [];
  for (let n = 0; n < 3; n++) {
    const { kid } = await ring.rotate();
    const token = sign.sign({ n });
    tokens.push(token);
    assert.equal(verify.tryVerify(token).header.kid, kid);
  }
  assert.deepEqual(tokens.map((token) => verify.verify(token).n), [0, 1, 2]);
});

test('rotations at the same time leave one active and one next key', async () => {
  const ring = new KeyRing({ alg: 'EdDSA', jwksMaxAge: 0 });
  await Promise.all([ring.rotate(), ring.rotate(), ring.rotate()]);
  const found = states(ring);
  assert.equal(found.filter((state) => state === 'active').length, 1);
  assert.equal(found.filter((state) => state === 'next').length, 1);
});

test('a revoked key is refused at once and for good', async () => {
  const ring = new KeyRing({ alg: 'EdDSA', jwksMaxAge: 0 });
  const { kid } = await ring.rotate();
  const [sign, verify] = [issuer(ring), verifier(ring)];
  const token = sign.sign({});
  assert.equal(verify.tryVerify(token).ok, true);
  ring.revoke(kid);
  assert.equal(code(verify, token), 'ERR_JWT_REVOKED');
  assert.throws(() => sign.sign({}), coded('ERR_KEYRING_NO_ACTIVE_KEY'));
  assert.deepEqual(states(ring), ['revoked', 'next']);
  assert.ok(!kids(ring).includes(kid));
  await ring.rotate();
  assert.equal(verify.tryVerify(sign.sign({})).ok, true);
  assert.equal(code(verify, token), 'ERR_JWT_REVOKED');
  assert.throws(() => ring.revoke('nobody'), coded('ERR_KEYRING_UNKNOWN_KEY'));
});

test('a ring takes keys that were made elsewhere', () => {
  const { privateKey, publicKey } = keyPair('ed25519');
  const key = JwtKey.fromKeyObject(privateKey, { alg: 'EdDSA', kid: 'one' });
  const other = JwtKey.fromKeyObject(privateKey, { alg: 'EdDSA', kid: 'two' });
  const third = JwtKey.fromKeyObject(publicKey, { alg: 'EdDSA', kid: 'three' });
  const ring = new KeyRing();
  ring.add(key);
  ring.add(other);
  assert.deepEqual(states(ring), ['active', 'next']);
  assert.throws(() => ring.add(key), coded('ERR_KEYRING_DUPLICATE'));
  for (const state of [undefined, 'next', 'active']) {
    assert.throws(() => ring.add(third, { state }), coded('ERR_JWT_KEY'));
  }
  ring.add(third, { state: 'retired' });
  ring.revoke('two');
  assert.throws(() => ring.add(other), coded('ERR_KEYRING_DUPLICATE'));
  assert.deepEqual(states(ring), ['active', 'revoked', 'retired']);
  assert.deepEqual(states(new KeyRing({ keys: [key, third] })), ['active', 'retired']);
});

test('the next key verifies, for another process may use it already', () => {
  const { privateKey } = keyPair('ed25519');
  const [one, two] = ['one', 'two'].map((kid) =>
    JwtKey.fromKeyObject(privateKey, { alg: 'EdDSA', kid }),
  );
  const ring = new KeyRing({ keys: [one] });
  const token = issuer(two).sign({});
  const verify = verifier(ring);
  assert.equal(code(verify, token), 'ERR_JWT_KEY_NOT_FOUND');
  ring.add(two, { state: 'next' });
  assert.equal(verify.tryVerify(token).ok, true);
});

test('the JWKS holds public keys only', async () => {
  const ring = new KeyRing({ alg: 'ES256', jwksMaxAge: '5m' });
  ring.add(await JwtKey.generate('HS256'));
  assert.deepEqual(JSON.parse(ring.jwks().body), { keys: [] });
  for (const alg of ['ES256', 'RS256', 'EdDSA']) ring.add(await JwtKey.generate(alg));
  const { body, etag, maxAge } = ring.jwks();
  const keys = JSON.parse(body).keys;
  assert.deepEqual(keys.map(({ alg }) => alg), ['ES256', 'RS256', 'EdDSA']);
  const secret = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k'];
  for (const key of keys) {
    assert.ok(secret.every((member) => !(member in key)));
    assert.equal(key.use, 'sig');
  }
  assert.match(etag, /^"[\w-]+"$/);
  assert.equal(maxAge, 300);
  assert.equal(ring.jwks().etag, etag);
  ring.revoke(keys[0].kid);
  assert.notEqual(ring.jwks().etag, etag);
});

test('jose verifies by the JWKS what the ring has signed', async () => {
  const { createLocalJWKSet, jwtVerify } = await import('jose');
  const ring = new KeyRing({ alg: 'RS256', jwksMaxAge: 0 });
  const signer = issuer(ring);
  const tokens = [];
  for (let n = 0; n < 2; n++) {
    await ring.rotate();
    tokens.push(signer.sign({ n }));
  }
  const jwks = () => createLocalJWKSet(JSON.parse(ring.jwks().body));
  for (const [n, token] of tokens.entries()) {
    assert.equal((await jwtVerify(token, jwks())).payload.n, n);
  }
  ring.revoke(ring.list()[0].kid);
  await assert.rejects(jwtVerify(tokens[0], jwks()), { code: 'ERR_JWKS_NO_MATCHING_KEY' });
  await jwtVerify(tokens[1], jwks());
});

test('a ring of HMAC keys rotates as others do', async () => {
  const ring = new KeyRing({ alg: 'HS256', jwksMaxAge: 0 });
  await ring.rotate();
  const token = issuer(ring).sign({ sub: 'subject' });
  await ring.rotate();
  assert.equal(verifier(ring).verify(token).sub, 'subject');
});

test('a full ring takes no other key', async () => {
  const secret = Buffer.alloc(32, 1);
  const key = (n) => JwtKey.fromSecret(secret, { alg: 'HS256', kid: `k${n}` });
  const ring = new KeyRing({ alg: 'EdDSA', keys: Array.from({ length: 1000 }, (_, n) => key(n)) });
  assert.throws(() => ring.add(key(1000), { state: 'retired' }), coded('ERR_KEYRING_FULL'));
  await assert.rejects(ring.rotate({ force: true }), coded('ERR_KEYRING_FULL'));
  assert.equal(ring.list().length, 1000);
  // The active key still signs.
  assert.equal(code(verifier(ring), issuer(ring).sign({})), undefined);
});
