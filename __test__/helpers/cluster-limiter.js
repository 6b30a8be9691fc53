'use strict';

// A limiter on a cluster of Redis, and the keys that each node decides.

const assert = require('node:assert/strict');
const { hash } = require('node:crypto');

const { RedisRateLimiter } = require('@nodesec/native/redis');
const { connect } = require('../../lib/redis/client.js');
const { startCluster, until } = require('./redis-server.js');

const LIMIT = { limit: 10, windowMs: 3_600_000 };
const KEYS = Array.from({ length: 30 }, (_, n) => `key ${n}`);

/**
 * A limiter on a new cluster that decides without missing nodes, and the keys by the port of their
 * node.
 */
async function onCluster(t, makeCluster, options) {
  const servers = await startCluster(t);
  if (servers === undefined) return undefined;
  for (const server of servers) server.cli('config', 'set', 'cluster-require-full-coverage', 'no');
  const client = await makeCluster(t, servers);
  const limiter = new RedisRateLimiter({ client, ...LIMIT, prefix: 'p', ...options });
  for (const key of KEYS) await until(async () => !(await limiter.consume(key)).degraded);
  const keysOf = new Map(
    servers.map((server) => {
      const names = server.cli('--raw', 'keys', 'p:*');
      return [server, KEYS.filter((key) => names.includes(`{${hash('sha256', key, 'base64url').slice(0, 22)}}`))];
    }),
  );
  assert.deepEqual([...keysOf.values()].flat().sort(), KEYS.toSorted());
  return { client, keysOf, limiter, servers };
}

/** Resolves when a limiter decides by its server again, which only its calls find out. */
function recovered(limiter, key) {
  return until(async () => !(await limiter.peek(key)).degraded);
}

async function degradedOf(limiter, keys) {
  const results = await Promise.all(keys.map((key) => limiter.peek(key)));
  return results.filter(({ degraded }) => degraded).length;
}

/** Counts the scripts that a client is given from now on. */
function countScripts(client) {
  const connection = connect(client);
  const { script } = connection;
  let sent = 0;
  connection.script = (...args) => {
    sent += 1;
    return Reflect.apply(script, connection, args);
  };
  return () => sent;
}

module.exports = { KEYS, countScripts, degradedOf, onCluster, recovered };
