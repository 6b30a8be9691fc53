// Sessions over Redis, with a real redis-server on loopback.

import assert from 'node:assert/strict';

import { JwtIssuer, JwtKey, RevocationList, SecretBuffer } from '@nodesec/native';
import { RedisSessions } from '@nodesec/native/redis';
import { Redis } from 'ioredis';

import { RedisServer } from '../../__test__/helpers/redis-server.js';
import { ISSUER, TTL } from '../lib/claims.mjs';
import { median } from '../lib/measure.mjs';

const CLAIMS = { role: 'admin' };
const MANY = 10_000;

const keys = JwtKey.fromSecret(Buffer.alloc(32, 7), { alg: 'HS256', kid: 'k1' });
const issuer = new JwtIssuer({ keys, issuer: ISSUER, expiresIn: TTL });

export const rows = [
  ...[1, 8, 64].map((callers) => ({
    name: `redis: refreshes of sessions, callers: ${callers}`,
    setting: 'HS256; each caller refreshes its own session without a break, on loopback',
    observe: ({ quick }) => withSessions((on) => refreshes(on, callers, quick ? 1000 : 5000)),
  })),
  {
    name: 'redis: the size of sessions',
    setting: 'two sessions of each subject, with one claim and without meta data; MEMORY USAGE',
    observe: ({ quick }) => withSessions((on) => sizes(on, quick ? MANY / 10 : MANY)),
  },
];

async function refreshes({ server, sessions }, callers, ms) {
  let tokens = await Promise.all(
    Array.from({ length: callers }, async (_, at) => (await sessions.start(`u-${at}`, CLAIMS)).refreshToken),
  );
  const refresh = async (refreshToken) => {
    const { status, pair } = await sessions.refresh(refreshToken);
    assert.equal(status, 'rotated');
    return pair.refreshToken;
  };
  tokens = await Promise.all(tokens.map(refresh));
  server.cli('config', 'resetstat');
  const rates = [];
  let count = 0;
  for (let slice = 0; slice < 10; slice += 1) {
    const [began, before] = [performance.now(), count];
    await Promise.all(
      tokens.map(async (_, at) => {
        while (performance.now() - began < ms / 10) {
          tokens[at] = await refresh(tokens[at]);
          count += 1;
        }
      }),
    );
    rates.push(((count - before) * 1000) / (performance.now() - began));
  }
  const stats = server.cli('info', 'commandstats');
  const [, calls, micros] = /cmdstat_evalsha:calls=(\d+),usec=(\d+)/.exec(stats);
  return (
    `  ${Math.round(median(rates)).toLocaleString('en')} refreshes a second; ` +
    `${(calls / count).toFixed(2)} round trips and ${(micros / count).toFixed(1)} µs of the server each\n`
  );
}

async function sizes({ client, sessions }, count) {
  for (let at = 0; at < count; at += 1000) {
    const starts = Array.from({ length: 1000 }, (_, n) => sessions.start(`u-${(at + n) >> 1}`, CLAIMS));
    await Promise.all(starts);
  }
  const names = await client.keys('*');
  const used = await Promise.all(names.map((name) => client.memory('USAGE', name, 'SAMPLES', '0')));
  const bytes = used.reduce((sum, each) => sum + each, 0);
  return `  ${(bytes / count).toFixed(0)} bytes a session, its half of the name included\n`;
}

async function withSessions(body) {
  if (!RedisServer.isInstalled()) return '  no redis-server\n';
  const server = await RedisServer.launch();
  const client = new Redis({
    port: server.port,
    host: '127.0.0.1',
    autoResendUnfulfilledCommands: false,
    enableOfflineQueue: false,
    lazyConnect: true,
  });
  await client.connect();
  const key = SecretBuffer.from(Buffer.alloc(32, 7));
  const options = { client, issuer, key, revocations: new RevocationList(), deadlineMs: 60_000 };
  try {
    return await body({ server, client, sessions: new RedisSessions(options) });
  } finally {
    client.disconnect();
    await server.end();
  }
}
