import assert from 'node:assert/strict';

import { RateLimiter } from '@nodesec/native';
import { MemoryStore } from 'express-rate-limit';
import { RateLimiterMemory } from 'rate-limiter-flexible';

import { inTurn, shuffled } from '../lib/work.mjs';

const KEYS = 100_000;
const WINDOW_MS = 60_000;

export const rows = [
  {
    name: 'limits: check over 100,000 keys',
    setting: 'keys of 18 characters in a fixed shuffled order, every request allowed',
    target: { 'rate-limiter-flexible (memory)': 5, 'express-rate-limit (MemoryStore)': 1.5 },
    prepare: async () => {
      await assertSameDecisions();
      return contestants(1_000_000_000);
    },
  },
];

function contestants(limit) {
  const keys = shuffledKeys();
  const ours = new RateLimiter({ limit, windowMs: WINDOW_MS, burst: limit });
  const flexible = new RateLimiterMemory({ points: limit, duration: WINDOW_MS / 1000 });
  const store = expressStore();
  return [
    { name: '@nodesec/native', run: inTurn(keys, (key) => ours.check(key)) },
    { name: 'rate-limiter-flexible (memory)', run: inTurn(keys, (key) => flexible.consume(key)) },
    {
      name: 'express-rate-limit (MemoryStore)',
      run: inTurn(keys, async (key) => (await store.increment(key)).totalHits <= limit),
    },
  ];
}

/** Checks that all three allow the first five of seven requests, for each of a thousand keys. */
async function assertSameDecisions() {
  const limit = 5;
  const ours = new RateLimiter({ limit, windowMs: WINDOW_MS });
  const flexible = new RateLimiterMemory({ points: limit, duration: WINDOW_MS / 1000 });
  const store = expressStore();
  for (let i = 0; i < 1000; i += 1) {
    for (let hit = 1; hit <= 7; hit += 1) {
      const key = `equal-${i}`;
      const decisions = [
        ours.check(key),
        await flexible.consume(key).then(
          () => true,
          () => false,
        ),
        (await store.increment(key)).totalHits <= limit,
      ];
      assert.deepEqual(decisions, Array(3).fill(hit <= limit));
    }
  }
  store.shutdown();
}

function expressStore() {
  const store = new MemoryStore();
  store.init({ windowMs: WINDOW_MS });
  return store;
}

function shuffledKeys() {
  return shuffled(Array.from({ length: KEYS }, (_, i) => `client:${String(i).padStart(11, '0')}`));
}
