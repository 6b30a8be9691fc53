'use strict';

// The calls of one process, for scripts/soak.mjs:
//
//   node --expose-gc __test__/fuzz/soak.js SECONDS
//
// Calls every export in turn with the arguments of the table, which are right, and measures the
// process after each round. It must hold no more at the end than after the first fifth of the time.

const assert = require('node:assert/strict');
const { readFileSync, readdirSync } = require('node:fs');
const { test } = require('node:test');
const { setTimeout: sleep } = require('node:timers/promises');

const { NodesecError, secureHeap } = require('@nodesec/native');
const { targets } = require('./targets.js');

const MIB = 1024 * 1024;
/** Resident memory may differ by so much: V8 and malloc keep some of what is free. */
const MAX_GROWTH = { share: 0.05, bytes: 8 * MIB };

const milliseconds = Number(process.argv[2]) * 1000;
const functions = [...targets].filter(([, { isRefused }]) => !isRefused);
const succeeded = new Map(functions.map(([name]) => [name, 0]));

test('memory, handles, threads and secrets are flat while every export is used', async () => {
  const started = performance.now();
  const spent = () => performance.now() - started;
  const rounds = [];
  do {
    for (const [name, target] of functions) await callOne(name, target);
    rounds.push({ at: spent(), ...(await measure()) });
    if (rounds.length % 10 === 1) console.log(JSON.stringify(rounds.at(-1)));
  } while (spent() < milliseconds);
  const never = [...succeeded].filter(([, times]) => times === 0).map(([name]) => name);
  assert.deepEqual(never, [], 'these never succeeded');
  const [warm, end] = [between(rounds, 0.2, 0.4), between(rounds, 0.8, 1)];
  const calls = [...succeeded.values()].reduce((sum, times) => sum + times, 0);
  console.log(JSON.stringify({ exports: functions.length, rounds: rounds.length, calls, warm, end }));
  assert.ok(end.rss <= warm.rss * (1 + MAX_GROWTH.share) + MAX_GROWTH.bytes, 'resident memory grows');
  for (const what of ['descriptors', 'threads', 'resources', 'secrets']) {
    assert.ok(end[what] <= warm[what], `${what} grow from ${warm[what]} to ${end[what]}`);
  }
});

async function callOne(name, { row, call }) {
  try {
    const result = call(row.on?.(), row.args?.() ?? []);
    row.ends?.(result);
    await result;
    succeeded.set(name, succeeded.get(name) + 1);
  } catch (error) {
    // An earlier call may have closed a store or a list that the row needs.
    if (!(error instanceof NodesecError) || error.code === 'ERR_INTERNAL') throw error;
  }
}

/** The memory and the objects of the process, once the garbage is gone. */
async function measure() {
  // Finalizers run after a turn of the loop.
  for (let turn = 0; turn < 3; turn += 1) {
    globalThis.gc();
    await sleep(1);
  }
  return {
    rss: process.memoryUsage.rss(),
    heap: process.memoryUsage().heapUsed,
    descriptors: readdirSync('/proc/self/fd').length,
    threads: Number(/^Threads:\s*(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))[1]),
    resources: process.getActiveResourcesInfo().length,
    secrets: secureHeap.status().liveSecrets,
  };
}

/** The median of each measure in a part of the time; at least one round ends after its begin. */
function between(rounds, from, to) {
  const end = rounds.at(-1).at;
  const later = rounds.filter(({ at }) => at >= from * end);
  const part = later.filter(({ at }, index) => index === 0 || at <= to * end);
  const median = (name) => part.map((round) => round[name]).sort((a, b) => a - b)[part.length >> 1];
  return Object.fromEntries(Object.keys(part[0]).map((name) => [name, median(name)]));
}
