'use strict';

// Makes all objects of @nodesec/native that the service uses, with the reason for each setting.
// Keys, sessions and revocations are on the disk (on-disk.js) or, for several machines, on a Redis
// (on-redis.js).

const { JwtIssuer, JwtVerifier } = require('@nodesec/native');

const { onDisk } = require('./on-disk.js');
const { onRedis } = require('./on-redis.js');
const { createPasswords } = require('./passwords.js');
const { placesOf } = require('./places.js');
const { loadSecret } = require('./secret-file.js');

const ISSUER = 'https://auth.example.com';
const AUDIENCE = 'https://api.example.com';

/** Short, because services that verify tokens with the JWKS alone do not learn of a logout. */
const ACCESS_TTL = '5m';

/** `isWorker` is for one of several processes, which share the limits. */
async function createSecurity(dataDirectory, { isWorker = false } = {}) {
  const places = placesOf(dataDirectory);
  // A stolen database of users cannot be attacked without the pepper, which is not in it.
  const pepper = loadSecret('pepper', places.pepper, [places.users]);
  const passwords = createPasswords(pepper);
  const masterKey = loadSecret('master key', places.masterKey, [places.store]);

  // EdDSA has small keys, fast signatures and no parameters to get wrong. The ring makes its own
  // keys and needs no timer; of several processes one makes them. The next signing key is published
  // a day before it signs, so that a service that caches the JWKS for `jwksMaxAge` knows every key
  // before its first token. A retired key does not sign, but it still verifies and stays published
  // for `maxTokenTtl`: until the last token that it signed has expired.
  const keyOptions = {
    alg: 'EdDSA',
    maxTokenTtl: ACCESS_TTL,
    jwksMaxAge: '10m',
    rotateEvery: '1d',
  };

  // A logout must not fail because the list is full. With 'reject-older' a full list rejects older
  // tokens instead, and every client has to refresh.
  const listOptions = { maxTokenTtl: ACCESS_TTL, onFull: 'reject-older' };

  const open = places.redis === undefined ? onDisk : onRedis;
  const shared = await open({ masterKey, places, isWorker, keyOptions, listOptions });
  const { keys, limiters, revocations, store } = shared;

  // Issuer and verifier name the same issuer, audience and type. The verifier refuses a token that
  // these keys signed for another audience or purpose.
  const names = { issuer: ISSUER, audience: AUDIENCE, typ: 'at+jwt' };
  const issuer = new JwtIssuer({ ...names, keys, expiresIn: ACCESS_TTL });
  const verifier = new JwtVerifier({ ...names, keys, algorithms: ['EdDSA'], revocations });

  // A session ends after 30 days, or after a week without a refresh. For `grace` seconds after its
  // rotation, a refresh token gives the same successor again: two tabs may have refreshed at once.
  // Later it gives another one, unless the first was used: an answer may have been lost in a crash.
  // With the eleventh device of a user, the session that started first ends.
  const sessions = shared.createSessions({
    issuer,
    revocations,
    refreshTtl: '30d',
    idleTtl: '7d',
    grace: 10,
    retryUntilUsed: true,
    maxSessionsPerSubject: 10,
    onSessionLimit: 'end-oldest',
  });
  // The first call reads all sessions, so that the first request does not wait for that.
  await sessions.list('nobody');

  async function close() {
    await shared.close();
    masterKey.dispose();
    pepper.dispose();
  }

  return { close, keys, limiters, passwords, sessions, store, verifier };
}

module.exports = { createSecurity };
