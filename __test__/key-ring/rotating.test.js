'use strict';

// Key rings over time: due changes are made by `tick`, or by the next use of the ring.

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { setImmediate: turn } = require('node:timers/promises');

const { JwtIssuer, JwtVerifier, KeyRing, RevocationList, SecretBuffer, Sessions, verifyJws } =
  require('@nodesec/native');
const { runScript } = require('../helpers/child.js');
const { coded } = require('../helpers/outcome.js');
const [old] = require('../vectors/sealed-keyrings.json').cases;

const DAY = 86_400;
const now = () => Math.floor(Date.now() / 1000);
/** A time in the future: a tick may look ahead, but not back. */
const START = now() + 1000 * DAY;
const ring = (options) => new KeyRing({ alg: 'EdDSA', rotateEvery: '30d', ...options });
const issuer = (keys) => new JwtIssuer({ keys, expiresIn: 60 });
const verifier = (keys) => new JwtVerifier({ keys, issuer: false, audience: false });
const states = (ring) => ring.list().map(({ state }) => state);
const steps = (changes) => changes.map(({ from = '', to = '' }) => `${from}>${to}`);

test('time makes, promotes and forgets keys', () => {
  const keys = ring();
  const made = keys.tick(START);
  assert.deepEqual(steps(made), ['>active', '>next']);
  const [first, second] = made;
  assert.deepEqual(first, { kid: first.kid, alg: 'EdDSA', to: 'active', at: new Date(START * 1000) });
  assert.deepEqual(keys.tick(START + 30 * DAY - 1), []);
  const promoted = keys.tick(new Date((START + 30 * DAY) * 1000));
  assert.deepEqual(steps(promoted), ['active>retired', 'next>active', '>next']);
  assert.deepEqual(promoted.slice(0, 2).map(({ kid }) => kid), [first.kid, second.kid]);
  assert.deepEqual(keys.list()[1].since, new Date((START + 30 * DAY) * 1000));
  // The retired key verifies for a day, the longest life of a token, plus the greatest clock
  // tolerance of a verifier.
  const forgotten = keys.tick(START + 32 * DAY);
  assert.deepEqual(steps(forgotten), ['retired>']);
  assert.equal(forgotten[0].kid, first.kid);
  assert.deepEqual(states(keys), ['active', 'next']);
});

test('without rotateEvery time only forgets', async () => {
  const keys = new KeyRing({ alg: 'EdDSA', jwksMaxAge: 0 });
  assert.deepEqual(keys.tick(START), []);
  for (let n = 0; n < 2; n++) await keys.rotate();
  assert.deepEqual(keys.tick(), []);
  assert.deepEqual(steps(keys.tick(now() + 10 * DAY)), ['retired>']);
});

test('a ring that rotates by itself makes its first key when it is used', () => {
  const keys = ring();
  const token = issuer(keys).sign({ sub: 'subject' });
  assert.equal(verifier(keys).verify(token).sub, 'subject');
  assert.deepEqual(states(keys), ['active', 'next']);
});

const use = {
  sign: (keys) => issuer(keys).sign({}),
  verify: (keys) => assert.equal(verifier(keys).tryVerify(FOREIGN).code, 'ERR_JWT_KEY_NOT_FOUND'),
  jwks: (keys) => keys.jwks(),
  verifyJws: (keys) => assert.throws(() => verifyJws(FOREIGN, keys, { algorithms: ['EdDSA'] })),
};
const FOREIGN = issuer(ring()).sign({});
for (const [name, call] of Object.entries(use)) {
  test(`a rotation that is due happens before ${name}`, () => {
    const sealKey = SecretBuffer.fromString(old.key, 'hex');
    const keys = KeyRing.unseal(Buffer.from(old.sealed, 'hex'), sealKey, { rotateEvery: '1h' });
    const before = new Map(keys.list().map(({ state, kid }) => [state, kid]));
    call(keys);
    const after = new Map(keys.list().map(({ state, kid }) => [kid, state]));
    assert.equal(after.get(before.get('active')), 'retired');
    assert.equal(after.get(before.get('next')), 'active');
    assert.equal([...after.values()].filter((state) => state === 'next').length, 1);
  });
}

test('the past is the present: no key is published before it is made', () => {
  const keys = ring();
  assert.ok(keys.tick(0).every(({ at }) => Date.now() - at < DAY * 1000));
  keys.jwks();
  assert.deepEqual(states(keys), ['active', 'next']);
});

test('looking ahead keeps no key for ever', () => {
  const keys = ring();
  keys.tick(4e9);
  keys.tick(4e9 + 31 * DAY);
  keys.jwks();
  assert.ok(keys.list().every(({ since }) => since <= new Date()));
});

test('a period that does not outlast publishing is refused', () => {
  assert.throws(() => ring({ rotateEvery: 600 }), coded('ERR_OUT_OF_RANGE'));
  assert.throws(() => ring({ rotateEvery: 0, jwksMaxAge: 0 }), coded('ERR_OUT_OF_RANGE'));
  ring({ rotateEvery: 601 });
});

test('RSA keys are made on another thread', async () => {
  const keys = ring({ alg: 'RS256' });
  const signer = issuer(keys);
  assert.throws(() => signer.sign({}), coded('ERR_KEYRING_NO_ACTIVE_KEY'));
  while (keys.list().length === 0) await turn();
  assert.equal(verifier(keys).tryVerify(signer.sign({})).ok, true);
});

