'use strict';

// A trust domain's bundle, fetched from the address that publishes it.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { JwtIssuer, JwtKey, JwtVerifier, RemoteJwks, verifyJws } = require('@nodesec/native');
const { KeyServer } = require('../helpers/key-server.js');
const { coded } = require('../helpers/outcome.js');
const { assertRejected } = require('../helpers/tokens.js');

const WEB = 'spiffe://example.org/web';

/** A key of the trust domain: its published JWK, and a token that it signed. */
async function authority(kid) {
  const key = await JwtKey.generate('ES256', { kid });
  const { alg: _, ...jwk } = key.toPublicJwk();
  const issuer = new JwtIssuer({ keys: key, audience: 'reports', expiresIn: '5m' });
  return { jwk: { ...jwk, use: 'jwt-svid' }, token: issuer.sign({ sub: WEB }) };
}

const verifier = (bundle) =>
  JwtVerifier.spiffe({ trustDomain: 'example.org', bundle, audience: 'reports' });

test('a bundle is fetched and replaced', async (t) => {
  const [one, two] = await Promise.all(['one', 'two'].map(authority));
  const server = await KeyServer.start(t, [one]);
  const remote = new RemoteJwks(server.url, { use: 'jwt-svid' });
  const workloads = verifier(remote);
  assertRejected(workloads, one.token, 'ERR_JWT_KEYS_UNAVAILABLE');
  assert.equal((await workloads.verifyAsync(one.token)).sub, WEB);
  assert.equal(workloads.verify(one.token).sub, WEB);
  assertRejected(workloads, two.token, 'ERR_JWT_KEY_NOT_FOUND');

  server.keys = [two];
  await remote.refresh();
  assert.equal(workloads.verify(two.token).sub, WEB);
  assertRejected(workloads, one.token, 'ERR_JWT_KEY_NOT_FOUND');

  server.keys = [];
  await remote.refresh();
  assertRejected(workloads, two.token, 'ERR_JWT_KEY_NOT_FOUND');
});

test('keys that are for other tokens are no bundle', async (t) => {
  const one = await authority('one');
  const server = await KeyServer.start(t, [one]);
  for (const options of [undefined, { use: 'sig' }]) {
    const remote = new RemoteJwks(server.url, options);
    assert.throws(() => verifier(remote), coded('ERR_INVALID_ARG_VALUE'));
  }
  const sign = { ...one, jwk: { ...one.jwk, use: 'sig' } };
  server.keys = [sign];
  const remote = new RemoteJwks(server.url, { use: 'jwt-svid' });
  await remote.refresh();
  assertRejected(verifier(remote), one.token, 'ERR_JWT_KEY_NOT_FOUND');
});

test('its keys are for no other verifier', () => {
  const keys = new RemoteJwks('https://example.org/bundle', { use: 'jwt-svid' });
  const options = { keys, issuer: 'https://example.org', audience: 'me' };
  for (const use of [
    () => new JwtVerifier({ ...options, issuer: false }),
    () => JwtVerifier.accessToken(options),
    () => verifyJws('a.b.c', keys, { algorithms: ['ES256'] }),
  ]) {
    assert.throws(use, coded('ERR_INVALID_ARG_VALUE'));
  }
});

test('an impostor of a RemoteJwks is refused', () => {
  const remote = new RemoteJwks('https://example.org/bundle', { use: 'jwt-svid' });
  for (const impostor of [Object.create(RemoteJwks.prototype), new Proxy(remote, {})]) {
    assert.throws(() => verifier(impostor), coded('ERR_JWT_KEY'));
  }
});
