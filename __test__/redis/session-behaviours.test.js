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

test('random calls have the same answers as in memory', async (t) => {
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  const client = await CLIENTS['ioredis 6'](t, server);
  await client.connect();
  const random = generator(11);
  const one = (...values) => values[random() % values.length];
  for (let round = 0; round < 40; round += 1) {
    // In memory, the start of a session also removes expired ones of other subjects.
    const isAlone = round % 2 === 0;
    const options = {
      grace: one(0, 30, 300),
      retryUntilUsed: one(false, true),
      maxSessionsPerSubject: one(1, 2, 5),
      onSessionLimit: one('reject', 'end-oldest'),
      ...(isAlone ? { refreshTtl: one('1h', '2h'), idleTtl: one('30m', '2h') } : {}),
    };
    const subject = () => (isAlone ? 'ada' : one('ada', 'eve', 'bob'));
    const claims = () => one(undefined, { claims: { n: random() } }, { meta: { n: random() } }, { claims: 'editor' });
    const pair = () => random() % 40;
    const calls = {
      start: () => [subject(), { n: random() }, one(undefined, { meta: { n: random() } })],
      refresh: () => [`R${pair()}`, claims()],
      judge: () => [`A${pair()}`],
      end: () => [`S${pair()}`],
      endByRefreshToken: () => [`R${pair()}`],
      endAll: () => [subject()],
      list: () => [subject()],
    };
    const names = ['start', 'start', ...Array(8).fill('refresh'), 'judge', 'list', 'end', 'endByRefreshToken', 'endAll'];
    const steps = Array.from({ length: 80 }, (_, at) => {
      const call = at === 0 ? 'start' : one(...names);
      return [one(0, 0, 0, 1000, 29_000, 300_000, 1_000_000), call, ...calls[call]()];
    });
    await client.flushall();
    const { clock, advance } = clocked();
    const answers = await onRedis(t, server, { options, steps }, { kind: client, clock, advance });
    assert.deepEqual(answers, await expected({ options, steps }), `${round}`);
  }
});

/** Numbers that look random and are the same in every run. */
function generator(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 8;
  };
}

/** `kind` is a client, or the name of one. */
async function onRedis(t, server, { options, steps }, { kind, clock, advance }) {
  const client = typeof kind === 'string' ? await CLIENTS[kind](t, server) : kind;
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
