'use strict';

// One ring in several places: sealed for storage and for other processes, and shared among threads.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { test } = require('node:test');
const { Worker } = require('node:worker_threads');

const { JwtIssuer, JwtKey, JwtVerifier, KeyRing, SecretBuffer } = require('@nodesec/native');
const { coded } = require('../helpers/outcome.js');
const { description, cases } = require('../vectors/sealed-keyrings.json');

const issuer = (keys) => new JwtIssuer({ keys, expiresIn: 60 });
const verifier = (keys) => new JwtVerifier({ keys, issuer: false, audience: false });
const refused = coded('ERR_SECRET_SEAL', { name: 'SecretError' });
const key = SecretBuffer.random(32);

for (const { name, version, key, list, forgotten = [], jwks, sealed } of cases) {
  test(`a ring that was ${description} opens: version ${version}, ${name}`, () => {
    const ring = KeyRing.unseal(Buffer.from(sealed, 'hex'), SecretBuffer.fromString(key, 'hex'));
    assert.equal(Buffer.from(sealed, 'hex')[0], version);
    assert.deepEqual(ring.list(), list.map((info) => ({ ...info, since: new Date(info.since) })));
    const signs = ring.list().filter(({ state }) => state === 'active' || state === 'next');
    // Compare only the keys that sign: retired keys are forgotten at some time.
    const published = JSON.parse(ring.jwks().body).keys;
    for (const { kid } of signs) {
      const jwk = jwks.find((each) => each.kid === kid);
      assert.deepEqual(published.find((each) => each.kid === kid), jwk);
    }
    const active = JwtKey.fromJwk(jwks.find(({ kid }) => kid === signs[0].kid));
    assert.equal(verifier(active).verify(issuer(ring).sign({ sub: 'subject' })).sub, 'subject');
    const revoked = list.filter(({ state }) => state === 'revoked').map(({ kid }) => kid);
    assert.ok(revoked.length > 0);
    for (const kid of [...revoked, ...forgotten]) {
      const again = JwtKey.fromSecret(new Uint8Array(32).fill(1), { alg: 'HS256', kid });
      assert.throws(() => ring.add(again), coded('ERR_KEYRING_DUPLICATE'), kid);
    }
  });
}

test('another process goes on where this one is', async () => {
  for (const alg of ['EdDSA', 'ES256', 'RS256', 'HS256']) {
    const ring = new KeyRing({ alg, jwksMaxAge: 0 });
    await ring.rotate();
    const old = issuer(ring).sign({ n: 1 });
    const { kid } = await ring.rotate();
    const sealed = ring.seal(key);
    assert.ok(Buffer.isBuffer(sealed));
    const opened = KeyRing.unseal(sealed, key);
    assert.deepEqual(opened.list(), ring.list());
    assert.deepEqual(opened.jwks(), ring.jwks());
    assert.equal(verifier(opened).verify(old).n, 1);
    const { header } = verifier(ring).tryVerify(issuer(opened).sign({}));
    assert.equal(header.kid, kid);
  }
});

test('options replace what was sealed', async () => {
  const ring = new KeyRing({ alg: 'EdDSA', jwksMaxAge: '5m', rotateEvery: '1d' });
  await ring.rotate();
  const sealed = ring.seal(key);
  assert.equal(KeyRing.unseal(sealed, key).jwks().maxAge, 300);
  assert.equal(KeyRing.unseal(sealed, key, { jwksMaxAge: 60 }).jwks().maxAge, 60);
  const later = Math.floor(Date.now() / 1000) + 2 * 86_400;
  assert.deepEqual(KeyRing.unseal(sealed, key).tick(later), []);
  assert.equal(KeyRing.unseal(sealed, key, { rotateEvery: '1d' }).tick(later).length, 3);
  assert.throws(() => KeyRing.unseal(sealed, key, { rotateEvery: 300 }), coded('ERR_OUT_OF_RANGE'));
});

test('a sealed ring opens with its own key only, and only as it was sealed', async () => {
  const ring = new KeyRing({ alg: 'EdDSA' });
  await ring.rotate();
  const sealed = ring.seal(key);
  assert.ok(!sealed.equals(ring.seal(key)));
  assert.throws(() => KeyRing.unseal(sealed, SecretBuffer.random(32)), refused);
  for (let at = 0; at < sealed.length; at++) {
    const changed = Buffer.from(sealed);
    changed[at] ^= 1;
    assert.throws(() => KeyRing.unseal(changed, key), refused);
    assert.throws(() => KeyRing.unseal(sealed.subarray(0, at), key), refused);
  }
  const secret = SecretBuffer.random(32).seal(key, { context: 'c' });
  assert.throws(() => KeyRing.unseal(secret, key), refused);
  assert.throws(() => SecretBuffer.unseal(sealed, key, { context: 'c' }), refused);
});

