'use strict';

// Makes all objects of @nodesec/native that the service with the accounts uses. Keys, sessions and
// revocations are in a store on the disk, limits and used proofs in files, failed logins in memory.
// ../auth-service/security.js explains the settings that both have.

const { mkdirSync } = require('node:fs');
const path = require('node:path');

const {
  DpopReplayCache,
  JwtIssuer,
  JwtVerifier,
  KeyRing,
  LoginThrottle,
  RateLimiter,
  RevocationList,
  SecretBuffer,
  Sessions,
  Store,
} = require('@nodesec/native');
const { setHashKey } = require('@nodesec/native/audit');

const { createAccounts } = require('../auth-service/accounts.js');
const { createPasswords } = require('../auth-service/passwords.js');
const { openUsers } = require('../auth-service/users.js');
const { AUDIENCE, ISSUER } = require('./names.js');
const { createProgramTokens } = require('./program-tokens.js');

const MINUTE = 60_000;

/**
 * `data`, `limits` and `secrets` are folders, `limits` best in memory; `accessTtl` is the lifetime
 * of access tokens; `allowFilesystem` is for the store; `origin` is the address of the service.
 */
async function createSecurity({ accessTtl, allowFilesystem, data, limits, origin, secrets }) {
  const secret = (name) => SecretBuffer.fromFile(path.join(secrets, name));
  // Users of one name are the same in the trail after a restart.
  const auditKey = secret('audit-key');
  setHashKey(auditKey);
  auditKey.dispose();
  const pepper = secret('pepper');
  const masterKey = secret('master-key');
  const store = await Store.open(path.join(data, 'store'), { allowFilesystem, key: masterKey });

  const keys = await KeyRing.open(store, {
    alg: 'EdDSA',
    maxTokenTtl: '5m',
    jwksMaxAge: '10m',
    rotateEvery: '1d',
  });
  const revocations = new RevocationList({ store, maxTokenTtl: '5m', onFull: 'reject-older' });
  const names = { issuer: ISSUER, audience: AUDIENCE, typ: 'at+jwt' };
  const issuer = new JwtIssuer({ ...names, keys, expiresIn: accessTtl });
  const verifier = new JwtVerifier({ ...names, keys, algorithms: ['EdDSA'], revocations });
  const sessions = new Sessions({
    issuer,
    revocations,
    store,
    refreshTtl: '30d',
    idleTtl: '7d',
    // The tabs of the page take turns, so a used token that comes again is a theft at once.
    grace: 0,
    maxSessionsPerSubject: 10,
    onSessionLimit: 'end-oldest',
  });
  await sessions.list('nobody');

  const users = openUsers(data);
  const accounts = createAccounts({ passwords: createPasswords(pepper), sessions, users });

  async function close() {
    await users.close();
    await store.close();
    pepper.dispose();
    masterKey.dispose();
  }

  const limiters = openLimiters(limits);
  // A proof that was used stays used across a restart, and in every process.
  const replay = DpopReplayCache.machine(path.join(limits, 'proofs'));
  const programTokens = createProgramTokens({ key: masterKey, origin, replay });
  return { accounts, close, keys, limiters, programTokens, replay, sessions, throttle, verifier };
}

/** Slows down guesses at a password, from the fifth failure on. */
const throttle = new LoginThrottle();

/** The limits, in files: they count across a restart, and across processes. */
function openLimiters(folder) {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const limiter = (name, limit, windowMs) => {
    const limits = [{ name, limit, windowMs }];
    return RateLimiter.machine(path.join(folder, name), { limits, maxKeys: 2 ** 16 });
  };
  return {
    /** All requests of a client. */
    requests: limiter('requests', 1200, MINUTE),
    /** Requests that cost a password hash, of a client. */
    passwords: limiter('passwords', 60, MINUTE),
    /** The work of a user. */
    work: limiter('work', 10, 10_000),
  };
}

module.exports = { createSecurity };
