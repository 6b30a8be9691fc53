'use strict';

// The ring of a store whose disk is full, turns read-only or fails. Needs Linux: namespaces and
// mounts.

const assert = require('node:assert/strict');
const path = require('node:path');
const { test } = require('node:test');

const { MAKE_EXT4, MOUNT_EXT4, SHUT_DOWN, mounted } = require('../helpers/mounted.js');
const { StoreProcess, untilStopped } = require('../helpers/store-process.js');

const onLinux = process.platform === 'linux' ? test : () => {};

const SERVICE = path.join(__dirname, '..', 'helpers', 'ring-service.js');
const OPTIONS = { alg: 'EdDSA', jwksMaxAge: 0 };
const DISK = `${MAKE_EXT4} && ${MOUNT_EXT4}`;

onLinux('on a full disk a ring signs and verifies, and it changes again once there is room', async (t) => {
  const { service, disk, at } = await mounted(t, 'mount -t tmpfs -o size=3m none disk');
  if (service === undefined) return;
  await service.call('open', at);
  await service.call('load', SERVICE, OPTIONS);
  const tokens = [await service.call('sign')];
  for (let round = 0; round < 4; round += 1) {
    await service.call('fill', disk, round * 4096);
    const known = await service.call('keys');
    for (let count = 0, error; error === undefined; count += 1) {
      assert.ok(count < 1000, 'the disk is never full');
      error = await service.call('rotate', { force: true }).then(() => undefined, (failure) => failure);
      if (error === undefined) known.splice(0, Infinity, ...(await service.call('keys')));
      else assert.equal(error.code, 'ERR_STORE_FULL', error.message);
    }
    const [kid] = known[0].split(' ');
    for (const call of [['revokeKey', kid], ['configure', { rotateEvery: '9d' }]]) {
      await assert.rejects(service.call(...call), { code: 'ERR_STORE_FULL' });
    }
    assert.deepEqual(await service.call('keys'), known);
    tokens.push(await service.call('sign'));
    assert.deepEqual(await service.call('judgeTokens', tokens), ['accepted']);
    await service.call('free', disk);
    await service.call('rotate', { force: true });
    assert.equal((await service.call('keys')).length, known.length + 1);
  }
});

onLinux('on a disk that turns read-only a ring signs and verifies, and its changes fail', async (t) => {
  const { service, folder, disk, at } = await mounted(t, DISK);
  if (service === undefined) return;
  await service.call('open', at);
  await service.call('load', SERVICE, OPTIONS);
  const token = await service.call('sign');
  const keys = await service.call('keys');
  const [kid] = keys[0].split(' ');
  await service.call('run', 'mount', '-o', 'remount,abort', disk);
  for (const call of [['rotate', { force: true }], ['revokeKey', kid], ['revokeKeyAsync', kid]]) {
    await assert.rejects(service.call(...call), { code: 'ERR_STORE_OPEN' });
  }
  assert.deepEqual(await service.call('keys'), keys);
  const tokens = [token, await service.call('sign')];
  assert.deepEqual(await service.call('judgeTokens', tokens), ['accepted']);
  await service.kill();
  const again = await mounted(t, MOUNT_EXT4, folder);
  await again.service.call('open', at);
  await again.service.call('load', SERVICE, {});
  assert.deepEqual(await again.service.call('keys'), keys);
  assert.deepEqual(await again.service.call('judgeTokens', tokens), ['accepted']);
  await again.service.kill();
});

for (const onStoreError of ['deny', 'allow']) {
  onLinux(`a ring whose disk fails answers as onStoreError: '${onStoreError}' says`, async (t) => {
    const { service, disk, at } = await mounted(t, DISK);
    if (service === undefined) return;
    await service.call('open', at, { onStoreError });
    await service.call('load', SERVICE, OPTIONS);
    const token = await service.call('sign');
    const [kid] = (await service.call('keys'))[0].split(' ');
    const command = ['nsenter', '--mount', '--target', `${service.child.pid}`];
    const other = new StoreProcess(t, { command });
    await other.call('open', at);
    await other.call('load', SERVICE, {});
    // The ring must not read the revocation while the disk is well.
    process.kill(service.child.pid, 'SIGSTOP');
    await untilStopped(service.child.pid);
    await other.call('revokeKey', kid);
    await other.call('run', 'python3', '-c', SHUT_DOWN, disk);
    process.kill(service.child.pid, 'SIGCONT');
    if (onStoreError === 'deny') {
      assert.deepEqual(await service.call('judgeTokens', [token]), ['ERR_REVOCATION_STORE']);
      for (const call of [['sign'], ['jwks'], ['keys'], ['rotate', { force: true }]]) {
        await assert.rejects(service.call(...call), { code: 'ERR_STORE_OPEN' });
      }
    } else {
      const tokens = [token, await service.call('sign')];
      assert.deepEqual(await service.call('judgeTokens', tokens), ['accepted']);
      assert.equal((await service.call('keys'))[0], `${kid} active`);
      await assert.rejects(service.call('revokeKey', kid), { code: 'ERR_STORE_OPEN' });
    }
    await Promise.all([service.kill(), other.kill()]);
  });
}
