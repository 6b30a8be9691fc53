'use strict';

// Disks that are full, and that fail under a running store. Needs Linux: namespaces and mounts. The
// mounts are in a namespace of the process that uses them, and vanish with it.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const { chmodSync, chownSync, readdirSync } = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');

const { MAKE_EXT4, MOUNT_EXT4, SHUT_DOWN, mounted } = require('../helpers/mounted.js');
const { missing } = require('../helpers/peers.js');
const { StoreProcess, untilStopped } = require('../helpers/store-process.js');
const { ACCEPTED, REVOKED, StoreService, idsOf, storePath } = require('../helpers/store-service.js');

const onLinux = process.platform === 'linux' ? test : () => {};

const STORE = 'ERR_REVOCATION_STORE';

const READ_ONLY = { code: 'ERR_STORE_OPEN', message: /read-only.* mount it for writing/ };
const NO_RIGHT = { code: 'ERR_STORE_OPEN', message: /give this process's user the right/ };

const NOBODY = 65_534;

/** A command that runs another one as a user without root's rights; empty if this one has none. */
function unprivileged(t) {
  if (process.getuid() !== 0) return [];
  const command = ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'];
  const [program, ...args] = [...command, process.execPath, '--check', __filename];
  if (spawnSync(program, args).status === 0) return command;
  return missing(t, 'setpriv', 'run as another user than root, or let everybody read the sources');
}

onLinux('a full disk is ERR_STORE_FULL, loses nothing, and the store goes on once there is room', async (t) => {
  const { service, disk, at } = await mounted(t, 'mount -t tmpfs -o size=3m none disk');
  if (service === undefined) return;
  await service.call('open', at);
  await service.call('revoke', 'before');
  const acknowledged = ['before'];
  for (let round = 0; round < 12; round += 1) {
    // Each round leaves another number of pages free, from none on.
    await service.call('fill', disk, round * 4096);
    for (let count = 0; ; count += 1) {
      assert.ok(count < 1000, 'the disk is never full');
      const ids = idsOf(`${round}-${count}`, 50);
      const error = await service.call('revoke', ...ids).catch((error) => error);
      if (error === undefined) {
        acknowledged.push(...ids);
        continue;
      }
      assert.equal(error.code, 'ERR_STORE_FULL', error.message);
      break;
    }
    assert.deepEqual(await service.call('judgeAll', acknowledged), [REVOKED]);
    assert.equal(await service.call('judge', 'another'), ACCEPTED);
    await assert.rejects(service.call('backup', path.join(disk, 'copy')), { code: 'ERR_STORE_FULL' });
    assert.equal(await service.call('exists', path.join(disk, 'copy')), false);
    await service.call('free', disk);
    await service.call('revoke', `after-${round}`);
    acknowledged.push(`after-${round}`);
  }
  await service.call('close');
  await service.call('open', at);
  assert.deepEqual(await service.call('judgeAll', acknowledged), [REVOKED]);
  await service.call('close');
});

onLinux('a store that finds no room to be made is ERR_STORE_FULL and can be made later', async (t) => {
  const { service, disk, at } = await mounted(t, 'mount -t tmpfs -o size=1m none disk');
  if (service === undefined) return;
  let pages = 0;
  for (; ; pages += 1) {
    assert.ok(pages < 200, 'there is never enough room');
    await service.call('fill', disk, pages * 4096);
    const error = await service.call('open', at).catch((error) => error);
    await service.call('free', disk);
    if (error === undefined) break;
    assert.equal(error.code, 'ERR_STORE_FULL', error.message);
  }
  assert.ok(pages > 0);
  await service.call('revoke', 'after');
  assert.equal(await service.call('judge', 'after'), REVOKED);
});

onLinux('a limit on the size of files is ERR_STORE_FULL, and loses nothing', async (t) => {
  const at = storePath(t);
  const limited = new StoreProcess(t, { command: ['sh', '-c', 'ulimit -f 400; exec "$@"', 'sh'] });
  await limited.call('open', at);
  const acknowledged = [];
  for (let count = 0; ; count += 1) {
    assert.ok(count < 1000, 'the limit has no effect');
    const ids = idsOf(count, 50);
    const error = await limited.call('revoke', ...ids).catch((error) => error);
    if (error !== undefined) {
      assert.equal(error.code, 'ERR_STORE_FULL', error.message);
      break;
    }
    acknowledged.push(...ids);
  }
  assert.deepEqual(await limited.call('judgeAll', acknowledged), [REVOKED]);
  const service = await StoreService.open(at);
  await service.revoke('after');
  assert.deepEqual(service.judgeAll([...acknowledged, 'after']), [REVOKED]);
  assert.equal(await limited.call('judge', 'after'), REVOKED);
  await service.close();
});

onLinux('a disk that turns read-only under a running store keeps what was acknowledged', async (t) => {
  const { service, folder, disk, at } = await mounted(t, `${MAKE_EXT4} && ${MOUNT_EXT4}`);
  if (service === undefined) return;
  await service.call('open', at);
  const before = idsOf('before', 100);
  await service.call('revoke', ...before);
  // ext4 turns read-only as it does after an error of the disk.
  await service.call('run', 'mount', '-o', 'remount,abort', disk);
  await assert.rejects(service.call('revoke', 'during'), READ_ONLY);
  // The store can still be read.
  assert.deepEqual(await service.call('judgeAll', before), [REVOKED]);
  assert.equal(await service.call('judge', 'another'), ACCEPTED);
  await service.call('close');
  await assert.rejects(service.call('open', at), READ_ONLY);
  await service.kill();
  await assertIntact(t, folder, before);
});

onLinux('a disk that is read-only when a store is opened is named, and the store opens once it is not', async (t) => {
  const { service, disk, at } = await mounted(t, 'mount -t tmpfs none disk');
  if (service === undefined) return;
  const before = idsOf('before', 10);
  await service.call('open', at);
  await service.call('revoke', ...before);
  await service.call('close');
  await service.call('run', 'mount', '-o', 'remount,ro', disk);
  await assert.rejects(service.call('open', at), READ_ONLY);
  await assert.rejects(service.call('open', path.join(disk, 'another')), READ_ONLY);
  await service.call('run', 'mount', '-o', 'remount,rw', disk);
  await service.call('open', at);
  assert.deepEqual(await service.call('judgeAll', before), [REVOKED]);
  await service.call('revoke', 'after');
  assert.equal(await service.call('judge', 'after'), REVOKED);
});

onLinux('a folder that loses the right to write keeps what was acknowledged, and is named when it is opened', async (t) => {
  const command = unprivileged(t);
  if (command === undefined) return;
  const at = storePath(t);
  if (command.length > 0) chownSync(path.dirname(at), NOBODY, NOBODY);
  const service = new StoreProcess(t, { command });
  await service.call('open', at);
  const acknowledged = idsOf('before', 10);
  await service.call('revoke', ...acknowledged);
  const rights = (mode, files) => {
    for (const name of readdirSync(at)) chmodSync(path.join(at, name), files);
    chmodSync(at, mode);
  };
  rights(0o500, 0o400);
  // The descriptors that are open still permit it.
  await service.call('revoke', 'during');
  acknowledged.push('during');
  assert.deepEqual(await service.call('judgeAll', acknowledged), [REVOKED]);
  assert.equal(await service.call('judge', 'another'), ACCEPTED);
  await service.call('close');
  await assert.rejects(service.call('open', at), NO_RIGHT);
  await assert.rejects(service.call('open', path.join(at, 'another')), NO_RIGHT);
  rights(0o700, 0o600);
  await service.call('open', at);
  assert.deepEqual(await service.call('judgeAll', acknowledged), [REVOKED]);
});

for (const onStoreError of ['deny', 'allow']) {
  onLinux(`a verifier whose disk fails answers as onStoreError: '${onStoreError}' says`, async (t) => {
    const { service, folder, disk, at } = await mounted(t, `${MAKE_EXT4} && ${MOUNT_EXT4}`);
    if (service === undefined) return;
    await service.call('open', at, { onStoreError });
    const before = idsOf('before', 100);
    await service.call('revoke', ...before);
    const command = ['nsenter', '--mount', '--target', `${service.child.pid}`];
    const other = new StoreProcess(t, { command });
    await other.call('open', at);
    // The verifier must not read the next revocation while the disk is well.
    process.kill(service.child.pid, 'SIGSTOP');
    await untilStopped(service.child.pid);
    await other.call('revoke', 'remote');
    await other.call('run', 'python3', '-c', SHUT_DOWN, disk);
    process.kill(service.child.pid, 'SIGCONT');
    const denies = onStoreError === 'deny';
    assert.equal(await service.call('judge', 'remote'), denies ? STORE : ACCEPTED);
    assert.deepEqual(await service.call('judgeAll', before), [denies ? STORE : REVOKED]);
    assert.equal(await service.call('judge', 'another'), denies ? STORE : ACCEPTED);
    const code = denies ? STORE : 'ERR_STORE_OPEN';
    await assert.rejects(service.call('revoke', 'during'), { code });
    await Promise.all([service.kill(), other.kill()]);
    await assertIntact(t, folder, [...before, 'remote']);
  });
}

/** Opens the store on the disk in another process, after the one that had it has ended. */
async function assertIntact(t, from, revoked) {
  const { service, at } = await mounted(t, MOUNT_EXT4, from);
  await service.call('open', at);
  assert.deepEqual(await service.call('judgeAll', revoked), [REVOKED]);
  await service.call('revoke', 'after');
  assert.equal(await service.call('judge', 'after'), REVOKED);
  await service.kill();
}