test('a shared ring is one ring', async () => {
  const options = { alg: 'EdDSA', jwksMaxAge: 0 };
  const [one, other] = [KeyRing.shared('one', options), KeyRing.shared('one')];
  const { kid } = await one.rotate();
  assert.equal(other.list()[0].kid, kid);
  assert.deepEqual(KeyRing.shared('other').list(), []);
  assert.throws(
    () => KeyRing.shared('one', { ...options, jwksMaxAge: 1 }),
    coded('ERR_INVALID_ARG_VALUE'),
  );
  assert.throws(() => KeyRing.shared('keys', { keys: [] }), coded('ERR_UNKNOWN_OPTION'));
});

test('options that are left out, or undefined, differ from none', () => {
  const ring = KeyRing.shared('sparse', { alg: 'EdDSA', maxTokenTtl: 60 });
  for (const options of [undefined, {}, { maxTokenTtl: 60 }, { alg: undefined }, { alg: 'EdDSA' }]) {
    assert.deepEqual(KeyRing.shared('sparse', options).list(), ring.list());
  }
  for (const options of [{ maxTokenTtl: 61 }, { alg: 'ES256', maxTokenTtl: 60 }, { rotateEvery: '1d' }]) {
    assert.throws(() => KeyRing.shared('sparse', options), coded('ERR_INVALID_ARG_VALUE'));
  }
});

test('a sealed ring is opened once for the whole process', async () => {
  const before = new KeyRing({ alg: 'EdDSA', jwksMaxAge: 0 });
  const { kid } = await before.rotate();
  const sealed = before.seal(key);
  const one = KeyRing.unseal(sealed, key, { shared: 'restored' });
  assert.equal(one.list()[0].kid, kid);
  one.revoke(kid);
  for (const other of [
    KeyRing.unseal(sealed, key, { shared: 'restored' }),
    KeyRing.shared('restored'),
    // The ring exists already, so the sealed bytes are not read.
    KeyRing.unseal(Buffer.alloc(0), key, { shared: 'restored', alg: 'EdDSA' }),
  ]) {
    assert.deepEqual(other.list(), one.list());
    assert.equal(other.list()[0].state, 'revoked');
  }
  const differs = { shared: 'restored', jwksMaxAge: 1 };
  assert.throws(() => KeyRing.unseal(sealed, key, differs), coded('ERR_INVALID_ARG_VALUE'));
  // If unsealing fails, no ring gets that name.
  assert.throws(() => KeyRing.unseal(Buffer.alloc(9), key, { shared: 'none' }), refused);
  assert.equal(KeyRing.unseal(sealed, key, { shared: 'none' }).list()[0].state, 'active');
});

const WORKER = `
  const { parentPort } = require('node:worker_threads');
  const { JwtIssuer, KeyRing } = require('@nodesec/native');
  const keys = KeyRing.shared('threads');
  parentPort.on('message', async (what) => {
    if (what === 'rotate') await keys.rotate();
    parentPort.postMessage(new JwtIssuer({ keys, expiresIn: 60 }).sign({}));
  });
`;

test('a shared ring is one ring in every thread, and tells each of them', async () => {
  const ring = KeyRing.shared('threads', { alg: 'EdDSA', jwksMaxAge: 0 });
  const heard = [];
  ring.on('change', ({ kid, to }) => heard.push(`${kid} ${to}`));
  const { kid: first } = await ring.rotate();
  const worker = new Worker(WORKER, { eval: true });
  try {
    const ask = async (what) => {
      worker.postMessage(what);
      return (await once(worker, 'message'))[0];
    };
    const verify = verifier(ring);
    const before = await ask('sign');
    assert.equal(verify.tryVerify(before).header.kid, first);
    const after = await ask('rotate');
    const second = verify.tryVerify(after).header.kid;
    assert.notEqual(second, first);
    while (heard.length < 5) await new Promise(setImmediate);
    assert.deepEqual(heard.slice(2, 4), [`${first} retired`, `${second} active`]);
    ring.revoke(first);
    assert.equal(verify.tryVerify(before).code, 'ERR_JWT_REVOKED');
    assert.equal(verify.tryVerify(after).ok, true);
  } finally {
    await worker.terminate();
  }
  // The thread has ended, but the ring still exists.
  assert.equal(verifier(ring).tryVerify(issuer(ring).sign({})).ok, true);
});
