'use strict';

// Threads that share a store, and other users of SQLite in one process.

const assert = require('node:assert/strict');
const { randomInt } = require('node:crypto');
const { once } = require('node:events');
const { readdirSync } = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { setImmediate: turn, setTimeout: sleep } = require('node:timers/promises');
const { Worker } = require('node:worker_threads');

const { assertNoDescriptors, openFiles } = require('../helpers/files-in-use.js');
const { coded } = require('../helpers/outcome.js');
const { ACCEPTED, REVOKED, StoreService, idsOf, storePath } = require('../helpers/store-service.js');

const THREADS = 16;
const TERMINATED = 96;
const SERVICE = path.join(__dirname, '..', 'helpers', 'store-service.js');

const REVOKING = `
  const { parentPort, workerData: { service, at, name } } = require('node:worker_threads');
  const { StoreService } = require(service);
  (async () => {
    const service = await StoreService.open(at);
    parentPort.postMessage(null);
    for (let count = 0; ; count += 1) {
      const ids = [name + '-' + count + '-a', name + '-' + count + '-b'];
      await service.revoke(...ids);
      if (!ids.every((id) => service.judge(id) === '${REVOKED}')) throw new Error('not revoked');
      parentPort.postMessage(ids);
    }
  })();
`;

/** A thread that opens the store and revokes until it is terminated. */
function revoker(at, name, revoked) {
  const worker = new Worker(REVOKING, { eval: true, workerData: { service: SERVICE, at, name } });
  worker.on('message', (ids) => ids && revoked.push(...ids));
  worker.failed = once(worker, 'error').then(([error]) => {
    throw error;
  });
  worker.failed.catch(() => {});
  return worker;
}

test('16 threads are terminated at random while the main thread revokes and verifies', async (t) => {
  const at = storePath(t);
  const service = await StoreService.open(at);
  const revoked = [];
  let names = 0;
  const start = () => revoker(at, `thread-${++names}`, revoked);
  const workers = Array.from({ length: THREADS }, start);
  // Some are terminated while they load or open, others while they revoke.
  for (let round = 0; round < TERMINATED; round += 1) {
    const index = randomInt(THREADS);
    const worker = workers[index];
    if (round % 2) await Promise.race([once(worker, 'message'), worker.failed]);
    await worker.terminate();
    workers[index] = start();
    await service.revoke(`main-${round}`);
    revoked.push(`main-${round}`);
    assert.deepEqual(service.judgeAll(revoked.slice(-200)), [REVOKED]);
    assert.equal(service.judge('another'), ACCEPTED);
  }
  await Promise.race([once(workers[0], 'message'), workers[0].failed]);
  await Promise.all(workers.map((worker) => worker.terminate()));
  await turn();
  assert.ok(revoked.some((id) => id.startsWith('thread')));
  assert.deepEqual(service.judgeAll(revoked), [REVOKED]);
  while (service.stats().openers > 1) await sleep(5);
  await service.close();
  assert.equal(service.judge(revoked[0]), 'ERR_REVOCATION_STORE');
  const again = await StoreService.open(at);
  assert.deepEqual(again.judgeAll(revoked), [REVOKED]);
  await again.close();
});

test('the last close closes a store that a terminated thread had opened first', async (t) => {
  const at = storePath(t);
  const revoked = [];
  const worker = revoker(at, 'thread', revoked);
  await once(worker, 'message');
  const service = await StoreService.open(at);
  await worker.terminate();
  await turn();
  assert.equal(service.judge('another'), ACCEPTED);
  for (const id of revoked) assert.equal(service.judge(id), REVOKED);
  while (service.stats().openers > 1) await sleep(5);
  await service.close();
  assert.throws(() => service.stats(), coded('ERR_STORE_CLOSED'));
  assert.equal(service.judge('another'), 'ERR_REVOCATION_STORE');
  await assert.rejects(service.revoke('after'), coded('ERR_STORE_CLOSED'));
  assertNoDescriptors(at);
});

test('threads that open one store at once have one list', async (t) => {
  const at = storePath(t);
  const services = await Promise.all(Array.from({ length: 20 }, () => StoreService.open(at)));
  assert.equal(services[0].stats().openers, 20);
  await services[3].revoke('one');
  for (const service of services) assert.equal(service.judge('one'), REVOKED);
  await Promise.all(services.slice(1).map((service) => service.close()));
  assert.throws(() => services[3].stats(), coded('ERR_STORE_CLOSED'));
  assert.equal(services[0].stats().openers, 1);
  await services[0].revoke(...idsOf('more', 10));
  await Promise.all([services[0].close(), services[0].close()]);
  assertNoDescriptors(at);
});

test('each of 100 closes leaves an empty log', async (t) => {
  const at = storePath(t);
  for (let round = 0; round < 100; round += 1) {
    const service = await StoreService.open(at, { durability: 'process' });
    await service.revoke(`round-${round}`);
    await service.close();
    assert.deepEqual(readdirSync(at).sort(), ['epoch', 'store.db'], `round ${round}`);
  }
});

test('1,000 opens and closes leave no descriptor and no mapping, though everything is held', async (t) => {
  const at = storePath(t);
  const held = [];
  let before;
  for (let round = 0; round < 1000; round += 1) {
    const service = await StoreService.open(at, { durability: 'process' });
    if (round % 100 === 0) await service.revoke(`round-${round}`);
    assert.equal(service.judge('another'), ACCEPTED);
    await service.close();
    assert.equal(service.judge('another'), 'ERR_REVOCATION_STORE');
    held.push(service);
    // The first rounds open what stays open, such as random devices.
    if (round === 10) before = openFiles().length;
  }
  assertNoDescriptors(at);
  assert.equal(openFiles().length, before);
  assert.throws(() => held[0].stats(), coded('ERR_STORE_CLOSED'));
  await assert.rejects(held[0].revoke('after'), coded('ERR_STORE_CLOSED'));
});
