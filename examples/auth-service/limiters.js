'use strict';

const { mkdirSync } = require('node:fs');
const path = require('node:path');

const { RateLimiter, ipKey } = require('@nodesec/native');

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/**
 * The limits of the service. The limits of one limiter are decided together: a request that one of
 * them refuses takes nothing of the others. The short one slows a burst down, the long one bounds a
 * patient client. No limit is on the account alone, because anyone could then lock out any user.
 */
const LIMITS = {
  /** All requests, by client. */
  requests: [
    { name: 'minute', limit: 300, windowMs: MINUTE },
    { name: 'hour', limit: 6000, windowMs: HOUR },
  ],
  /** Requests that cost a password hash, by client: against guesses at many accounts. */
  passwords: [
    { name: 'password-minute', limit: 20, windowMs: MINUTE },
    { name: 'password-hour', limit: 300, windowMs: HOUR },
  ],
  /** Wrong passwords, by client and account: 5 guesses, then one every 3 minutes. */
  logins: [
    { name: 'guesses', limit: 5, windowMs: 15 * MINUTE },
    { name: 'guesses-day', limit: 50, windowMs: DAY },
  ],
};

/**
 * Makes the limiters. Their memory is bounded, even if an attacker makes up many keys. With a
 * directory, which must be on a local disk, all workers share them and they outlive a restart. A
 * `LoginThrottle`, whose blocks grow, would count in one process only.
 */
function createLimiters(directory) {
  if (directory !== undefined) mkdirSync(directory, { recursive: true, mode: 0o700 });
  const limiters = Object.entries(LIMITS).map(([name, limits]) => {
    if (directory === undefined) return [name, new RateLimiter({ limits })];
    return [name, RateLimiter.machine(path.join(directory, name), { limits })];
  });
  return Object.fromEntries(limiters);
}

/** The key of `logins`: a client, which is an IPv4 address or a /56 of IPv6, and an account. */
function loginKey(request) {
  return `${ipKey(request.ip)} ${request.body.username}`;
}

module.exports = { LIMITS, createLimiters, loginKey };
