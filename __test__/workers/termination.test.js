'use strict';

// Threads and processes that end while the pool still hashes for them. Each case runs in a process
// of its own, so that its exit code or signal shows a crash.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { runScript } = require('../helpers/child.js');

const SLOW = `{ profile: 'owasp', timeCost: 10 }`;

/** A worker that hashes until it is terminated. It posts a message once it has begun. */
const HASHING = `
  const { parentPort } = require('node:worker_threads');
  const { JwtKey, hash, verify } = require('@nodesec/native');
  for (let n = 0; n < 4; n++) hash('password', ${SLOW}).catch(() => {});
  hash('password', { profile: 'test' }).then((digest) => verify(digest, 'password'));
  JwtKey.generate('RS256');
  parentPort.postMessage('hashing');
`;

async function survives(script) {
  const { code, signal, stdout, stderr } = await runScript(`
    const { once } = require('node:events');
    const { Worker } = require('node:worker_threads');
    const HASHING = ${JSON.stringify(HASHING)};
    (async () => {
      ${script}
      console.log('still here');
    })();
  `);
  const alive = { code: 0, signal: null, stdout: 'still here\n' };
  assert.deepEqual({ code, signal, stdout }, alive, stderr);
}

test('after twenty threads were terminated during a hash, the main thread still hashes', () =>
  survives(`
    const { hash, verify } = require('@nodesec/native');
    for (let n = 0; n < 20; n++) {
      const worker = new Worker(HASHING, { eval: true });
      await once(worker, 'message');
      await worker.terminate();
    }
    const digest = await hash('password', { profile: 'test' });
    if (!(await verify(digest, 'password'))) throw new Error('it does not verify');
  `));

test('the main thread hashes while several threads are terminated at once', () =>
  survives(`
    const { hash, verify } = require('@nodesec/native');
    const workers = Array.from({ length: 8 }, () => new Worker(HASHING, { eval: true }));
    const begun = workers.map((worker) => once(worker, 'message'));
    const hashing = hash('password', ${SLOW});
    await Promise.all(begun);
    await Promise.all(workers.map((worker) => worker.terminate()));
    if (!(await verify(await hashing, 'password'))) throw new Error('it does not verify');
  `));

test('a thread that ends gives back the memory of its running and its waiting hashes', () =>
  survives(`
    const { hash, passwordPool } = require('@nodesec/native');
    passwordPool.configure({ threads: 2, maxMemory: 64 << 20 });
    const { setTimeout: sleep } = require('node:timers/promises');
    for (let n = 0; n < 2; n++) {
      const worker = new Worker(HASHING, { eval: true });
      await once(worker, 'message');
      const { running, queued, bytes } = passwordPool.stats();
      if (running !== 2 || queued < 2 || bytes === 0) throw new Error('nothing waits');
      await worker.terminate();
      while (passwordPool.stats().running + passwordPool.stats().queued > 0) await sleep(5);
      if (passwordPool.stats().bytes !== 0) throw new Error('memory is still held');
    }
    // The whole budget is free again for one hash.
    await hash('password', { memoryCost: 65536, timeCost: 1 });
  `));

test('a process survives the termination of the only thread that has loaded the module', () =>
  survives(`
    const { setImmediate: turn } = require('node:timers/promises');
    for (let n = 0; n < 3; n++) {
      const worker = new Worker(HASHING, { eval: true });
      await once(worker, 'message');
      await worker.terminate();
      for (let turns = 0; turns < 100; turns++) await turn();
    }
  `));

test('a process survives the exit, during a hash, of the only thread that has loaded the module', () =>
  survives(`
    for (let n = 0; n < 3; n++) {
      const worker = new Worker(HASHING + 'process.exit();', { eval: true });
      await once(worker, 'exit');
    }
  `));

test('after the only thread that has loaded the module ends, another one can load it', () =>
  survives(`
    const worker = new Worker(HASHING, { eval: true });
    const [exitCode] = await once(worker, 'exit');
    if (exitCode !== 0) throw new Error('the thread failed');
    const again = new Worker(HASHING, { eval: true });
    await once(again, 'exit');
  `));

test('a process that exits during a hash has its own exit status', async () => {
  for (const exit of ['process.exit(7)', 'process.reallyExit(7)']) {
    const { code, signal, stderr } = await runScript(`
      const { JwtKey, hash } = require('@nodesec/native');
      for (let n = 0; n < 8; n++) hash('password', ${SLOW});
      JwtKey.generate('RS256');
      setImmediate(() => { ${exit}; });
    `);
    assert.deepEqual({ code, signal }, { code: 7, signal: null }, stderr);
  }
});

test('an uncaught exception ends the process during a hash with status 1', async () => {
  const { code, signal, stderr } = await runScript(`
    require('@nodesec/native').hash('password', ${SLOW});
    setImmediate(() => { throw new Error('mine'); });
  `);
  assert.deepEqual({ code, signal }, { code: 1, signal: null });
  // Bun prints it without its name.
  assert.match(stderr, /error: mine/i);
});

test('a hash that is not awaited keeps the process running until it is done', async () => {
  const { code, stdout } = await runScript(`
    require('@nodesec/native').hash('password', ${SLOW}).then((digest) => console.log(digest));
  `);
  assert.equal(code, 0);
  assert.match(stdout, /^\$argon2id\$/);
});
