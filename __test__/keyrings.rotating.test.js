'use strict';

// Key rings in time: what is due is done by `tick`, or by whoever uses the ring next.

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { setImmediate: turn } = require('node:timers/promises');

const { JwtIssuer, JwtVerifier, KeyRing } = require('@nodesec/native');
const { coded } = require('./helpers/outcome.js');

const DAY = 86_400;
const START = 1_800_000_000;
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
  // A day for tokens, and what a verifier's clock may be off at most.
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
  assert.deepEqual(steps(keys.tick(Math.floor(Date.now() / 1000) + 10 * DAY)), ['retired>']);
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
  jwks: (keys) => assert.equal(JSON.parse(keys.jwks().body).keys.length, 3),
};
const FOREIGN = issuer(ring()).sign({});
for (const [name, call] of Object.entries(use)) {
  test(`what is due is done before ${name}`, () => {
    const keys = ring();
    keys.tick(Math.floor(Date.now() / 1000) - 31 * DAY);
    const [, next] = keys.list();
    call(keys);
    assert.deepEqual(states(keys), ['retired', 'active', 'next']);
    assert.equal(keys.list()[1].kid, next.kid);
  });
}

test('a period that does not outlast publishing is refused', () => {
  assert.throws(() => ring({ rotateEvery: 600 }), coded('ERR_OUT_OF_RANGE'));
  assert.throws(() => ring({ rotateEvery: 0, jwksMaxAge: 0 }), coded('ERR_OUT_OF_RANGE'));
  ring({ rotateEvery: 601 });
});

test('RSA keys are made on the pool', async () => {
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
  // Another listener hears of what comes after it, and so does the first not.
  const later = [];
  keys.on('change', (change) => later.push(change));
  await keys.rotate();
  while (later.length < 2) await turn();
  assert.equal(heard.length, 3);
  assert.deepEqual(steps(later), ['>active', '>next']);
});
