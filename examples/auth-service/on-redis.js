'use strict';

// Keys, sessions, revocations and limits on a Redis or Valkey, for instances on several machines.
// All have the same master key, which seals the keys and the claims: the server can read neither.

const { RevocationList } = require('@nodesec/native');
const {
  RedisKeyRing,
  RedisRateLimiter,
  RedisRevocations,
  RedisSessions,
} = require('@nodesec/native/redis');

const { LIMITS } = require('./limiters.js');

/** How long tokens are accepted while the server does not answer, and a logout is not heard of. */
const MAX_STALENESS = '30s';

async function onRedis({ masterKey: key, places, keyOptions, listOptions }) {
  const client = connect(places.redis);
  const keys = await RedisKeyRing.open({ ...keyOptions, client, key });
  const list = new RevocationList(listOptions);
  // From here on, every instance hears of every logout.
  const followed = await RedisRevocations.open({ client, key, list, maxStaleness: MAX_STALENESS });
  return {
    keys,
    limiters: createLimiters(client),
    revocations: list,
    createSessions: (options) => new RedisSessions({ ...options, client, key }),
    async close() {
      await followed.close();
      await keys.close();
      client.disconnect();
    },
  };
}

/** A client that never sends a command twice, or long after its request. */
function connect(url) {
  // Only a service with Redis needs the package.
  const { Redis } = require('ioredis');
  const client = new Redis(url, {
    autoResendUnfulfilledCommands: false,
    enableOfflineQueue: false,
    lazyConnect: true,
    maxRetriesPerRequest: 0,
  });
  client.on('error', ({ message }) => console.error(`redis: ${message}`));
  return client;
}

/**
 * The limits of `limiters.js`, which all instances share. If the server does not answer, each
 * counts by itself.
 */
function createLimiters(client) {
  const limiters = Object.entries(LIMITS).map(([name, limits]) => {
    const limiter = new RedisRateLimiter({ client, prefix: `limits:${name}`, limits });
    return [name, limiter];
  });
  return Object.fromEntries(limiters);
}

module.exports = { onRedis };
