'use strict';

// Files of a store that were damaged, mixed up or lost, and stores that are closed: never fewer
// revocations.

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { setTimeout: sleep } = require('node:timers/promises');

const { coded } = require('../helpers/outcome.js');
const { StoreProcess } = require('../helpers/store-process.js');
const { ACCEPTED, REVOKED, StoreService, idsOf, storeKey, storePath } = require('../helpers/store-service.js');

const STORE = 'ERR_REVOCATION_STORE';

/** The paths of a store with the session `old`, of a copy of it, and of both with `new`. */
async function twoGenerations(t) {
  const at = storePath(t);
  const old = `${at}-old`;
  let service = await StoreService.open(at);
  await service.revoke('old');
  await service.close();
  copyStore(at, old);
  service = await StoreService.open(at);
  await service.revoke('new');
  await service.close();
  return { at, old };
}

/** Copies the folder of a store. `cpSync` of Node 22 and 24 does not keep the mode of a folder. */
function copyStore(from, to) {
  fs.cpSync(from, to, { recursive: true });
  fs.chmodSync(to, 0o700);
}

const replaceFile = (name) => (at, old) => {
  fs.copyFileSync(path.join(old, name), path.join(at, name));
};
const REFUSED = {
  'an old database beside a newer epoch': replaceFile('store.db'),
  'a lost epoch': (at) => fs.rmSync(path.join(at, 'epoch')),
  'an empty epoch': (at) => fs.truncateSync(path.join(at, 'epoch')),
  'a lost database': (at) => fs.rmSync(path.join(at, 'store.db')),
  'an empty database': (at) => fs.truncateSync(path.join(at, 'store.db')),
  'half a database': (at) => {
    const file = path.join(at, 'store.db');
    fs.truncateSync(file, fs.statSync(file).size / 2);
  },
  'a database of noise': (at) => {
    const file = path.join(at, 'store.db');
    fs.writeFileSync(file, Buffer.alloc(fs.statSync(file).size, 0x5a));
  },
  'the epoch of another store': async (at, old) => {
    const other = await StoreService.open(`${old}-other`);
    await other.revokeInTurn('other', 9);
    await other.close();
    replaceFile('epoch')(at, `${old}-other`);
  },
};

for (const [name, damage] of Object.entries(REFUSED)) {
  test(`${name} is ERR_STORE_CORRUPT, until both are restored`, async (t) => {
    const { at, old } = await twoGenerations(t);
    await damage(at, old);
    // A failure must not mend the store for the next opener.
    for (let attempt = 0; attempt < 2; attempt += 1) {
      await assert.rejects(StoreService.open(at), coded('ERR_STORE_CORRUPT'));
    }
    fs.rmSync(at, { recursive: true });
    copyStore(old, at);
    const service = await StoreService.open(at);
    assert.equal(service.judge('old'), REVOKED);
    await service.close();
  });
}

test('a backup of a store in use has all that was acknowledged, and opens with the same key only', async (t) => {
  const at = storePath(t);
  const [copy, mixed] = [`${at}-copy`, `${at}-mixed`];
  const service = await StoreService.open(at);
  await service.revokeInTurn('before', 20);
  const during = service.revoke(...idsOf('during', 500));
  await Promise.all([service.backup(copy), service.backup(mixed), during]);
  await service.revoke('after');
  await assert.rejects(service.backup(copy), coded('ERR_STORE_OPEN'));
  await assert.rejects(service.backup(at), coded('ERR_STORE_OPEN'));
  await assert.rejects(service.backup(`${at}-no/copy`), coded('ERR_STORE_OPEN'));
  assert.deepEqual(fs.readdirSync(copy).sort(), ['epoch', 'store.db']);
  if (process.platform !== 'win32') assert.equal(fs.statSync(copy).mode & 0o777, 0o700);
  await assert.rejects(StoreService.open(copy, { key: storeKey(8) }), coded('ERR_STORE_KEY'));
  const restored = await StoreService.open(copy);
  assert.deepEqual(restored.judgeAll(idsOf('before', 20)), [REVOKED]);
  assert.equal(restored.judge('after'), ACCEPTED);
  await restored.revoke('later');
  assert.equal(service.judge('later'), ACCEPTED);
  await restored.close();
  await service.close();
  fs.copyFileSync(path.join(at, 'epoch'), path.join(mixed, 'epoch'));
  await assert.rejects(StoreService.open(mixed), coded('ERR_STORE_CORRUPT'));
});

