'use strict';

// The promises of revocations that wait for the disk together.

const assert = require('node:assert/strict');
const { AsyncLocalStorage } = require('node:async_hooks');
const { spawnSync } = require('node:child_process');
const { subscribe, unsubscribe } = require('node:diagnostics_channel');
const { once } = require('node:events');
const path = require('node:path');
const { test } = require('node:test');
const { Worker } = require('node:worker_threads');

const { RevocationList } = require('@nodesec/native');

const { REVOKED, StoreService, idsOf, storeKey, storePath } = require('../helpers/store-service.js');

const ADDED = 'nodesec:revocation.added';
const SERVICE = path.join(__dirname, '..', 'helpers', 'store-service.js');
const LATER = Math.floor(Date.now() / 1000) + 3600;

/** Runs a script that has `service`, a `StoreService`, in a process of its own. */
function runAlone(at, script) {
  const source = `
    const { StoreService } = require(${JSON.stringify(SERVICE)});
    StoreService.open(${JSON.stringify(at)}).then((service) => { ${script} });
  `;
  // A process that does not end is killed, and then has no exit code.
  return spawnSync(process.execPath, ['-e', source], { encoding: 'utf8', timeout: 60_000 });
}

test('promises of one turn are settled in the order of their calls', async (t) => {
  const service = await StoreService.open(storePath(t));
  const ids = idsOf('session', 100);
  const order = [];
  await Promise.all(ids.map((id) => service.revoke(id).then(() => order.push(id))));
  assert.deepEqual(order, ids);
  await service.close();
});

test('each call gets its own result, on several stores and from full lists', async (t) => {
  const open = (options) => RevocationList.open(storePath(t), { key: storeKey(), ...options });
  const [full, other] = [await open({ maxEntries: 1 }), await open()];
  await full.revokeSession('a', LATER);
  const results = await Promise.allSettled([
    other.revokeSession('b', LATER),
    full.revokeSession('c', LATER),
    full.revokeSession('a', LATER),
    other.revokeSession('d', LATER),
    other.revokeSession('', LATER),
  ]);
  assert.deepEqual(
    results.map(({ reason }) => reason?.code),
    [undefined, 'ERR_REVOCATION_FULL', undefined, undefined, 'ERR_OUT_OF_RANGE'],
  );
  assert.deepEqual(
    ['b', 'c', 'd'].map((sid) => [full, other].map((list) => list.isRevoked({ sid }))),
    [[false, true], [false, false], [false, true]],
  );
  await Promise.all([full.close(), other.close()]);
});

test('calls are settled and durable when the store is closed right behind them', async (t) => {
  const at = storePath(t);
  const ids = idsOf('session', 100);
  const service = await StoreService.open(at);
  const revoked = Promise.all(ids.map((id) => service.revoke(id)));
  await Promise.all([service.close(), revoked]);
  await assert.rejects(service.revoke('late'), { code: 'ERR_STORE_CLOSED' });
  const again = await StoreService.open(at);
  assert.deepEqual(again.judgeAll(ids), [REVOKED]);
  await again.close();
});

test('an event is published in the asynchronous context of its call', async (t) => {
  const service = await StoreService.open(storePath(t));
  const request = new AsyncLocalStorage();
  const published = [];
  const hear = () => published.push(request.getStore());
  subscribe(ADDED, hear);
  t.after(() => unsubscribe(ADDED, hear));
  const names = idsOf('request', 20);
  await Promise.all(names.map((name) => request.run(name, () => service.revoke(name))));
  assert.deepEqual(published, names);
  await service.close();
});

test('a process ends by itself when its last promise is settled, and not before', (t) => {
  const at = storePath(t);
  const script = `
    service.revoke('a', 'b').then(() => service.revoke('c')).then(() => console.log('revoked'));
  `;
  const { status, stdout, stderr } = runAlone(at, script);
  assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: 'revoked\n', stderr: '' });
});

test('a rejection that nobody handles is reported once, and one that is handled never', (t) => {
  const script = `
    process.on('unhandledRejection', ({ code }) => console.log(code));
    service.close().then(() => {
      service.revoke('a').catch(({ code }) => console.log('handled', code));
      service.revoke('b');
    });
  `;
  const { status, stdout } = runAlone(storePath(t), script);
  assert.equal(status, 0);
  assert.deepEqual(
    stdout.trim().split('\n').sort(),
    ['ERR_STORE_CLOSED', 'handled ERR_STORE_CLOSED'],
  );
});

test('a thread that ends while its calls wait leaves the store to the others', async (t) => {
  const at = storePath(t);
  const service = await StoreService.open(at);
  const source = `
    const { parentPort, workerData: { service, at, ids } } = require('node:worker_threads');
    const { StoreService } = require(service);
    StoreService.open(at).then((service) => {
      for (const id of ids) service.revoke(id);
      parentPort.postMessage(null);
      END
    });
  `;
  for (const end of ['process.exit(7);', 'for (;;);']) {
    const ids = idsOf(end, 100);
    const worker = new Worker(source.replace('END', end), {
      eval: true,
      workerData: { service: SERVICE, at, ids },
    });
    const ended = once(worker, 'exit');
    await once(worker, 'message');
    // Is committed after the calls of the thread.
    await service.revoke(end);
    await worker.terminate();
    await ended;
    assert.deepEqual(service.judgeAll([end, ...ids]), [REVOKED]);
  }
  await service.close();
});

test('fake timers of a test do not hold revocations up', async (t) => {
  const service = await StoreService.open(storePath(t));
  const { nextTick } = process;
  process.nextTick = () => assert.fail('nextTick is replaced');
  try {
    await service.revoke('a', 'b');
  } finally {
    process.nextTick = nextTick;
  }
  assert.deepEqual(service.judgeAll(['a', 'b']), [REVOKED]);
  await service.close();
});
