'use strict';

// Provokes the events of rate limits.

const { RateLimiter } = require('@nodesec/native');
const { rateLimit } = require('@nodesec/native/express');
const { RedisRateLimiter } = require('@nodesec/native/redis');
const { SUBJECT, replying } = require('./call.js');

module.exports = {
  async 'limit.denied'() {
    const limiter = new RateLimiter({ limit: 1, windowMs: 86_400_000 });
    limiter.check('192.0.2.17');
    limiter.check('192.0.2.17');
    return { limitKey: '192.0.2.17' };
  },
  async 'limit.degraded'() {
    await limitedBy([new Error('OOM command not allowed')]).check('192.0.2.17');
    return { key: '192.0.2.17' };
  },
  async 'limit.recovered'() {
    const limiter = limitedBy([new Error('OOM command not allowed'), [1, 0, 0, 0, 0]]);
    await limiter.check('192.0.2.17');
    await limiter.check('192.0.2.17');
    return { key: '192.0.2.17' };
  },
  async 'limit.failed'() {
    const limiter = new RateLimiter({ limit: 1, windowMs: 86_400_000 });
    const key = () => `${SUBJECT}\ud800`;
    await rateLimit({ limiter, key, enforce: false })({ headers: {} }, { headersSent: false }, () => {});
    return { SUBJECT };
  },
};

/** A limiter over a client that gives these replies, and throws those that are errors. */
function limitedBy(replies) {
  return new RedisRateLimiter({ client: replying(replies), limit: 1, windowMs: 1000 });
}
