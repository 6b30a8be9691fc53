'use strict';

// Sessions on a store that cannot be written: the disk is full, or another process holds the
// transaction. Needs Linux: namespaces, mounts and signals.

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { setTimeout: sleep } = require('node:timers/promises');

const { mounted } = require('../helpers/mounted.js');
const { StoreProcess, untilStopped } = require('../helpers/store-process.js');
const { ACCEPTED, REVOKED, storePath } = require('../helpers/store-service.js');

const onLinux = process.platform === 'linux' ? test : () => {};

/** Without grace, a token that a failed call has used up would be reuse. */
const OPTIONS = { sessions: { grace: 0 } };

/** The sessions of a process, of which `kept` is what their owners hold. */
class Owners {
  #service;
  kept;

  constructor(service) {
    this.#service = service;
  }

  session(method, ...args) {
    return this.#service.call('session', method, ...args);
  }

  async start(count) {
    this.kept = [];
    for (let at = 0; at < count; at += 1) {
      this.kept.push(await this.session('start', `owner-${at}`, {}, { meta: { at } }));
    }
  }

  /** Exchanges a token, and keeps its successor. */
  async refresh(at) {
    const { status, pair } = await this.session('refresh', this.kept[at].refreshToken);
    assert.equal(status, 'rotated', `owner ${at}`);
    this.kept[at] = pair;
  }

  /** Every call fails with the code, and no session is changed by it. */
  async assertUnchanged(code) {
    const before = await this.listed();
    for (const [at, { refreshToken, sessionId }] of this.kept.entries()) {
      const subject = `owner-${at}`;
      const changes = { claims: { role: 'other' }, meta: { other: true } };
      for (const call of [
        ['refresh', refreshToken], ['refresh', refreshToken, changes], ['end', sessionId],
        ['endByRefreshToken', refreshToken], ['endAll', subject], ['start', subject],
      ]) {
        await assert.rejects(this.session(...call), { code }, `${call[0]} of ${subject}`);
        if (code === 'ERR_STORE_BUSY' && at > 0) break;
      }
    }
    assert.deepEqual(await this.listed(), before);
    assert.deepEqual(await this.judged(), [ACCEPTED]);
    assert.equal((await this.session('refresh', 'no token')).status, 'unknown');
  }

  async listed() {
    const lists = [];
    for (const at of this.kept.keys()) lists.push(await this.session('list', `owner-${at}`));
    assert.deepEqual(lists.map(({ length }) => length), this.kept.map(() => 1));
    return lists;
  }

  async judged() {
    const codes = [];
    for (const { accessToken } of this.kept) {
      codes.push(await this.#service.call('judgeToken', accessToken));
    }
    return [...new Set(codes)];
  }

  /** All go on, and those that end stay ended. */
  async assertGoOn() {
    for (const at of this.kept.keys()) await this.refresh(at);
    assert.deepEqual(await this.judged(), [ACCEPTED]);
    const ended = await this.session('start', 'ended');
    await this.session('end', ended.sessionId);
    assert.equal(await this.#service.call('judgeToken', ended.accessToken), REVOKED);
    assert.equal((await this.session('refresh', ended.refreshToken)).status, 'unknown');
  }
}

/** Refreshes until a refresh finds no room. */
async function untilFull(owners) {
  for (let count = 0; count < 1000; count += 1) {
    const error = await owners.refresh(1 + (count % 4)).then(() => undefined, (failure) => failure);
    if (error === undefined) continue;
    assert.equal(error.code, 'ERR_STORE_FULL', error.stack);
    return;
  }
  assert.fail('the disk is never full');
}

onLinux('on a full disk no call of sessions uses anything up, and all go on once there is room', async (t) => {
  const { service, disk, at } = await mounted(t, 'mount -t tmpfs -o size=3m none disk');
  if (service === undefined) return;
  await service.call('open', at, OPTIONS);
  const owners = new Owners(service);
  await owners.start(5);
  for (let round = 0; round < 6; round += 1) {
    // Each round leaves another number of pages free, from none on.
    await service.call('fill', disk, round * 4096);
    await untilFull(owners);
    await owners.assertUnchanged('ERR_STORE_FULL');
    await service.call('free', disk);
    await owners.assertGoOn();
  }
  // A reuse that cannot be written is told again, and then ends the session.
  const [{ refreshToken: old }] = owners.kept;
  await owners.refresh(0);
  const [{ refreshToken, accessToken, sessionId }] = owners.kept;
  await service.call('fill', disk, 0);
  await untilFull(owners);
  await assert.rejects(owners.session('refresh', old), { code: 'ERR_STORE_FULL' });
  assert.equal(await service.call('judgeToken', accessToken), ACCEPTED);
  await service.call('free', disk);
  const reuse = { status: 'reuse', sessionId, subject: 'owner-0' };
  assert.deepEqual(await owners.session('refresh', old), reuse);
  assert.equal((await owners.session('refresh', refreshToken)).status, 'unknown');
  assert.equal(await service.call('judgeToken', accessToken), REVOKED);
  owners.kept[0] = await owners.session('start', 'owner-0');
  await service.call('close');
  await service.call('open', at, OPTIONS);
  await owners.assertGoOn();
  await service.call('close');
});

onLinux('while a process is stopped in mid-transaction, no call of sessions uses anything up, and all go on later', async (t) => {
  const at = storePath(t);
  const [stopped, other] = [new StoreProcess(t), new StoreProcess(t)];
  for (const service of [stopped, other]) {
    await service.call('open', at, { busyMs: 200, ...OPTIONS });
  }
  const owners = new Owners(other);
  await owners.start(4);
  await stopped.call('revokeForever', 'forever');
  for (let round = 0; ; round += 1) {
    assert.ok(round < 1000, 'the process never had a transaction when it was stopped');
    while (stopped.revoked.length <= round) await sleep(1);
    process.kill(stopped.child.pid, 'SIGSTOP');
    await untilStopped(stopped.child.pid);
    const error = await owners.refresh(0).then(() => undefined, (failure) => failure);
    if (error !== undefined) {
      assert.equal(error.code, 'ERR_STORE_BUSY', error.stack);
      break;
    }
    process.kill(stopped.child.pid, 'SIGCONT');
  }
  await owners.assertUnchanged('ERR_STORE_BUSY');
  // Killed in the middle of its transaction, which is undone.
  await stopped.kill();
  await owners.assertGoOn();
  assert.deepEqual(await other.call('judgeAll', stopped.revoked), [REVOKED]);
  const third = new StoreProcess(t);
  await third.call('open', at, { busyMs: 200, ...OPTIONS });
  const elsewhere = new Owners(third);
  elsewhere.kept = owners.kept;
  await elsewhere.assertGoOn();
});
