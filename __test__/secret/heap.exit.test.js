'use strict';

// A process or a thread with secrets ends in the same way as one without.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { runScript } = require('../helpers/child.js');

const HOLD = `
  const { JwtKey, SecretBuffer, hash, secureHeap } = require('@nodesec/native');
  const held = [1, 32, 5000].map((bytes) => SecretBuffer.random(bytes));
  const key = JwtKey.fromSecret(held[1], { alg: 'HS256' });
  globalThis.held = { held, key };
`;

/** Ways to end, each with the resulting exit code or signal. */
const ENDS = {
  'the end of the program': ['', 0],
  'process.exit': ['process.exit(7);', 7],
  'an uncaught exception': ['throw new Error("thrown");', 1],
  'an unhandled rejection': ['Promise.reject(new Error("rejected"));', 1],
  'process.exit while hashing': [
    `for (let i = 0; i < 8; i++) hash('password', { profile: 'test', secret: held[1] });
     setImmediate(() => process.exit(7));`,
    7,
  ],
  'process.exit inside use': ['held[1].use(() => process.exit(7));', 7],
  SIGTERM: [
    'process.kill(process.pid, "SIGTERM"); setInterval(() => {}, 1000);',
    process.platform === 'win32' ? 1 : 'SIGTERM',
  ],
};

// A system without one of these backends uses the next one.
const backends = ['memfd_secret', 'mlock', 'dontdump', 'plain'];

for (const [name, [script, expected]] of Object.entries(ENDS)) {
  test(`a process with secrets ends as one without: ${name}`, async () => {
    for (const backend of backends) {
      const env = { NODESEC_SECMEM: backend };
      const { code, signal, stderr } = await runScript(HOLD + script, { env });
      assert.equal(signal ?? code, expected, `${backend}: ${stderr}`);
      assert.doesNotMatch(stderr, /nodesec: /, backend);
    }
  });
}

test('a worker that ends with secrets gives them back', async () => {
  for (const backend of backends) {
    const { code, stdout, stderr } = await runScript(
      `
      const { Worker } = require('node:worker_threads');
      ${HOLD}
      const before = secureHeap.status();
      const ends = ['', 'process.exit(3);', 'throw new Error("thrown");', 'terminate'];
      (async () => {
        for (const end of ends) {
          const source = \`${HOLD}
            require('node:worker_threads').parentPort.postMessage('ready');
            \${end === 'terminate' ? 'setInterval(() => {}, 1000);' : end}\`;
          const worker = new Worker(source, { eval: true });
          worker.on('error', () => {});
          if (end === 'terminate') worker.once('message', () => worker.terminate());
          await new Promise((resolve) => worker.once('exit', resolve));
        }
        // Deno tells of the end before the thread has ended.
        const isLater = () => process.versions.deno && secureHeap.status().liveSecrets > before.liveSecrets;
        for (let n = 0; n < 500 && isLater(); n += 1) await new Promise((next) => setTimeout(next, 20));
        secureHeap.verify();
        const { liveSecrets, leaked } = secureHeap.status();
        console.log(JSON.stringify([liveSecrets - before.liveSecrets, leaked - before.leaked]));
      })();
      `,
      { env: { NODESEC_SECMEM: backend } },
    );
    assert.equal(code, 0, stderr);
    // Three secrets in each of four workers are counted as leaked, the keys are not, and none of
    // them is still alive.
    assert.deepEqual(JSON.parse(stdout), [0, 12], backend);
  }
});

test('a secret that is collected without dispose is counted', async () => {
  const { code, stdout, stderr } = await runScript(
    `
    const { SecretBuffer, secureHeap } = require('@nodesec/native');
    const { setImmediate: turn } = require('node:timers/promises');
    for (let i = 0; i < 500; i++) SecretBuffer.random(32).dispose();
    const afterDispose = secureHeap.status().leaked;
    for (let i = 0; i < 500; i++) SecretBuffer.random(32);
    (async () => {
      // Finalizers run in turns of their own, so wait for their effect. The number of rounds is
      // only a limit.
      for (let round = 0; round < 1000 && secureHeap.status().leaked < 490; round++) {
        global.gc();
        await turn();
      }
      const { leaked, liveSecrets } = secureHeap.status();
      console.log(JSON.stringify({ afterDispose, leaked, liveSecrets }));
    })();
    `,
    { flags: ['--expose-gc'] },
  );
  assert.equal(code, 0, stderr);
  const { afterDispose, leaked, liveSecrets } = JSON.parse(stdout);
  assert.equal(afterDispose, 0);
  assert.ok(leaked >= 490, `only ${leaked} were counted`);
  assert.equal(leaked + liveSecrets, 500);
});
