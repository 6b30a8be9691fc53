// Limits over Redis, beside those of rate-limiter-flexible on the same server and with the same
// client. Needs redis-server.

import assert from 'node:assert/strict';

import { RedisRateLimiter } from '@nodesec/native/redis';
import { Redis } from 'ioredis';
import { RateLimiterRedis, RateLimiterUnion } from 'rate-limiter-flexible';

import { RedisServer } from '../../__test__/helpers/redis-server.js';
import { shuffled } from '../lib/work.mjs';

const WINDOW_MS = 3_600_000;
const LIMIT = 1_000_000;
const AT_ONCE = 100;
const PEER = 'rate-limiter-flexible (Redis)';
const NAMES = ['second', 'minute', 'hour'];

export const rows = [
  {
    name: 'redis: one limit, allowed',
    setting: `the time of ${AT_ONCE} decisions at once, over 1,000 keys; the server decides`,
    target: { [PEER]: 0.95 },
    prepare: () => prepared(LIMIT, one, peerOf),
  },
  {
    name: 'redis: three limits together, allowed',
    setting: `the time of ${AT_ONCE} decisions at once, over 1,000 keys; the peer's are a union`,
    target: { [PEER]: 2 },
    prepare: () => prepared(LIMIT, three, unionOf),
  },
  {
    name: 'redis: one limit, denied',
    setting: `the time of ${AT_ONCE} decisions at once, over 1,000 keys that have nothing left`,
    target: { [PEER]: 20 },
    prepare: () => prepared(1, one, peerOf),
  },
  {
    name: 'redis: what a decision costs the server',
    setting: 'commands of the client, and microseconds of the script, from INFO commandstats',
    observe: async () => {
      const { server, client } = await started();
      const lines = [];
      for (const [name, decide] of [
        ['@nodesec/native, one limit', one(client, LIMIT)],
        ['@nodesec/native, three limits', three(client, LIMIT)],
        [`${PEER}, one limit`, peerOf(client, LIMIT)],
        [`${PEER}, three limits`, unionOf(client, LIMIT)],
      ]) {
        await concurrently(decide)(10);
        server.cli('config', 'resetstat');
        await concurrently(decide)(100);
        const [, calls, micros] = /cmdstat_evalsha:calls=(\d+),usec=(\d+)/.exec(
          server.cli('info', 'commandstats'),
        );
        const each = 100 * AT_ONCE;
        lines.push(`  ${name.padEnd(44)} ${calls / each} commands, ${(micros / each).toFixed(1)} µs\n`);
      }
      client.disconnect();
      return lines.join('');
    },
  },
];

function one(client, limit) {
  const limiter = new RedisRateLimiter({ ...settings(client), limit, windowMs: WINDOW_MS, prefix: `one ${limit}` });
  return async (key) => (await limiter.consume(key)).allowed;
}

function three(client, limit) {
  const limits = NAMES.map((name) => ({ name, limit, windowMs: WINDOW_MS }));
  const limiter = new RedisRateLimiter({ ...settings(client), limits });
  return async (key) => (await limiter.consume(key)).allowed;
}

/** No decision is to come from anywhere else than the server, however busy the machine is. */
function settings(client) {
  return { client, deadlineMs: 60_000, onStoreError: 'deny' };
}

function peerOf(client, points) {
  const limiter = new RateLimiterRedis({ storeClient: client, points, duration: WINDOW_MS / 1000 });
  return (key) => allowedBy(limiter, key);
}

function unionOf(client, points) {
  const limiters = NAMES.map(
    (keyPrefix) =>
      new RateLimiterRedis({ storeClient: client, points, duration: WINDOW_MS / 1000, keyPrefix }),
  );
  const union = new RateLimiterUnion(...limiters);
  return (key) => allowedBy(union, key);
}

function allowedBy(limiter, key) {
  return limiter.consume(key).then(
    () => true,
    (refusal) => {
      if (refusal instanceof Error) throw refusal;
      return false;
    },
  );
}

async function started() {
  // It ends with this process.
  const server = await RedisServer.launch();
  const client = new Redis({
    port: server.port,
    host: '127.0.0.1',
    autoResendUnfulfilledCommands: false,
    enableOfflineQueue: false,
    lazyConnect: true,
  });
  await client.connect();
  return { server, client };
}

async function prepared(limit, ours, theirs) {
  const { client } = await started();
  const decisions = [
    ['@nodesec/native', ours(client, limit)],
    [PEER, theirs(client, limit)],
  ];
  for (const [name, decide] of decisions) {
    for (let call = 0; call < 3; call += 1) {
      assert.equal(await decide('first'), call < limit, `${name}, call ${call}`);
    }
    // With a limit of 1, this leaves nothing.
    for (const key of KEYS) await decide(key);
  }
  return decisions.map(([name, decide]) => ({ name, run: concurrently(decide) }));
}

const KEYS = shuffled(Array.from({ length: 1000 }, (_, n) => `client:${String(n).padStart(11, '0')}`));

/** Decides n times for AT_ONCE keys at once. */
function concurrently(decide) {
  let at = 0;
  return async (n) => {
    for (let i = 0; i < n; i += 1) {
      const calls = [];
      for (let call = 0; call < AT_ONCE; call += 1) {
        calls.push(decide(KEYS[at]));
        at = at + 1 === KEYS.length ? 0 : at + 1;
      }
      await Promise.all(calls);
    }
  };
}
