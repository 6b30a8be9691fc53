'use strict';

const assert = require('node:assert/strict');
const { getEventListeners } = require('node:events');
const { readFileSync } = require('node:fs');
const { createRequire } = require('node:module');
const { beforeEach, test } = require('node:test');
const { setTimeout: sleep } = require('node:timers/promises');
const vm = require('node:vm');

const native = require('@nodesec/native');
const { coded } = require('../helpers/outcome.js');

const { AbortError, NodesecError, calibrate, deriveKey, hash, hashSync, passwordPool } = native;
const { verify, verifySync } = native;

const FAST = { profile: 'test' };
const SLOW = { memoryCost: 8192, timeCost: 64, parallelism: 1 };
const DIGEST = hashSync('password', FAST);
const SALT = Buffer.from('somesalt');

/** Every call that takes a signal. */
const calls = {
  hash: (signal) => hash('password', { ...FAST, signal }),
  verify: (signal) => verify(DIGEST, 'password', { signal }),
  deriveKey: (signal) => deriveKey('password', SALT, { ...FAST, signal }),
  calibrate: (signal) => calibrate({ targetMs: 1, memoryCost: 7168, signal }),
};

const aborted = (reason) => (error) => {
  assert.ok(error instanceof AbortError && error instanceof NodesecError);
  assert.deepEqual([error.name, error.code], ['AbortError', 'ABORT_ERR']);
  assert.equal(error.cause, reason);
  assert.deepEqual(Object.keys(error), ['code']);
  return true;
};

const idle = async () => {
  while (passwordPool.stats().running + passwordPool.stats().queued > 0) await sleep(1);
};

beforeEach(async () => {
  await idle();
  passwordPool.configure({ threads: 1, maxQueue: 1000 });
});

for (const [name, call] of Object.entries(calls)) {
  test(`${name}: a signal that does not fire changes nothing`, async () => {
    const { signal } = new AbortController();
    assert.ok(await call(signal));
    assert.equal(getEventListeners(signal, 'abort').length, 0);
  });

  test(`${name}: nothing starts with an aborted signal`, async () => {
    const reason = new Error('mine');
    const before = passwordPool.stats();
    const promise = call(AbortSignal.abort(reason));
    const { running, queued } = passwordPool.stats();
    assert.deepEqual([running, queued], [before.running, before.queued]);
    await assert.rejects(promise, aborted(reason));
    assert.equal(passwordPool.stats().completed, before.completed);
  });

  test(`${name}: queued work leaves the queue at once`, async () => {
    const running = hash('password', SLOW);
    const controller = new AbortController();
    const promise = call(controller.signal);
    const other = hash('password', FAST);
    const before = passwordPool.stats();
    assert.deepEqual([before.running, before.queued], [1, 2]);
    const reason = { any: 'value' };
    controller.abort(reason);
    assert.equal(passwordPool.stats().queued, 1);
    assert.equal(passwordPool.stats().aborted, before.aborted + 1);
    await assert.rejects(promise, aborted(reason));
    assert.equal(passwordPool.stats().running, 1);
    await Promise.all([running, other]);
    assert.equal(getEventListeners(controller.signal, 'abort').length, 0);
  });
}

/** Hours of work, so that only an abort ends it. */
const ENDLESS = { memoryCost: 65536, timeCost: 65536, parallelism: 4 };

for (const [name, call] of Object.entries({
  hash: (signal) => hash('password', { ...ENDLESS, signal }),
  deriveKey: (signal) => deriveKey('password', SALT, { ...ENDLESS, signal }),
  verify: (signal) => {
    const limits = { timeCost: ENDLESS.timeCost, work: 2 ** 32 };
    return verify(DIGEST.replace('m=64,t=1,p=1', 'm=65536,t=65536,p=4'), 'password', { limits, signal });
  },
})) {
  test(`${name}: running work rejects at once and stops, its memory with it`, async () => {
    const controller = new AbortController();
    const before = passwordPool.stats();
    const promise = call(controller.signal);
    assert.equal(passwordPool.stats().bytes, 64 << 20);
    await sleep(20);
    controller.abort();
    await assert.rejects(promise, aborted(controller.signal.reason));
    await idle();
    const after = passwordPool.stats();
    assert.deepEqual([after.bytes, after.aborted], [0, before.aborted + 1]);
  });
}