test('changes are told in their order', async () => {
  const keys = new KeyRing({ alg: 'EdDSA', jwksMaxAge: 0 });
  const heard = [];
  const listener = (change) => heard.push(change);
  assert.equal(keys.on('change', listener), keys);
  await keys.rotate();
  keys.revoke(keys.list()[0].kid);
  while (heard.length < 3) await turn();
  assert.deepEqual(steps(heard), ['>active', '>next', 'active>revoked']);
  assert.ok(heard.every(({ at, alg }) => at instanceof Date && alg === 'EdDSA'));
  assert.equal(heard[2].kid, keys.list()[0].kid);
  assert.equal(keys.off('change', listener), keys);
  keys.revoke(keys.list()[1].kid);
  // The new listener hears only later changes, and the removed listener hears none of them.
  const later = [];
  keys.on('change', (change) => later.push(change));
  await keys.rotate();
  while (later.length < 2) await turn();
  assert.equal(heard.length, 3);
  assert.deepEqual(steps(later), ['>active', '>next']);
});

const LISTENING = `
  const { KeyRing } = require('@nodesec/native');
  process.on('uncaughtException', ({ message }) => console.log(message));
  const keys = new KeyRing({ alg: 'EdDSA' });
  keys.on('change', ({ to }) => {
    console.log('one', to);
    throw new Error('thrown at ' + to);
  });
  keys.on('change', ({ to }) => console.log('other', to));
  keys.rotate().then(() => setTimeout(() => {}, 50));
`;

test('an error of a listener keeps no event from the others', async () => {
  const { code, stdout } = await runScript(LISTENING);
  assert.equal(code, 0);
  assert.deepEqual(stdout.trim().split('\n').toSorted(), [
    'one active', 'one next', 'other active', 'other next', 'thrown at active', 'thrown at next',
  ]);
});

const BUSY = `
  const { hash, JwtKey, KeyRing } = require('@nodesec/native');
  let waiting = 1000;
  const over = () => (waiting -= 1);
  for (let n = waiting; n > 0; n--) hash('x').then(over, over);
  (async () => {
    await new KeyRing().rotate();
    await new KeyRing({ alg: 'RS256' }).rotate();
    await JwtKey.generate('EdDSA');
    await JwtKey.generate('PS256');
    const keys = new KeyRing({ alg: 'RS256', rotateEvery: '30d' });
    keys.tick();
    while (keys.list().length === 0) await new Promise(setImmediate);
    console.log(waiting > 0 ? 'made before' : 'made after');
    process.exit();
  })();
`;

test('keys do not wait for hashes', async () => {
  // If keys and hashes shared one queue, all hashes would come first.
  assert.equal((await runScript(BUSY)).stdout.trim(), 'made before');
});

test('signAsync waits for the first key of a fresh RSA ring', async () => {
  const keys = ring({ alg: 'RS256' });
  const signer = issuer(keys);
  const tokens = await Promise.all(Array.from({ length: 20 }, () => signer.signAsync({})));
  for (const token of tokens) assert.equal(verifier(keys).tryVerify(token).ok, true);
  assert.equal(keys.list()[0].state, 'active');
  const overridden = await issuer(ring({ alg: 'PS256' })).signAsync({ a: 1 }, { expiresIn: 5 });
  assert.equal(typeof overridden, 'string');
});

test('a session starts with a fresh RSA ring', async () => {
  const revocations = new RevocationList();
  const sessions = new Sessions({ issuer: issuer(ring({ alg: 'RS256' })), revocations });
  const { refreshToken } = await sessions.start('subject');
  assert.equal((await sessions.refresh(refreshToken)).status, 'rotated');
});

test('ready resolves when the ring can sign', async () => {
  const keys = ring({ alg: 'RS256' });
  assert.equal(await keys.ready(), undefined);
  assert.equal(verifier(keys).tryVerify(issuer(keys).sign({})).ok, true);
  await Promise.all([keys.ready(), keys.ready()]);
  await ring().ready();
});

test('ready and signAsync wait for a rotation that nobody awaits', async () => {
  const keys = new KeyRing({ alg: 'RS256' });
  const rotated = keys.rotate();
  const [, token] = await Promise.all([keys.ready(), issuer(keys).signAsync({})]);
  assert.equal(verifier(keys).tryVerify(token).ok, true);
  await rotated;
});

test('ready is refused if no key is being made', async () => {
  const keys = new KeyRing({ alg: 'RS256' });
  for (let n = 0; n < 2; n++) {
    await assert.rejects(keys.ready(), coded('ERR_KEYRING_NO_ACTIVE_KEY'));
    await assert.rejects(issuer(keys).signAsync({}), coded('ERR_KEYRING_NO_ACTIVE_KEY'));
  }
  await keys.rotate();
  await keys.ready();
  keys.revoke(keys.list()[0].kid);
  await assert.rejects(keys.ready(), coded('ERR_KEYRING_NO_ACTIVE_KEY'));
});

test('sign says how to wait', () => {
  const signer = issuer(ring({ alg: 'RS256' }));
  assert.throws(() => signer.sign({}), { code: 'ERR_KEYRING_NO_ACTIVE_KEY', message: /ready\(\)/ });
});

test('a process waits for its first key', async () => {
  const { code, stdout } = await runScript(`
    const { KeyRing } = require('@nodesec/native');
    const keys = new KeyRing({ alg: 'RS256', rotateEvery: '30d' });
    keys.ready().then(() => console.log(keys.list()[0].state));
  `);
  assert.equal(code, 0);
  assert.equal(stdout.trim(), 'active');
});
