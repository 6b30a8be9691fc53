'use strict';

// Many threads that are terminated while they use everything, and the processes of a cluster, of
// which one is killed. Each case runs in a process of its own, so that a crash is seen.

const assert = require('node:assert/strict');
const { execFile } = require('node:child_process');
const path = require('node:path');
const { test } = require('node:test');

const { runScript } = require('../helpers/child.js');

const EVERYTHING = JSON.stringify(path.join(__dirname, '..', 'helpers', 'everything.js'));
const CLUSTER = path.join(__dirname, '..', 'helpers', 'cluster.js');

test('after sixteen threads were terminated while they used everything, the process still uses it', async () => {
  const { code, signal, stdout, stderr } = await runScript(`
    const { once } = require('node:events');
    const { setTimeout: sleep } = require('node:timers/promises');
    const { Worker } = require('node:worker_threads');
    const { useEverything } = require(${EVERYTHING});
    const USING = \`
      const { parentPort } = require('node:worker_threads');
      const { useEverything } = require(${EVERYTHING});
      (async () => {
        for (;;) {
          await useEverything();
          parentPort.postMessage('once more');
        }
      })();
    \`;
    (async () => {
      const workers = Array.from({ length: 16 }, () => new Worker(USING, { eval: true }));
      await Promise.all(workers.map((worker) => once(worker, 'message')));
      const using = useEverything();
      for (const worker of workers) {
        // Terminated at moments of its work that differ.
        await sleep(3);
        await worker.terminate();
      }
      await using;
      await useEverything();
      console.log('still here');
    })();
  `);
  const alive = { code: 0, signal: null, stdout: 'still here\n' };
  assert.deepEqual({ code, signal, stdout }, alive, stderr);
});

test('the processes of a cluster use everything, and one that is killed stops no other', (t, done) => {
  execFile(process.execPath, [CLUSTER], (error, stdout, stderr) => {
    assert.ifError(error && new Error(`${error.message}\n${stderr}`));
    const used = (count) => Array(count).fill('used');
    assert.deepEqual(JSON.parse(stdout), { first: used(4), by: 'SIGKILL', second: used(3) });
    done();
  });
});
