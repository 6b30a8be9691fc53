'use strict';

// The ring of a store in several processes, some of which are killed or stopped. `ROUNDS=1000` is a
// long run. Needs Linux.

const assert = require('node:assert/strict');
const { randomInt } = require('node:crypto');
const path = require('node:path');
const { test } = require('node:test');
const { setTimeout: sleep } = require('node:timers/promises');

const { StoreProcess, untilStopped } = require('../helpers/store-process.js');
const { storePath } = require('../helpers/store-service.js');

const onLinux = process.platform === 'linux' ? test : () => {};

const ROUNDS = Number(process.env.ROUNDS ?? 8);
const PROCESSES = 8;
const SERVICE = path.join(__dirname, '..', 'helpers', 'ring-service.js');

async function start(t, at, ring, store = {}) {
  const process = new StoreProcess(t);
  await process.call('open', at, store);
  await process.call('load', SERVICE, ring);
  return process;
}

const startAll = (t, at, ring) =>
  Promise.all(Array.from({ length: PROCESSES }, () => start(t, at, ring)));

const callAll = (processes, ...call) =>
  Promise.all(processes.map((process) => process.call(...call)));

/** The one value that all processes give. */
async function agreed(processes, ...call) {
  const [first, ...others] = await callAll(processes, ...call);
  for (const other of others) assert.deepEqual(other, first);
  return first;
}

const active = (keys) => keys.filter((key) => key.endsWith(' active'));
const idOf = (key) => key.split(' ')[0];
const kidOf = (token) => JSON.parse(Buffer.from(token.split('.')[0], 'base64url')).kid;

/** The keys, which are the same in all processes, and the same as their listeners have heard. */
async function agreedKeys(processes) {
  const keys = await agreed(processes, 'keys');
  assert.deepEqual(await agreed(processes, 'heardKeys'), keys.toSorted());
  return keys;
}

onLinux('eight processes that open a new store at once have one ring, and rotate it once at a time', async (t) => {
  const at = storePath(t);
  const processes = await startAll(t, at, { alg: 'ES256', rotateEvery: '1d' });
  assert.equal((await agreedKeys(processes)).length, 2);
  const made = Math.floor(Date.now() / 1000);
  // A process that looks meanwhile moves a rotation of the future to its present. That must be
  // later than `made`, or another rotation would be due a day after `made`.
  while (Math.floor(Date.now() / 1000) === made) await sleep(10);
  const ticks = await callAll(processes, 'tick', made + 86_400);
  const rotations = ticks.filter((changes) => changes.length > 0);
  assert.deepEqual(rotations, [['active>retired', 'next>active', '>next']]);
  const { body, etag } = await agreed(processes, 'jwks');
  assert.equal(JSON.parse(body).keys.length, 3);
  assert.match(etag, /^"[\w-]+"$/);
  // All have seen the ring before they rotate at once; a process that looks late does not rotate.
  const kids = new Set(await callAll(processes, 'rotate', { force: true }));
  const keys = await agreedKeys(processes);
  assert.equal(active(keys).length, 1);
  assert.ok(kids.has(idOf(active(keys)[0])));
  const token = await processes[0].call('sign');
  await processes[7].call('revokeKey', idOf(active(keys)[0]));
  for (const process of processes) {
    assert.deepEqual(await process.call('judgeTokens', [token]), ['ERR_JWT_REVOKED']);
    await assert.rejects(process.call('sign'), { code: 'ERR_KEYRING_NO_ACTIVE_KEY' });
  }
  assert.equal(active(await agreedKeys(processes)).length, 0);
});

onLinux('a rotation by time happens in every process, and also while none of them does anything', async (t) => {
  const options = { alg: 'EdDSA', maxTokenTtl: 300, jwksMaxAge: 0, rotateEvery: 1 };
  const processes = await startAll(t, storePath(t), options);
  const tokens = await callAll(processes, 'sign');
  const first = active(await processes[0].call('keys'))[0];
  while (active(await processes[1].call('keys'))[0] === first) await sleep(100);
  await callAll(processes, 'work', false);
  const busy = active(await processes[0].call('keys'))[0];
  while (active(await processes[1].call('keys'))[0] === busy) await sleep(100);
  await callAll(processes, 'pause');
  for (const { tokens: given } of processes) tokens.push(...given.slice(-20));
  assert.deepEqual(await agreed(processes, 'judgeTokens', tokens), ['accepted']);
  await processes[0].call('configure', { rotateEvery: null });
  assert.equal(active(await agreedKeys(processes)).length, 1);
  await agreed(processes, 'jwks');
});