/** Damages the files of a running store, in a process of its own: locks end with a descriptor. */
const RUNNING = {
  'are full of noise': `
    for (const name of fs.readdirSync('.').filter((name) => name !== 'epoch')) {
      const file = fs.openSync(name, 'r+');
      fs.writeSync(file, Buffer.alloc(fs.fstatSync(file).size, 0x5a), 0);
    }`,
  'are deleted': `for (const name of fs.readdirSync('.')) fs.rmSync(name)`,
  'are those of a backup': `
    for (const name of fs.readdirSync('.')) fs.rmSync(name);
    fs.cpSync('../store-copy', '.', { recursive: true });`,
  'have another epoch': `
    fs.copyFileSync('epoch', 'copy');
    fs.renameSync('copy', 'epoch');`,
  'have no index of the log': `fs.rmSync('store.db-shm')`,
  'have another log': `
    fs.copyFileSync('store.db-wal', 'copy');
    fs.renameSync('copy', 'store.db-wal');`,
  'have a shorter log': `fs.truncateSync('store.db-wal', 100)`,
  'are elsewhere': `fs.renameSync(process.cwd(), process.cwd() + '-moved')`,
  'have an epoch from the future': `
    const file = fs.openSync('epoch', 'r+');
    fs.writeSync(file, Buffer.from([0xff, 0xff, 0xff]), 0, 3, 8);`,
};

// Windows removes no file that is open.
const damages = Object.entries(RUNNING).slice(process.platform === 'win32' ? -1 : 0);
for (const [what, damage] of damages) {
  for (const onStoreError of ['deny', 'allow']) {
    test(`verifiers whose files ${what} give ERR_REVOCATION_STORE, onStoreError: '${onStoreError}'`, async (t) => {
      const at = storePath(t);
      const service = await StoreService.open(at, { onStoreError });
      await service.revoke('before');
      await service.backup(`${at}-copy`);
      const other = new StoreProcess(t);
      await other.call('open', at, { onStoreError });
      await other.call('revoke', 'after');
      assert.deepEqual(service.judgeAll(['before', 'after']), [REVOKED]);
      execFileSync(process.execPath, ['--eval', damage], { cwd: at });
      const acknowledged = ['before', 'after'];
      // The verifiers may answer from memory until the damage is noticed.
      for (let count = 0; service.judge('another') === ACCEPTED; count += 1) {
        const id = `during-${count}`;
        if (await other.call('revoke', id).then(() => true, () => false)) acknowledged.push(id);
        for (const id of acknowledged) assert.notEqual(service.judge(id), ACCEPTED, id);
        await sleep(20);
      }
      assert.deepEqual(service.judgeAll(['another', ...acknowledged]), [STORE]);
      await assert.rejects(service.revoke('later'), coded(STORE));
      while ((await other.call('judge', 'another')) === ACCEPTED) await sleep(20);
      assert.deepEqual(await other.call('judgeAll', ['another', ...acknowledged]), [STORE]);
      await service.close();
    });
  }
}

if (process.platform === 'linux' && ['x64', 'arm64'].includes(process.arch)) {
  test('a service that reads its own files loses nothing to a process that opens and closes the store', async (t) => {
    const at = storePath(t);
    const service = await StoreService.open(at);
    const ids = [];
    for (const round of [1, 2, 3]) {
      copyStore(at, `${at}-copy-${round}`);
      const other = new StoreProcess(t);
      await other.call('open', at);
      ids.push(`other-${round}`, `own-${round}`);
      await other.call('revoke', `other-${round}`);
      await other.call('close');
      await service.revoke(`own-${round}`);
      assert.deepEqual(service.judgeAll(ids), [REVOKED]);
    }
    await service.close();
    const again = await StoreService.open(at);
    assert.deepEqual(again.judgeAll(ids), [REVOKED]);
    await again.close();
  });
}

for (const onStoreError of ['deny', 'allow']) {
  test(`a closed store writes what waits and refuses every token, onStoreError: '${onStoreError}'`, async (t) => {
    const at = storePath(t);
    const service = await StoreService.open(at, { onStoreError });
    const waiting = service.revoke(...idsOf('waiting', 200));
    await service.close();
    await waiting;
    assert.deepEqual(service.judgeAll(['another', 'waiting-1']), [STORE]);
    assert.throws(() => service.revocations.isRevoked({ sid: 'waiting-1' }), coded('ERR_STORE_CLOSED'));
    await assert.rejects(service.revoke('after'), coded('ERR_STORE_CLOSED'));
    assert.throws(() => service.revocations.revokeKeySync('kid'), coded('ERR_STORE_CLOSED'));
    assert.throws(() => service.stats(), coded('ERR_STORE_CLOSED'));
    await assert.rejects(service.backup(`${at}-copy`), coded('ERR_STORE_CLOSED'));
    await service.close();
    const again = await StoreService.open(at, { onStoreError });
    assert.deepEqual(again.judgeAll(idsOf('waiting', 200)), [REVOKED]);
    // The list of the closed store does not come back.
    assert.equal(service.judge('another'), STORE);
    await again.close();
  });
}
