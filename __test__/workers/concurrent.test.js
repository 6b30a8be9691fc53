'use strict';

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { test } = require('node:test');
const { Worker, isMainThread, parentPort } = require('node:worker_threads');

const { useEverything } = require('../helpers/everything.js');

if (isMainThread) {
  test('eight threads load the module and use it at the same time', async () => {
    const workers = Array.from({ length: 8 }, () => new Worker(__filename));
    const results = await Promise.all(
      workers.map(async (worker) => {
        const [[rounds], [exitCode]] = await Promise.all([
          once(worker, 'message'),
          once(worker, 'exit'),
          useEverything(),
        ]);
        return { rounds, exitCode };
      }),
    );
    assert.deepEqual(results, Array(8).fill({ rounds: 10, exitCode: 0 }));
    await useEverything();
  });
} else {
  (async () => {
    let rounds = 0;
    while (rounds < 10) {
      await useEverything();
      rounds += 1;
    }
    parentPort.postMessage(rounds);
  })();
}
