'use strict';

// Everything of @nodesec/native that the service uses is made here, with the reason for each
// choice. Keys, sessions and revocations live in memory: after a restart every user logs in again,
// and no token from before it is accepted, revoked or not.

const {
  JwtIssuer,
  JwtVerifier,
  KeyRing,
  RateLimiter,
  RevocationList,
  Sessions,
} = require('@nodesec/native');

const { createPasswords } = require('./passwords.js');
const { loadPepper } = require('./pepper.js');

const ISSUER = 'https://auth.example.com';
const AUDIENCE = 'https://api.example.com';

/** Short, because a service that verifies offline from the JWKS does not hear of a logout. */
const ACCESS_TTL = '5m';
const MINUTE = 60_000;

async function createSecurity(dataDirectory) {
  const pepper = loadPepper(dataDirectory);
  const passwords = createPasswords(pepper);

  // EdDSA: small keys, fast signatures, no parameters to get wrong. The ring makes its own keys and
  // needs no timer. The key that will sign next is published a day before, so that whoever caches
  // the JWKS for `jwksMaxAge` knows every key before its first token. A retired key signs no more
  // but still verifies and stays published for `maxTokenTtl`: until the last token it signed has
  // expired.
  const keys = new KeyRing({
    alg: 'EdDSA',
    maxTokenTtl: ACCESS_TTL,
    jwksMaxAge: '10m',
    rotateEvery: '1d',
  });

  // A logout must not fail because the list is full; with 'reject-older' that costs every client
  // a refresh instead.
  const revocations = new RevocationList({ maxTokenTtl: ACCESS_TTL, onFull: 'reject-older' });

  // Both sides name issuer, audience and type: a token that these keys sign for another audience
  // or purpose is not an access token here.
  const names = { issuer: ISSUER, audience: AUDIENCE, typ: 'at+jwt' };
  const issuer = new JwtIssuer({ ...names, keys, expiresIn: ACCESS_TTL });
  const verifier = new JwtVerifier({ ...names, keys, algorithms: ['EdDSA'], revocations });

  // A session ends after 30 days, or after a week without a refresh. Within `grace` seconds a
  // refresh token that was just rotated gives the same successor again: the answer may have been
  // lost, or two tabs may have refreshed at once.
  const sessions = new Sessions({
    issuer,
    revocations,
    refreshTtl: '30d',
    idleTtl: '7d',
    grace: 10,
  });

  // The limiters are bounded, however many keys an attacker makes up. There is none on the account
  // alone: with it, anyone could lock anyone out.
  const limits = {
    /** Any request, by client. */
    requests: new RateLimiter({ limit: 300, windowMs: MINUTE }),
    /** What costs a password hash, by client: many accounts from one place. */
    passwords: new RateLimiter({ limit: 20, windowMs: MINUTE }),
    /** Logins, by client and account: 5 guesses, then one every 3 minutes. */
    logins: new RateLimiter({ limit: 5, windowMs: 15 * MINUTE }),
  };

  async function close() {
    await revocations.close();
    pepper.dispose();
  }

  return { close, keys, limits, passwords, sessions, verifier };
}

module.exports = { createSecurity };
