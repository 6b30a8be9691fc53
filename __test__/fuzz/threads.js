'use strict';

// Worker threads that make the calls of calls.js and are terminated in the middle of them, for
// scripts/fuzz-api.mjs:
//
//   node __test__/fuzz/threads.js SEED THREADS PROGRESS

const path = require('node:path');
const { setTimeout: sleep } = require('node:timers/promises');
const { Worker } = require('node:worker_threads');

const { useEverything } = require('../helpers/everything.js');
const { Random } = require('./random.js');

const AT_ONCE = 4;
const MAX_LIFE_MS = 1500;

const [seed, threads] = process.argv.slice(2, 4).map(Number);
const progress = process.argv[4];
const random = new Random(seed);
let started = 0;

async function keepStarting() {
  while (started < threads) {
    started += 1;
    const argv = [seed, started * 10_000, 10_000, `${progress}-${started % AT_ONCE}`];
    const file = path.join(__dirname, 'calls.js');
    const worker = new Worker(file, { argv, stdout: true, stderr: true });
    // A termination while the thread starts up is an error of its own kind.
    worker.on('error', () => {});
    await sleep(random.below(MAX_LIFE_MS));
    await worker.terminate();
  }
}

async function main() {
  await Promise.all(Array.from({ length: AT_ONCE }, keepStarting));
  await useEverything();
  console.log(JSON.stringify({ answers: { threads } }));
}

main();
