'use strict';

// The limiters of a process, of a machine and of Redis behave alike.

const assert = require('node:assert/strict');
const { mkdtempSync, rmSync } = require('node:fs');
const { tmpdir } = require('node:os');
const path = require('node:path');
const { describe, test } = require('node:test');

const { RateLimiter } = require('@nodesec/native');
const { RedisRateLimiter } = require('@nodesec/native/redis');
const { BEHAVIOURS, transcript } = require('../helpers/limit-behaviours.js');
const { CLIENTS } = require('../helpers/redis-clients.js');
const { RedisServer } = require('../helpers/redis-server.js');

const START = Date.UTC(2026, 10, 29);

function clocked() {
  const time = { ms: START };
  return { clock: () => new Date(time.ms), advance: (ms) => void (time.ms += ms) };
}

/** The answers of a limiter in this process. */
function expected({ options, steps }) {
  const { clock, advance } = clocked();
  return transcript(new RateLimiter({ ...options, clock }), steps, advance);
}

for (const row of BEHAVIOURS) {
  describe(row.name, () => {
    for (const denyCache of [0, 1000]) {
      test(`Redis, with ${denyCache} denials remembered`, async (t) => {
        const server = await RedisServer.start(t);
        if (server === undefined) return;
        const client = await CLIENTS['ioredis 6'](t, server);
        const { clock, advance } = clocked();
        const settings = { client, denyCache, deadlineMs: 10_000, clock };
        const limiter = new RedisRateLimiter({ ...row.options, ...settings });
        assert.deepEqual(await transcript(limiter, row.steps, advance), await expected(row));
      });
    }

    // These two have a real clock, so they get the steps before the first that moves it. A unit
    // that returns within a microsecond needs a clock that stands still.
    if (row.isFast) return;
    const still = row.steps.slice(0, row.steps.findIndex(([ms]) => ms > 0) >>> 0);

    test('Redis, by the time of the server', async (t) => {
      const server = await RedisServer.start(t);
      if (server === undefined) return;
      const client = await CLIENTS['redis 6'](t, server);
      const limiter = new RedisRateLimiter({ ...row.options, client, deadlineMs: 10_000 });
      await behavesAsExpected(limiter, { ...row, steps: still });
    });

    test('a machine', async (t) => {
      const folder = mkdtempSync(path.join(tmpdir(), 'nodesec-behaviours-'));
      t.after(() => rmSync(folder, { recursive: true }));
      const limiter = RateLimiter.machine(path.join(folder, 'limits'), { ...row.options, maxKeys: 100 });
      await behavesAsExpected(limiter, { ...row, steps: still });
    });
  });
}

/** Times may be shorter by the time that has really passed, and nothing else may differ. */
async function behavesAsExpected(limiter, row) {
  const began = performance.now();
  const answers = await transcript(limiter, row.steps, () => {});
  const passed = performance.now() - began + 1;
  const wanted = await expected(row);
  for (const [at, answer] of answers.entries()) {
    const [times, rest] = split(answer);
    const [wantedTimes, wantedRest] = split(wanted[at]);
    assert.deepEqual(rest, wantedRest, `step ${at}`);
    for (const [n, time] of times.entries()) {
      const isWithin = time <= wantedTimes[n] && time >= wantedTimes[n] - passed;
      assert.ok(isWithin, `step ${at}: ${time} for ${wantedTimes[n]} after ${passed} ms`);
    }
  }
}

/** The times of an answer, and the rest of it. */
function split(answer) {
  if (typeof answer !== 'object') return [[], answer];
  const times = [];
  const rest = JSON.parse(
    JSON.stringify(answer, (name, value) => {
      if (name !== 'retryAfterMs' && name !== 'resetMs') return value;
      times.push(value);
      return value > 0;
    }),
  );
  return [times, rest];
}

test('random calls have the same answers as in a process', async (t) => {
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  const client = await CLIENTS['ioredis 6'](t, server);
  const random = generator(7);
  for (let round = 0; round < 40; round++) {
    const options = {
      limits: Array.from({ length: 1 + (random() % 4) }, (_, at) => ({
        name: `limit ${at}`,
        limit: 1 + (random() % 1000),
        windowMs: 1 + (random() % (random() % 2 ? 2000 : 1e10)),
      })),
      strict: random() % 4 === 0,
    };
    const most = Math.min(...options.limits.map(({ limit }) => (options.strict ? Math.ceil(limit / 2) : limit)));
    const steps = Array.from({ length: 100 }, () => {
      const call = ['consume', 'consume', 'check', 'peek', 'refund', 'penalize', 'block', 'unblock', 'reset'][
        random() % 9
      ];
      const key = `key ${random() % 3}`;
      const ms = random() % 3 ? 0 : random() % 500;
      if (call === 'block') return [ms, call, key, 1 + (random() % 300)];
      if (call === 'penalize') return [ms, call, key, 1 + (random() % (2 * most))];
      return call === 'unblock' || call === 'reset' ? [ms, call, key] : [ms, call, key, 1 + (random() % most)];
    });
    const { clock, advance } = clocked();
    const settings = { client, clock, denyCache: round % 2 ? 2 : 0, prefix: `round-${round}` };
    const limiter = new RedisRateLimiter({ ...options, ...settings, deadlineMs: 10_000 });
    assert.deepEqual(await transcript(limiter, steps, advance), await expected({ options, steps }), `${round}`);
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
