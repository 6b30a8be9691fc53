'use strict';

// Processes that share a store, and one of them in trouble. Needs Linux: namespaces and /proc.

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const path = require('node:path');
const { test } = require('node:test');
const { setTimeout: sleep } = require('node:timers/promises');

const { coded } = require('../helpers/outcome.js');
const { node } = require('../helpers/peers.js');
const { StoreProcess, unshare, untilStopped } = require('../helpers/store-process.js');
const { ACCEPTED, REVOKED, StoreService, idsOf, storePath } = require('../helpers/store-service.js');

const onLinux = process.platform === 'linux' ? test : () => {};

const BUSY_MS = 300;

onLinux('two processes that are both PID 1 commit 10,000 revocations, and nothing is lost', async (t) => {
  const command = unshare(t, ['--pid', '--fork', '--mount-proc', '--kill-child']);
  if (command === undefined) return;
  const at = storePath(t);
  const options = { durability: 'process' };
  const writers = ['one', 'two'].map((name) => ({ name, process: new StoreProcess(t, { command }) }));
  await Promise.all(writers.map(({ process }) => process.call('open', at, options)));
  for (const { process } of writers) assert.equal(await process.call('pid'), 1);
  const all = [...idsOf('one', 5000), ...idsOf('two', 5000)];
  await Promise.all(writers.map(({ name, process }) => process.call('revokeInTurn', name, 5000)));
  for (const { process } of writers) {
    assert.ok((await process.call('stats')).commits >= 5000);
    assert.deepEqual(await process.call('judgeAll', all), [REVOKED]);
    assert.equal(await process.call('judge', 'another'), ACCEPTED);
    await process.call('close');
  }
  const service = await StoreService.open(at, options);
  assert.equal(service.stats().entries, 10_000);
  assert.deepEqual(service.judgeAll(all), [REVOKED]);
  await service.close();
});

onLinux('a process that is stopped in mid-transaction makes the others busy, and they go on later', async (t) => {
  const at = storePath(t);
  const options = { busyMs: BUSY_MS };
  const [stopped, other] = [new StoreProcess(t), new StoreProcess(t)];
  await stopped.call('open', at, options);
  await other.call('open', at, options);
  const service = await StoreService.open(at, options);
  await service.revoke('before');
  await stopped.call('revokeForever', 'forever');
  for (let round = 0; ; round += 1) {
    assert.ok(round < 1000, 'the process never had a transaction when it was stopped');
    while (stopped.revoked.length <= round) await sleep(1);
    process.kill(stopped.child.pid, 'SIGSTOP');
    await untilStopped(stopped.child.pid);
    const tried = await service.revoke(`tried-${round}`).catch((error) => error);
    if (tried === undefined) {
      process.kill(stopped.child.pid, 'SIGCONT');
      continue;
    }
    coded('ERR_STORE_BUSY')(tried);
    break;
  }
  await assert.rejects(other.call('revoke', 'other'), { code: 'ERR_STORE_BUSY' });
  assert.throws(() => service.revocations.revokeKeySync('kid'), coded('ERR_STORE_BUSY'));
  // Readers do not wait.
  assert.equal(await other.call('judge', 'before'), REVOKED);
  assert.equal(service.judge('another'), ACCEPTED);
  assert.deepEqual(service.judgeAll(stopped.revoked), [REVOKED]);
  process.kill(stopped.child.pid, 'SIGCONT');
  await retried(() => service.revoke('after'));
  await retried(() => other.call('revoke', 'other'));
  await stopped.kill();
  for (const judgeAll of [(ids) => service.judgeAll(ids), (ids) => other.call('judgeAll', ids)]) {
    assert.deepEqual(await judgeAll(['before', 'after', 'other', ...stopped.revoked]), [REVOKED]);
  }
  await service.close();
});

onLinux('a store is busy while other code holds the lock of its database, and goes on afterwards', async (t) => {
  const binary = node(t, 24);
  if (binary === undefined) return;
  const at = storePath(t);
  const service = await StoreService.open(at, { busyMs: BUSY_MS });
  await service.revoke('before');
  const holder = holdLock(t, binary, path.join(at, 'store.db'));
  await once(holder.stdout, 'data');
  process.kill(holder.pid, 'SIGSTOP');
  await untilStopped(holder.pid);
  await assert.rejects(service.revoke('during'), coded('ERR_STORE_BUSY'));
  assert.equal(service.judge('before'), REVOKED);
  const opener = new StoreProcess(t);
  // It opens without a transaction of its own, and cannot write.
  await opener.call('open', at, { busyMs: BUSY_MS });
  assert.equal(await opener.call('judge', 'before'), REVOKED);
  await assert.rejects(opener.call('revoke', 'during'), { code: 'ERR_STORE_BUSY' });
  holder.kill('SIGKILL');
  process.kill(holder.pid, 'SIGCONT');
  await once(holder, 'close');
  await service.revoke('after');
  await opener.call('revoke', 'later');
  assert.deepEqual(service.judgeAll(['before', 'after', 'later']), [REVOKED]);
  assert.equal(await opener.call('judge', 'after'), REVOKED);
  assert.equal(service.judge('during'), ACCEPTED);
  await service.close();
});

onLinux('lag counts the transactions of other processes until the next verification reads them', async (t) => {
  const at = storePath(t);
  const service = await StoreService.open(at);
  const other = new StoreProcess(t);
  await other.call('open', at);
  // Behind the first revocation, the process stores its time.
  for (const id of ['first', 'second']) await other.call('revoke', id);
  assert.equal(service.judge('first'), REVOKED);
  // The store may look by itself in between, twice a second.
  let lag = 0;
  for (let round = 0; lag === 0; round += 1) {
    assert.ok(round < 100, 'a transaction of another process is never missing');
    await other.call('revoke', `round-${round}`);
    ({ lag } = service.stats());
  }
  assert.equal(lag, 1);
  assert.equal(service.judge('another'), ACCEPTED);
  assert.equal(service.stats().lag, 0);
  await service.close();
});

onLinux('a process that only verifies refuses what another has revoked and was killed for', async (t) => {
  const at = storePath(t);
  const service = await StoreService.open(at);
  for (let round = 0; round < 5; round += 1) {
    const killed = new StoreProcess(t);
    await killed.call('open', at);
    await killed.call('revokeForever', `round-${round}`);
    while (killed.revoked.length < 20) await sleep(1);
    await killed.kill();
    assert.deepEqual(service.judgeAll(killed.revoked), [REVOKED]);
  }
  await service.close();
});

/** A process that begins a transaction of a database, says so, and keeps it. */
function holdLock(t, binary, database) {
  const program = `
    const { DatabaseSync } = require('node:sqlite');
    new DatabaseSync(process.argv[1]).exec('BEGIN IMMEDIATE');
    console.log('locked');
    setInterval(() => {}, 1000);
  `;
  const args = ['--no-warnings', '--eval', program, database];
  const holder = spawn(binary, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => holder.kill('SIGKILL'));
  return holder;
}

/** Calls until the store is not busy any more. */
async function retried(call) {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (error.code !== 'ERR_STORE_BUSY') throw error;
    }
  }
}
