import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { RateLimiter } from '@nodesec/native';
import { MemoryStore } from 'express-rate-limit';
import { RateLimiterMemory } from 'rate-limiter-flexible';

import { inTurn, shuffled } from '../lib/work.mjs';

const WINDOW_MS = 60_000;
const LIMIT = 1_000_000_000;
const PEERS = ['rate-limiter-flexible (memory)', 'express-rate-limit (MemoryStore)'];
const [MEMORY, CLUSTER] = ['memory', 'cluster'].map((name) =>
  fileURLToPath(new URL(`../lib/limiter-${name}.mjs`, import.meta.url)),
);

export const rows = [
  [1000, { [PEERS[0]]: 12, [PEERS[1]]: 2 }],
  [100_000, { [PEERS[0]]: 6, [PEERS[1]]: 2 }],
].map(([count, target]) => ({
  name: `limits: check over ${count.toLocaleString('en')} keys`,
  setting: 'keys of 18 characters in a fixed shuffled order, every request allowed; the limit is a bare Map',
  target,
  prepare: async () => {
    await assertSameDecisions();
    return contestants(shuffledKeys(count));
  },
}));

rows.push({
  name: 'limits: three limits together beside one',
  setting: '1,000 keys, every request allowed; to be at most 1.3 times the time of one',
  atMost: 1.3,
  prepare: async () => {
    const keys = shuffledKeys(1000);
    const three = new RateLimiter({
      limits: ['minute', 'hour', 'day'].map((name) => ({ name, limit: LIMIT, windowMs: WINDOW_MS })),
    });
    const one = new RateLimiter({ limit: LIMIT, windowMs: WINDOW_MS });
    return [
      { name: '@nodesec/native, three limits', run: inTurn(keys, (key) => three.check(key)) },
      { name: '@nodesec/native, one limit', run: inTurn(keys, (key) => one.check(key)) },
    ];
  },
});

for (const count of [1000, 100_000]) {
  rows.push({
    name: `limits: machine beside in-process over ${count.toLocaleString('en')} keys`,
    setting: 'every request allowed; to be at most 1.3 times the time of a limiter in the process',
    atMost: 1.3,
    prepare: async () => {
      const keys = shuffledKeys(count);
      const options = { limit: LIMIT, windowMs: WINDOW_MS, maxKeys: count };
      const machine = RateLimiter.machine(join(newFolder(), 'limits'), options);
      const own = new RateLimiter(options);
      for (const limiter of [machine, own]) for (const key of keys) limiter.check(key);
      return [
        { name: '@nodesec/native, machine', run: inTurn(keys, (key) => machine.check(key)) },
        { name: '@nodesec/native, in-process', run: inTurn(keys, (key) => own.check(key)) },
      ];
    },
  });
}

rows.push({
  name: 'limits: machine beside a cluster limiter over IPC',
  setting: 'two workers of a cluster, 1,000 keys, every request allowed: the time of a decision',
  observe: async () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [CLUSTER, newFolder()], {
      encoding: 'utf8',
    });
    assert.equal(status, 0, stderr);
    return stdout;
  },
});

rows.push({
  name: 'limits: memory of 1,000,000 keys',
  setting:
    'a process each: resident memory per key after a collection, and the longest collection; the ' +
    'first is the share of V8 in each',
  observe: async () =>
    ['no limiter', '@nodesec/native', ...PEERS].map((name) => `  ${name.padEnd(38)} ${measured(name)}\n`).join(''),
});

/** A folder, in memory if possible, as docs/limits.md recommends. It goes when the process ends. */
function newFolder() {
  const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'nodesec-bench-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function measured(name) {
  const { stdout } = spawnSync(process.execPath, ['--expose-gc', MEMORY, name], { encoding: 'utf8' });
  const { bytes, longestMs } = JSON.parse(stdout);
  return `${bytes.toFixed(0).padStart(6)} bytes a key ${longestMs.toFixed(1).padStart(8)} ms`;
}

function contestants(keys) {
  const ours = new RateLimiter({ limit: LIMIT, windowMs: WINDOW_MS });
  const flexible = new RateLimiterMemory({ points: LIMIT, duration: WINDOW_MS / 1000 });
  const store = expressStore();
  return [
    { name: '@nodesec/native', run: inTurn(keys, (key) => ours.check(key)) },
    { name: PEERS[0], run: inTurn(keys, (key) => flexible.consume(key)) },
    { name: PEERS[1], run: inTurn(keys, async (key) => (await store.increment(key)).totalHits <= LIMIT) },
    { name: 'a bare Map, token bucket', limit: true, run: inTurn(keys, mapBucket(LIMIT)) },
  ];
}

/** The least that a token bucket takes in JavaScript: no arguments checked, no bound on memory. */
function mapBucket(limit) {
  const interval = WINDOW_MS / limit;
  const states = new Map();
  return (key) => {
    const now = performance.now();
    const after = Math.max(states.get(key) ?? 0, now) + interval;
    if (after - now > limit * interval) return false;
    states.set(key, after);
    return true;
  };
}

/** Checks that all allow the first five of seven requests, for each of a thousand keys. */
async function assertSameDecisions() {
  const limit = 5;
  const ours = new RateLimiter({ limit, windowMs: WINDOW_MS });
  const flexible = new RateLimiterMemory({ points: limit, duration: WINDOW_MS / 1000 });
  const store = expressStore();
  const bucket = mapBucket(limit);
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
        bucket(key),
      ];
      assert.deepEqual(decisions, Array(4).fill(hit <= limit));
    }
  }
  store.shutdown();
}

function expressStore() {
  const store = new MemoryStore();
  store.init({ windowMs: WINDOW_MS });
  return store;
}

function shuffledKeys(count) {
  return shuffled(Array.from({ length: count }, (_, i) => `client:${String(i).padStart(11, '0')}`));
}
