'use strict';

const { isIPv4, isIPv6 } = require('node:net');

const { HttpError } = require('./errors.js');

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

module.exports = { clientKey, limitRequests, spend };
