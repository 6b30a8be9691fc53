'use strict';

// Makes all objects of @nodesec/native that the service uses, with the reason for each setting.
// Keys and revocations are on the disk: a token outlives a restart, and so does its revocation.
// Sessions are in memory: after a restart, a user whose access token has expired logs in again.

const {
  JwtIssuer,
  JwtVerifier,
  RevocationList,
  Sessions,
  Store,
} = require('@nodesec/native');

const { createLimits } = require('./limits.js');
const { createPasswords } = require('./passwords.js');
const { placesOf } = require('./places.js');
const { loadSecret } = require('./secret-file.js');
const { openKeyRing, readKeyRing } = require('./signing-keys.js');

const ISSUER = 'https://auth.example.com';
const AUDIENCE = 'https://api.example.com';

/** Short, because services that verify tokens with the JWKS alone do not learn of a logout. */
const ACCESS_TTL = '5m';

/**
 * `isShared` is for a worker of several: it shares the limits with the others, and uses the signing
 * keys that the primary process has made, without a rotation of its own.
 */
async function createSecurity(dataDirectory, { isShared = false } = {}) {
  const places = placesOf(dataDirectory);
  // A stolen database of users cannot be attacked without the pepper, which is not in it.
  const pepper = loadSecret('pepper', places.pepper, [places.users]);
  const passwords = createPasswords(pepper);
  const masterKey = loadSecret('master key', places.masterKey, [places.keys, places.store]);

  // EdDSA has small keys, fast signatures and no parameters to get wrong. The ring makes its own
  // keys and needs no timer. The next signing key is published a day before it signs, so that a
  // service that caches the JWKS for `jwksMaxAge` knows every key before its first token. A retired
  // key does not sign, but it still verifies and stays published for `maxTokenTtl`: until the last
  // token that it signed has expired.
  const options = { alg: 'EdDSA', maxTokenTtl: ACCESS_TTL, jwksMaxAge: '10m' };
  const ring = isShared
    ? await readKeyRing(places.keys, masterKey, options)
    : await openKeyRing(places.keys, masterKey, { ...options, rotateEvery: '1d' });
  const { keys } = ring;

  // A revocation is on the disk before its promise resolves, so a logout that was answered holds
  // after a crash and after the loss of power. If the store cannot be read, no token is accepted.
  const store = await Store.open(places.store, { key: masterKey });

  // A logout must not fail because the list is full. With 'reject-older' a full list rejects older
  // tokens instead, and every client has to refresh.
  const revocations = new RevocationList({
    store,
    maxTokenTtl: ACCESS_TTL,
    onFull: 'reject-older',
  });

  // Issuer and verifier name the same issuer, audience and type. The verifier refuses a token that
  // these keys signed for another audience or purpose.
  const names = { issuer: ISSUER, audience: AUDIENCE, typ: 'at+jwt' };
  const issuer = new JwtIssuer({ ...names, keys, expiresIn: ACCESS_TTL });
  const verifier = new JwtVerifier({ ...names, keys, algorithms: ['EdDSA'], revocations });

  // A session ends after 30 days, or after a week without a refresh. For `grace` seconds after its
  // rotation, a refresh token gives the same successor again: the answer may have been lost, or two
  // tabs may have refreshed at once.
  const sessions = new Sessions({
    issuer,
    revocations,
    refreshTtl: '30d',
    idleTtl: '7d',
    grace: 10,
  });

  const limits = createLimits(isShared ? places.limits : undefined);

  async function close() {
    ring.close();
    await store.close();
    masterKey.dispose();
    pepper.dispose();
  }

  return { close, keys, limits, passwords, sessions, store, verifier };
}

module.exports = { createSecurity };
