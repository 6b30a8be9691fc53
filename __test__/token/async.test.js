'use strict';

// Signing and verifying with promises, on other threads where that pays off.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { test } = require('node:test');
const { Worker } = require('node:worker_threads');

const { JwtIssuer, JwtKey, JwtVerifier, KeyRing, unsafeDecode } = require('@nodesec/native');
const { runScript } = require('../helpers/child.js');
const { keyPair } = require('../helpers/key-pairs.js');
const { coded } = require('../helpers/outcome.js');
const { craftClaims, key, now, verifier } = require('../helpers/tokens.js');

const MAX_TOKENS = 10_000;
const rsa = JwtKey.fromPem(
  keyPair('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' }),
  { alg: 'RS256', kid: 'rsa' },
);
const ofKey = (keys) => new JwtIssuer({ keys, issuer: 'me', audience: 'api', expiresIn: 60 });
const checks = (keys, options) =>
  new JwtVerifier({ keys, issuer: 'me', audience: 'api', ...options });

test('signAsync signs what sign would, with every kind of key', async () => {
  const keys = [key, rsa, await JwtKey.generate('ES256'), await JwtKey.generate('EdDSA')];
  for (const one of keys) {
    const claims = checks(one).verify(await ofKey(one).signAsync({ sub: 'é', n: [1] }));
    assert.deepEqual([claims.sub, claims.n, claims.exp - claims.iat], ['é', [1], 60]);
    const overrides = { audience: ['other'], expiresIn: 5, notBefore: 0 };
    const token = await ofKey(one).signAsync({}, overrides);
    const { aud, exp, iat, nbf } = checks(one, { audience: 'other' }).verify(token);
    assert.deepEqual([aud, exp - iat, nbf], ['other', 5, iat]);
  }
});

test('only RSA signs elsewhere, a hundred at a time', async () => {
  for (const [one, isElsewhere] of [[key, false], [rsa, true]]) {
    let isSettled = false;
    const promise = ofKey(one).signAsync({}).then(() => (isSettled = true));
    // The result of another thread cannot arrive before the event loop has turned.
    for (let turn = 0; turn < 20; turn += 1) await null;
    assert.equal(isSettled, !isElsewhere);
    await promise;
  }
  const issuer = ofKey(rsa);
  const tokens = await Promise.all(Array.from({ length: 100 }, (_, n) => issuer.signAsync({ n })));
  const claims = tokens.map((token) => checks(rsa).verify(token));
  assert.deepEqual(claims.map(({ n }) => n), Array.from({ length: 100 }, (_, n) => n));
  assert.equal(new Set(claims.map(({ jti }) => jti)).size, 100);
});

test('claims, key and time of signAsync are those of the call', async () => {
  const ring = new KeyRing({ alg: 'RS256', keys: [rsa] });
  const claims = { role: 'user' };
  const before = now();
  const promise = ofKey(ring).signAsync(claims);
  claims.role = 'admin';
  await ring.rotate({ force: true });
  const { header, claims: signed } = unsafeDecode(await promise);
  assert.deepEqual([header.kid, signed.role], ['rsa', 'user']);
  assert.ok(signed.iat - before <= 1);
});

test('signAsync rejects with the errors of sign', async () => {
  for (const one of [key, rsa]) {
    const issuer = ofKey(one);
    await assert.rejects(issuer.signAsync({ exp: 1 }), coded('ERR_JWT_CLAIM'));
    await assert.rejects(issuer.signAsync({ n: 1n }), coded('ERR_JWT_CLAIM'));
    await assert.rejects(issuer.signAsync({ a: 'a'.repeat(13_000) }), coded('ERR_OUT_OF_RANGE'));
    await assert.rejects(issuer.signAsync({}, { expiresIn: 0 }), coded('ERR_OUT_OF_RANGE'));
  }
});

test('verifyAsync and tryVerifyAsync are verify and tryVerify as promises', async () => {
  const [good, expired] = [craftClaims({ sub: 'a' }), craftClaims({ exp: 1 })];
  assert.deepEqual(await verifier().verifyAsync(good), verifier().verify(good));
  await assert.rejects(verifier().verifyAsync(expired), coded('ERR_JWT_EXPIRED'));
  for (const token of [good, expired, 1, null, undefined, {}, '', '\ud800', 'a.b.c']) {
    const result = await verifier().tryVerifyAsync(token);
    assert.deepEqual(result, verifier().tryVerify(token));
  }
});

