'use strict';

// Across machines, over Redis or Valkey; redis.d.ts is its manual.

const { RedisDpopReplayCache } = require('./lib/redis/dpop-replay-cache.js');
const { RedisKeyRing } = require('./lib/redis/key-ring.js');
const { RedisRateLimiter } = require('./lib/redis/rate-limiter.js');
const { RedisRevocations } = require('./lib/redis/revocations.js');
const { RedisSessions } = require('./lib/redis/sessions.js');

module.exports = {
  RedisDpopReplayCache,
  RedisKeyRing,
  RedisRateLimiter,
  RedisRevocations,
  RedisSessions,
};
