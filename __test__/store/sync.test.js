'use strict';

// How a commit waits for the disk: under a seccomp filter that refuses one of the calls. Linux.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { buildRefuse } = require('../helpers/refuse.js');
const { StoreProcess } = require('../helpers/store-process.js');
const { REVOKED, StoreService, storePath } = require('../helpers/store-service.js');

const onLinux = process.platform === 'linux' ? test : () => {};

/** A process that has opened a store and may not use a system call. */
async function withoutCall(t, call, at) {
  const refuse = await buildRefuse();
  const service = new StoreProcess(t, { command: [refuse, 'EPERM', call] });
  await service.call('open', at);
  return service;
}

onLinux('a commit waits for the data of a file and its length, and not for its times', async (t) => {
  const at = storePath(t);
  await (await StoreService.open(at)).close();
  const service = await withoutCall(t, 'fsync', at);
  for (const id of ['a', 'b']) {
    await service.call('revoke', id);
    assert.equal(await service.call('judge', id), REVOKED);
  }
  await service.call('close');
  const again = await StoreService.open(at);
  assert.equal(again.judge('a'), REVOKED);
  await again.close();
});

onLinux('a commit that cannot wait for the disk is ERR_STORE_OPEN', async (t) => {
  const at = storePath(t);
  await (await StoreService.open(at)).close();
  const service = await withoutCall(t, 'fdatasync', at);
  await assert.rejects(service.call('revoke', 'a'), { code: 'ERR_STORE_OPEN' });
});