test('verifyMany gives what tryVerify would, in order', async () => {
  const forged = (token) => `${token.slice(0, -1)}${token.endsWith('A') ? 'E' : 'A'}`;
  const tokens = [];
  for (let n = 0; n < 50; n += 1) {
    const token = craftClaims({ n, aud: 'api', iss: 'me' });
    tokens.push(token, forged(token), craftClaims({ n, exp: n }));
  }
  tokens.push(undefined, null, 1, 1n, Symbol('s'), {}, [], '', '.', '\ud800', 'ā'.repeat(100));
  tokens.push('x'.repeat(10e6), `${tokens[0]}${'A'.repeat(20_000)}`, Object(tokens[0]));
  // A hole in the array.
  tokens.length += 1;
  for (const options of [{}, { cache: true }]) {
    const verifier = checks(key, options);
    const results = await verifier.verifyMany(tokens);
    assert.equal(results.filter(({ ok }) => ok).length, 50);
    assert.deepEqual(results, Array.from(tokens, (token) => verifier.tryVerify(token)));
    assert.deepEqual(await verifier.verifyMany(tokens), results);
  }
  assert.deepEqual(await verifier().verifyMany([]), []);
});

test('verifyMany takes 10,000 tokens and no more', async () => {
  const token = craftClaims({});
  const results = await verifier().verifyMany(new Array(MAX_TOKENS).fill(token));
  assert.ok(results.length === MAX_TOKENS && results.every(({ ok }) => ok));
  for (const length of [MAX_TOKENS + 1, 2 ** 32 - 1]) {
    const tokens = [];
    tokens.length = length;
    await assert.rejects(verifier().verifyMany(tokens), coded('ERR_OUT_OF_RANGE'));
  }
});

test('verifyMany reads the array once, at the call', async () => {
  const tokens = [craftClaims({ n: 1 }), craftClaims({ n: 2 })];
  const promise = verifier().verifyMany(tokens);
  tokens.reverse();
  tokens.pop();
  const results = await promise;
  assert.deepEqual(results.map(({ claims }) => claims.n), [1, 2]);
  const thrown = new Error('of a getter');
  const hostile = Object.defineProperty([1], 0, {
    get() {
      throw thrown;
    },
  });
  await assert.rejects(verifier().verifyMany(hostile), thrown);
});

test('others have their turn on libuv’s pool before a long verifyMany is done', async () => {
  const { code, stdout, stderr } = await runScript(
    `
    const fs = require('node:fs');
    const { JwtIssuer, JwtKey, JwtVerifier } = require('@nodesec/native');
    const keys = JwtKey.fromSecret(Buffer.alloc(32, 7), { alg: 'HS256' });
    const verifier = new JwtVerifier({ keys, issuer: false, audience: false });
    const tokens = new Array(2000).fill(new JwtIssuer({ keys, expiresIn: 60 }).sign({}));
    verifier.verifyMany(tokens).then((results) => console.log(results.every(({ ok }) => ok)));
    fs.stat('.', () => console.log('stat'));`,
    // With one thread, jobs run one after the other.
    { env: { UV_THREADPOOL_SIZE: '1' } },
  );
  assert.deepEqual([code, stdout, stderr], [0, 'stat\ntrue\n', '']);
});

test('a worker may end while others of its threads sign and verify', async () => {
  const pem = keyPair('rsa', { modulusLength: 4096 })
    .privateKey.export({ type: 'pkcs8', format: 'pem' });
  const code = `
    const { parentPort, workerData } = require('node:worker_threads');
    const { JwtIssuer, JwtKey, JwtVerifier } = require('@nodesec/native');
    const keys = JwtKey.fromPem(workerData, { alg: 'PS512', kid: 'k' });
    const issuer = new JwtIssuer({ keys, expiresIn: 60 });
    const verifier = new JwtVerifier({ keys, issuer: false, audience: false });
    const tokens = new Array(2000).fill(issuer.sign({}));
    for (let n = 0; n < 50; n += 1) issuer.signAsync({ n });
    verifier.verifyMany(tokens);
    parentPort.postMessage('busy');
    setInterval(() => {}, 1000);`;
  for (let round = 0; round < 3; round += 1) {
    const worker = new Worker(code, { eval: true, workerData: pem });
    await once(worker, 'message');
    await worker.terminate();
  }
  assert.ok(checks(rsa).verify(await ofKey(rsa).signAsync({})));
});

test('a process may end while its threads sign', async () => {
  const { code, stderr } = await runScript(`
    const { JwtIssuer, JwtKey } = require('@nodesec/native');
    JwtKey.generate('RS256', { modulusLength: 4096 }).then((keys) => {
      const issuer = new JwtIssuer({ keys, expiresIn: 60 });
      for (let n = 0; n < 20; n += 1) issuer.signAsync({ n });
      process.exit(3);
    });`);
  assert.deepEqual([code, stderr], [3, '']);
});
