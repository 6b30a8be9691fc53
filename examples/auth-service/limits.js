'use strict';

const { mkdirSync } = require('node:fs');
const { isIPv4, isIPv6 } = require('node:net');
const path = require('node:path');

const { RateLimiter } = require('@nodesec/native');

const { HttpError } = require('./errors.js');

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
    { name: 'minute', limit: 20, windowMs: MINUTE },
    { name: 'hour', limit: 300, windowMs: HOUR },
  ],
  /** Wrong passwords, by client and account: 5 guesses, then one every 3 minutes. */
  logins: [
    { name: 'guesses', limit: 5, windowMs: 15 * MINUTE },
    { name: 'day', limit: 50, windowMs: DAY },
  ],
};

/**
 * Makes the limiters. Their memory is bounded, even if an attacker makes up many keys. With a
 * directory, which must be on a local disk, all workers share them and they outlive a restart.
 */
function createLimits(directory) {
  if (directory !== undefined) mkdirSync(directory, { recursive: true, mode: 0o700 });
  const limiters = Object.entries(LIMITS).map(([name, limits]) => {
    if (directory === undefined) return [name, new RateLimiter({ limits })];
    return [name, RateLimiter.machine(path.join(directory, name), { limits })];
  });
  return Object.fromEntries(limiters);
}

/** Spends one unit of a limit. If there is none, throws a 429 that says when there will be one. */
function spend(limiter, key) {
  const { allowed, retryAfterMs } = limiter.consume(key);
  if (!allowed) {
    const seconds = Math.ceil(retryAfterMs / 1000);
    throw new HttpError(429, 'rate_limited', { headers: { 'Retry-After': `${seconds}` } });
  }
}

/** Middleware that limits the requests of each client. */
function limitRequests(limiter) {
  return (req, res, next) => {
    spend(limiter, clientKey(req));
    next();
  };
}

/**
 * The key of a client, from its address: an IPv4 address, or the /56 prefix of an IPv6 address. An
 * IPv6 customer gets a /56 and may use another address of it for every request.
 */
function clientKey({ ip }) {
  const address = String(ip).replace(/^::ffff:(?=\d+\.)/i, '');
  if (isIPv4(address)) return address;
  // A client that has hung up has no address.
  if (!isIPv6(address)) throw new HttpError(400, 'client_unknown');
  // `::` stands for as many zero groups as are missing from eight.
  const [head, tail = []] = address.split('::').map((half) => half.split(':').filter(Boolean));
  const zeros = Array(8 - head.length - tail.length).fill('0');
  const [a, b, c, d] = [...head, ...zeros, ...tail].map((group) => parseInt(group, 16));
  return [a, b, c, d >> 8].map((group) => group.toString(16)).join(':');
}

module.exports = { clientKey, createLimits, limitRequests, spend };
