'use strict';

// Limits over Redis or Valkey; redis.d.ts is its manual.

const { RedisRateLimiter } = require('./lib/redis/rate-limiter.js');

module.exports = { RedisRateLimiter };
