'use strict';

// Several copies of the package in one process: the JavaScript is loaded again over the same native
// part, as test runners do, or the package is installed again below a dependency.

const assert = require('node:assert/strict');
const { cpSync, mkdtempSync, rmSync } = require('node:fs');
const { tmpdir } = require('node:os');
const path = require('node:path');
const { test } = require('node:test');
const { setImmediate } = require('node:timers/promises');

const native = require('@nodesec/native');
const { useEverything } = require('../helpers/everything.js');
const { outcome } = require('../helpers/outcome.js');

function loadAgain() {
  for (const file of Object.keys(require.cache)) {
    if (!file.includes('node_modules') && !file.includes('__test__')) delete require.cache[file];
  }
  return require('@nodesec/native');
}

/** Makes a second installation: another native part, which may have another version. */
function installAgain() {
  const folder = mkdtempSync(path.join(tmpdir(), 'nodesec-copy-'));
  for (const part of ['index.js', 'lib', 'npm', 'package.json']) {
    cpSync(path.join(__dirname, '..', '..', part), path.join(folder, part), { recursive: true });
  }
  // Windows does not allow the removal of a loaded file.
  if (process.platform !== 'win32') {
    process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  }
  return require(folder);
}

const reloaded = loadAgain();
const installed = installAgain();

/** Calls that give objects of one copy to functions of the other. */
function exchange(makers, takers) {
  const key = makers.JwtKey.fromSecret(Buffer.alloc(32, 7), { alg: 'HS256' });
  const ring = new makers.KeyRing({ keys: [key] });
  const secret = makers.SecretBuffer.random(32);
  const revocations = new makers.RevocationList();
  const issuer = new makers.JwtIssuer({ keys: ring, expiresIn: 60 });
  const digest = makers.hashSync('password', { profile: 'test', secret });
  const policy = { keys: key, issuer: false, audience: false, revocations };
  return {
    'a pepper': () => takers.verify(digest, 'password', { secret }),
    'a secret as a key': () => takers.JwtKey.fromSecret(secret, { alg: 'HS256' }),
    'a secret to compare': () => takers.SecretBuffer.random(32).equals(secret),
    'a key in a ring': () => new takers.KeyRing({ keys: [key] }),
    'a ring to sign with': () => new takers.JwtIssuer({ keys: ring, expiresIn: 60 }).sign({}),
    'a list to verify against': () => new takers.JwtVerifier(policy).verify(issuer.sign({})),
    sessions: () => new takers.Sessions({ issuer, revocations }).start('subject'),
  };
}

for (const [name, copy] of Object.entries({ reloaded, installed })) {
  test(`the ${name} copy works, and so does the first one`, async () => {
    assert.notEqual(copy, native);
    assert.deepEqual(Object.keys(copy), Object.keys(native));
    await useEverything(copy);
    await useEverything(native);
  });

  test(`the ${name} copy’s errors are of its own classes`, () => {
    for (const each of [native, copy]) {
      assert.throws(() => each.randomToken(-1), each.ArgumentError);
    }
  });
}

test('the errors of promises, hot calls and constructors are of the copy that was called', async () => {
  const key = native.JwtKey.fromSecret(Buffer.alloc(32, 7), { alg: 'HS256' });
  for (const [each, other] of [[native, reloaded], [reloaded, native]]) {
    const policy = { keys: key, issuer: false, audience: false };
    const signal = AbortSignal.abort();
    const calls = {
      ArgumentError: () => new each.RateLimiter({ limit: 0, windowMs: 1 }),
      LimitError: () => new each.RateLimiter({ limit: 1, windowMs: 1 }).check('key', 2),
      JwtError: () => new each.JwtVerifier(policy).verify('a.b.c'),
      PasswordError: () => each.verify('no digest', 'password'),
      AbortError: () => each.hash('password', { profile: 'test', signal }),
    };
    for (const [name, call] of Object.entries(calls)) {
      const { error } = await outcome(call);
      assert.ok(error instanceof each[name], `${name}: ${error}`);
      assert.ok(!(error instanceof other.NodesecError), name);
    }
  }
});

test('methods of one copy take a secret of the other as `this`, or throw', () => {
  const { equals, clone, seal, toString } = reloaded.SecretBuffer.prototype;
  const secret = native.SecretBuffer.from(Buffer.alloc(32, 7));
  const same = native.SecretBuffer.from(Buffer.alloc(32, 7));
  assert.equal(equals.call(secret, same), true);
  assert.equal(equals.call(secret, Buffer.alloc(32, 8)), false);
  assert.throws(() => equals.call(secret, 'text'), reloaded.ArgumentError);
  for (const stranger of [{}, undefined, native, new Proxy(secret, {})]) {
    assert.throws(() => equals.call(stranger, same), { code: 'ERR_INVALID_THIS' });
  }
  assert.equal(equals.call(secret, clone.call(secret)), true);
  const sealed = seal.call(secret, same, { context: 'copies' });
  assert.ok(reloaded.SecretBuffer.unseal(sealed, same, { context: 'copies' }).equals(secret));
  assert.equal(toString.call(secret), '[SecretBuffer]');
});