onLinux('a process that is killed while it rotates leaves one active key, and its tokens verify', async (t) => {
  const at = storePath(t);
  const options = { alg: 'EdDSA', jwksMaxAge: 0 };
  const processes = await startAll(t, at, options);
  const watcher = await start(t, at, options);
  let rotations = 0;
  for (let round = 0; round < ROUNDS || rotations < ROUNDS; round += 1) {
    await callAll(processes, 'work', true);
    await sleep(randomInt(30));
    const at_ = randomInt(PROCESSES);
    const killed = processes[at_];
    while (killed.tokens.length < 5) await sleep(1);
    await sleep(randomInt(10));
    await killed.kill();
    processes.splice(at_, 1);
    await callAll(processes, 'pause');
    const tokens = [killed, ...processes].flatMap((each) => each.tokens.splice(0));
    assert.ok(tokens.length >= 5);
    const all = [watcher, ...processes];
    assert.deepEqual(await agreed(all, 'judgeTokens', tokens), ['accepted'], `round ${round}`);
    const keys = await agreedKeys(all);
    assert.equal(active(keys).length, 1);
    assert.equal(keys.filter((key) => key.endsWith(' next')).length, 1);
    await agreed(all, 'jwks');
    // A revocation by any process holds in every process once it returns.
    const kid = idOf(active(keys)[0]);
    tokens.push(await processes[0].call('sign'));
    const revoked = tokens.filter((token) => kidOf(token) === kid);
    const others = tokens.filter((token) => kidOf(token) !== kid);
    await all[randomInt(all.length)].call(randomInt(2) ? 'revokeKey' : 'revokeKeyAsync', kid);
    assert.deepEqual(await agreed(all, 'judgeTokens', revoked), ['ERR_JWT_REVOKED'], `round ${round}`);
    assert.deepEqual(await agreed(all, 'judgeTokens', others), ['accepted'].slice(0, others.length));
    await watcher.call('rotate', { force: true });
    processes.push(await start(t, at, options));
    // Keys of the past go before they fill the ring.
    if (keys.length > 300) await watcher.call('tick', Math.ceil(Date.now() / 1000) + 3 * 86_400);
    rotations = await watcher.call('rotations');
  }
  t.diagnostic(`${rotations} rotations`);
});

onLinux('while a process is stopped in mid-transaction, a ring signs and verifies and does not change', async (t) => {
  const at = storePath(t);
  const [options, store] = [{ alg: 'EdDSA', jwksMaxAge: 0 }, { busyMs: 300 }];
  const stopped = await start(t, at, options, store);
  const other = await start(t, at, options, store);
  const kid = idOf(active(await other.call('keys'))[0]);
  await stopped.call('revokeForever', 'forever');
  for (let round = 0; ; round += 1) {
    assert.ok(round < 1000, 'the process never had a transaction when it was stopped');
    while (stopped.revoked.length <= round) await sleep(1);
    process.kill(stopped.child.pid, 'SIGSTOP');
    await untilStopped(stopped.child.pid);
    const tried = await other.call('revoke', `tried-${round}`).catch((error) => error);
    if (tried?.code === 'ERR_STORE_BUSY') break;
    process.kill(stopped.child.pid, 'SIGCONT');
  }
  const keys = await other.call('keys');
  for (const call of [
    ['rotate', { force: true }], ['revokeKey', kid], ['revokeKeyAsync', kid],
    ['configure', { rotateEvery: '9d' }],
  ]) {
    await assert.rejects(other.call(...call), { code: 'ERR_STORE_BUSY' });
  }
  const token = await other.call('sign');
  assert.deepEqual(await other.call('judgeTokens', [token]), ['accepted']);
  assert.equal(JSON.parse((await other.call('jwks')).body).keys.length, 2);
  assert.deepEqual(await other.call('keys'), keys);
  process.kill(stopped.child.pid, 'SIGCONT');
  await stopped.kill();
  await other.call('revokeKey', kid);
  assert.deepEqual(await other.call('judgeTokens', [token]), ['ERR_JWT_REVOKED']);
});
