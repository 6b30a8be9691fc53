// Revocation lists over Redis, with a real redis-server on loopback.

import assert from 'node:assert/strict';

import { RevocationList, SecretBuffer } from '@nodesec/native';
import { RedisRevocations } from '@nodesec/native/redis';
import { Redis } from 'ioredis';

import { RedisServer } from '../../__test__/helpers/redis-server.js';
import { median, quantile } from '../lib/measure.mjs';
import { verdict } from '../lib/report.mjs';

const ENTRIES = 1_000_000;
const START_SECONDS = 10;
const REFUSED_MS = 25;
const STREAM = '{nodesec:revocations}';

const key = SecretBuffer.from(Buffer.alloc(32, 7));
const soon = () => Math.floor(Date.now() / 1000) + 86_400;

export const rows = [
  {
    name: 'redis: a revocation is refused by another list',
    setting: 'from the call until the other list refuses, one at a time, on loopback',
    observe: ({ quick }) =>
      withServer(async (server) => {
        const [one, other] = [await server.open(), await server.open()];
        const times = [];
        const bytes = server.bytes();
        const count = quick ? 200 : 2000;
        for (let n = 0; n < count; n += 1) {
          const jti = `id ${n}`;
          const began = performance.now();
          const revoked = one.list.revokeId(jti, soon());
          while (!other.list.isRevoked({ jti })) await new Promise(setImmediate);
          times.push(performance.now() - began);
          await revoked;
        }
        const each = (server.bytes() - bytes) / count;
        const p99 = quantile(times, 0.99);
        const commands = server.calls();
        return (
          `  median ${median(times).toFixed(2)} ms, p99 ${p99.toFixed(2)} ms, ` +
          `${verdict(p99 <= REFUSED_MS, `at most ${REFUSED_MS} ms`)}\n` +
          `  ${each.toFixed(0)} bytes of the server each; commands: ${commands}\n`
        );
      }),
  },
  {
    name: 'redis: start with 1,000,000 revocations',
    setting: 'RedisRevocations.open of an empty list; entries of one revocation, and of 64',
    observe: () =>
      withServer(async (server) => {
        let report = '';
        for (const [prefix, together] of [['one', 1], ['many', 64]]) {
          const source = await server.open({ prefix });
          await fill(source.list, together);
          const began = performance.now();
          const { list } = await server.open({ prefix });
          const seconds = (performance.now() - began) / 1000;
          assert.equal(list.size, ENTRIES);
          report +=
            `  ${together} an entry: ${seconds.toFixed(1)} s, ` +
            `${verdict(seconds <= START_SECONDS, `at most ${START_SECONDS} s`)}\n`;
        }
        return report;
      }),
  },
];

/** Revokes ids, so many in one turn. */
async function fill(list, together) {
  const exp = soon();
  const callers = 256;
  let next = 0;
  const caller = async () => {
    while (next < ENTRIES) {
      const ids = Array.from({ length: Math.min(together, ENTRIES - next) }, () => `id ${next++}`);
      await Promise.all(ids.map((id) => list.revokeId(id, exp)));
      // Callers in one turn would share an entry.
      if (together === 1) await new Promise(setImmediate);
    }
  };
  await Promise.all(Array.from({ length: together === 1 ? callers : 8 }, caller));
}

async function withServer(body) {
  if (!RedisServer.isInstalled()) return '  no redis-server\n';
  const server = await RedisServer.launch();
  const { port } = server;
  const cli = (...args) => server.cli(...args);
  const opened = [];
  try {
    return await body({
      async open(more) {
        const client = new Redis({ port, enableOfflineQueue: false, lazyConnect: true, autoResendUnfulfilledCommands: false });
        const list = new RevocationList({ maxEntries: 2 * ENTRIES });
        const revocations = await RedisRevocations.open({ client, list, key, maxStaleness: '1m', ...more });
        opened.push({ client, revocations });
        return { list };
      },
      bytes: () => Number(cli('memory', 'usage', STREAM, 'samples', '0')) || 0,
      calls: () =>
        cli('info', 'commandstats')
          .split('\n')
          .map((line) => /^cmdstat_(xadd|xread|hset):calls=(\d+)/.exec(line))
          .flatMap((found) => (found ? [`${found[1]} ${found[2]}`] : []))
          .join(', '),
    });
  } finally {
    for (const { client, revocations } of opened) {
      await revocations.close();
      client.disconnect();
    }
    await server.end();
  }
}
