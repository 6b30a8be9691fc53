'use strict';

// Sessions in memory, on a store and on Redis behave alike.

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');

const { RevocationList, Sessions, Store } = require('@nodesec/native');
const { RedisSessions } = require('@nodesec/native/redis');
const { CLIENTS } = require('../helpers/redis-clients.js');
const { secretKey } = require('../helpers/redis-revocations.js');
const { RedisServer } = require('../helpers/redis-server.js');
const { BEHAVIOURS, clocked, service, transcript } = require('../helpers/session-behaviours.js');
const { storeKey, storePath } = require('../helpers/store-service.js');

/** The answers of sessions in memory. */
async function expected({ options, steps }) {
  const { clock, advance } = clocked();
  const revocations = new RevocationList({ clock });
  const { issuer, verifier } = service(revocations, clock);
  const sessions = new Sessions({ issuer, revocations, clock, ...options });
  return transcript({ sessions, verifier }, steps, advance);
}

for (const row of BEHAVIOURS) {
  describe(row.name, () => {
    test('memory', async () => {
      const answers = await expected(row);
      // The steps say which pairs there are.
      assert.equal(answers.length, row.steps.length);
      assert.ok(answers.every((answer) => !JSON.stringify(answer).includes('-1')), JSON.stringify(answers));
    });

    test('a store', async (t) => {
      const { clock, advance } = clocked();
      const store = await Store.open(storePath(t), { key: storeKey() });
      const revocations = new RevocationList({ store, clock });
      const { issuer, verifier } = service(revocations, clock);
      const sessions = new Sessions({ issuer, revocations, store, clock, ...row.options });
      const answers = await transcript({ sessions, verifier }, row.steps, advance);
      await store.close();
      assert.deepEqual(answers, await expected(row));
    });

    for (const kind of ['ioredis 6', 'redis 5']) {
      test(`Redis, with ${kind}`, async (t) => {
        const server = await RedisServer.start(t);
        if (server === undefined) return;
        const { clock, advance } = clocked();
        const answers = await onRedis(t, server, row, { kind, clock, advance });
        assert.deepEqual(answers, await expected(row));
      });
    }

    // With the time of the server, so it gets the steps before the first that moves the clock.
    const still = row.steps.slice(0, row.steps.findIndex(([ms]) => ms > 0) >>> 0);
    test('Redis, by the time of the server', async (t) => {
      const server = await RedisServer.start(t);
      if (server === undefined) return;
      const steps = { ...row, steps: still };
      const answers = await onRedis(t, server, steps, { kind: 'redis 6', advance() {} });
      assert.deepEqual(answers.map(withoutTimes), (await expected(steps)).map(withoutTimes));
    });
  });
}

async function onRedis(t, server, { options, steps }, { kind, clock, advance }) {
  const client = await CLIENTS[kind](t, server);
  const clocks = clock === undefined ? {} : { clock };
  const revocations = new RevocationList(clocks);
  const { issuer, verifier } = service(revocations, clock);
  const sessions = new RedisSessions({
    client, key: secretKey(), issuer, revocations, deadlineMs: 10_000, ...clocks, ...options,
  });
  return transcript({ sessions, verifier }, steps, advance);
}

function withoutTimes(answer) {
  const times = ['refreshExpiresAt', 'startedAt', 'usedAt', 'expiresAt', 'iat', 'exp'];
  return JSON.parse(
    JSON.stringify(answer, (name, value) => (times.includes(name) ? typeof value : value)) ?? 'null',
  );
}
