// The limits over Redis in CommonJS.

import redis = require('@nodesec/native/redis');

const send = async () => null;
const limiter: redis.RedisRateLimiter = new redis.RedisRateLimiter({ client: { send }, limit: 1, windowMs: 1 });
limiter.block('key', 1000) satisfies Promise<boolean>;
limiter.setLimits({ limit: 2, windowMs: 1 });