for (const [makers, takers, direction] of [
  [native, reloaded, 'of the first copy'],
  [reloaded, native, 'of the other copy'],
]) {
  test(`sessions follow the clocks of an issuer and a list ${direction}`, async () => {
    let time = new Date('2030-01-01T00:00:00Z');
    const clock = () => time;
    const keys = makers.JwtKey.fromSecret(Buffer.alloc(32, 7), { alg: 'HS256' });
    const issuer = new makers.JwtIssuer({ keys, expiresIn: '15m', clock });
    const revocations = new makers.RevocationList({ clock });
    const sessions = new takers.Sessions({ issuer, revocations, clock });
    await sessions.start('subject');
    time = new Date('2030-01-02T00:00:00Z');
    const { accessToken } = await sessions.start('subject');
    assert.equal(takers.unsafeDecode(accessToken).claims.iat, time.getTime() / 1000);
  });

  test(`sessions wait for the first key of an issuer ${direction}`, async () => {
    const keys = new makers.KeyRing({ alg: 'RS256', rotateEvery: '30d' });
    const issuer = new makers.JwtIssuer({ keys, expiresIn: '15m' });
    const sessions = new takers.Sessions({ issuer, revocations: new makers.RevocationList() });
    const { accessToken } = await sessions.start('subject');
    assert.equal(takers.unsafeDecode(accessToken).header.alg, 'RS256');
  });
}

/** A set of keys that is fetched from a ring. */
function remoteKeys(copy, ring) {
  const fetch = async () => new Response(ring.jwks().body);
  return new copy.RemoteJwks('https://id.example/jwks', { fetch });
}

for (const [makers, takers, direction] of [
  [native, reloaded, 'of the first copy'],
  [reloaded, native, 'of the other copy'],
]) {
  test(`a RemoteJwks ${direction} is fetched by JwtVerifier`, async () => {
    const ring = new makers.KeyRing({ alg: 'ES256' });
    await ring.rotate();
    const issuer = new makers.JwtIssuer({ keys: ring, expiresIn: 60 });
    const keys = remoteKeys(makers, ring);
    const verifier = new takers.JwtVerifier({ keys, issuer: false, audience: false });
    assert.equal((await verifier.verifyAsync(issuer.sign({ sub: 'ada' }))).sub, 'ada');
  });

  test(`a RemoteJwks ${direction} is fetched as the bundle of JwtVerifier.spiffe`, async () => {
    const key = await makers.JwtKey.generate('ES256', { kid: 'a' });
    const { crv, kty, x, y } = key.toPublicJwk();
    const jwk = { crv, kty, x, y, kid: 'a', use: 'jwt-svid' };
    const keys = new makers.RemoteJwks('https://id.example/bundle', {
      use: 'jwt-svid',
      fetch: async () => Response.json({ keys: [jwk] }),
    });
    const trustDomain = 'example.org';
    const verifier = takers.JwtVerifier.spiffe({ bundle: keys, trustDomain, audience: 'api' });
    const issuer = new makers.JwtIssuer({ keys: key, expiresIn: 60 });
    const token = issuer.sign({ sub: `spiffe://${trustDomain}/ada` }, { audience: 'api' });
    const { sub } = await verifier.verifyAsync(token);
    assert.equal(sub, `spiffe://${trustDomain}/ada`);
  });

  test(`a RemoteJwks ${direction} is fetched by verifyJws`, async () => {
    const ring = new makers.KeyRing({ alg: 'ES256' });
    await ring.rotate();
    const token = new makers.JwtIssuer({ keys: ring, expiresIn: 60 }).sign({ sub: 'ada' });
    const keys = remoteKeys(makers, ring);
    const verify = () => takers.verifyJws(token, keys, { algorithms: ['ES256'] });
    assert.throws(verify, { code: 'ERR_JWT_KEYS_UNAVAILABLE' });
    // The first call has begun a request, and nothing here begins another.
    for (let turn = 0; turn < 1000 && keys.status().keys === 'none'; turn += 1) await setImmediate();
    assert.match(verify().toString(), /"sub":"ada"/);
  });
}

for (const [direction, pair] of [
  ['from the first copy to the other', (copy) => [native, copy]],
  ['from the other copy to the first', (copy) => [copy, native]],
]) {
  test(`objects pass ${direction} where the native part is the same`, async () => {
    for (const [name, call] of Object.entries(exchange(...pair(reloaded)))) {
      assert.ifError((await outcome(call)).error, name);
    }
  });

  test(`objects do not pass ${direction} where it is not`, async () => {
    for (const [name, call] of Object.entries(exchange(...pair(installed)))) {
      const { error } = await outcome(call);
      assert.equal(error?.code, 'ERR_INVALID_ARG_TYPE', name);
    }
  });
}