test('AbortSignal.timeout calls off a hash that waits', async () => {
  const running = hash('password', SLOW);
  const signal = AbortSignal.timeout(5);
  await assert.rejects(hash('password', { ...FAST, signal }), (error) => {
    assert.equal(error.cause.name, 'TimeoutError');
    return aborted(signal.reason)(error);
  });
  await running;
});

test('one signal calls off many hashes with one listener and no warning', async () => {
  const warnings = [];
  const warn = (warning) => warnings.push(warning);
  process.on('warning', warn);
  const controller = new AbortController();
  const { signal } = controller;
  const hashes = Array.from({ length: 100 }, () => hash('password', { ...SLOW, signal }));
  assert.equal(getEventListeners(signal, 'abort').length, 1);
  controller.abort();
  const outcomes = await Promise.allSettled(hashes);
  assert.ok(outcomes.every(({ reason }) => reason instanceof AbortError));
  assert.equal(passwordPool.stats().queued, 0);
  await sleep(0);
  process.off('warning', warn);
  assert.deepEqual(warnings, []);
});

test('a signal that fires when the result is there already changes nothing', async () => {
  const controller = new AbortController();
  const { signal } = controller;
  const digest = await hash('password', { ...FAST, signal });
  controller.abort();
  assert.equal(await verify(digest, 'password'), true);
});

test('a signal may fire while the arguments are read', async () => {
  const controller = new AbortController();
  const { signal } = controller;
  const options = {
    ...ENDLESS,
    signal,
    get hashLength() {
      controller.abort();
      return 32;
    },
  };
  await assert.rejects(hash('password', options), aborted(signal.reason));
  assert.equal(getEventListeners(signal, 'abort').length, 0);
});

test('in a realm of its own, as Jest runs modules, signals work as well', async () => {
  const file = require.resolve('../../lib/abort.js');
  const realm = vm.createContext({});
  const load = vm.runInContext(`(require, module) => {${readFileSync(file, 'utf8')}}`, realm);
  const loaded = { exports: {} };
  load(createRequire(file), loaded);
  const { passwordHash } = require('../../lib/native.js').native;
  const controller = new AbortController();
  const { signal } = controller;
  const promise = loaded.exports.abortable(signal, (job) =>
    passwordHash('password', ENDLESS, job),
  );
  controller.abort();
  await assert.rejects(promise, aborted(signal.reason));
});

test('onabort and listeners of others are left alone', async () => {
  const controller = new AbortController();
  const { signal } = controller;
  const seen = [];
  signal.onabort = () => seen.push('onabort');
  signal.addEventListener('abort', () => seen.push('listener'));
  await hash('password', { ...FAST, signal });
  controller.abort();
  assert.deepEqual(seen, ['onabort', 'listener']);
});

test("another scheme's hash is false with a signal, too", async () => {
  const { signal } = new AbortController();
  assert.equal(await verify('$2b$10$abcdefghijklmnopqrstuv', 'password', { signal }), false);
  assert.equal(getEventListeners(signal, 'abort').length, 0);
});

test('bad arguments leave no listener on a signal', async () => {
  const { signal } = new AbortController();
  await assert.rejects(hash(42, { signal }), coded('ERR_INVALID_ARG_TYPE'));
  assert.equal(getEventListeners(signal, 'abort').length, 0);
});

test('nobody can call off what its caller waits for', () => {
  const { signal } = new AbortController();
  assert.throws(() => hashSync('password', { ...FAST, signal }), coded('ERR_UNKNOWN_OPTION'));
  assert.throws(
    () => verifySync(DIGEST, 'password', { signal }),
    coded('ERR_UNKNOWN_OPTION'),
  );
});
