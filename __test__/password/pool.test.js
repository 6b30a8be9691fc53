'use strict';

// The pool's bounds: which hashes run, which wait and which are rejected.

const assert = require('node:assert/strict');
const { beforeEach, test } = require('node:test');
const { setTimeout: sleep } = require('node:timers/promises');

const { JwtKey, PasswordError, deriveKey, hash, hashSync, passwordPool, verify, verifySync } =
  require('@nodesec/native');
const { coded } = require('../helpers/outcome.js');

const KIB = 1024;
const MIB = 1024 * KIB;
const FAST = { profile: 'test' };
/** Half a second of work in 8 MiB. */
const SLOW = { memoryCost: 8192, timeCost: 256, parallelism: 1 };
const DIGEST = hashSync('password', FAST);

beforeEach(async () => {
  await idle();
  passwordPool.configure({ threads: 2, maxMemory: 512 * MIB, maxQueue: 100, queueTimeoutMs: 60_000 });
});

/** Waits until the pool has nothing to do. A result is delivered before its memory is wiped. */
async function idle() {
  while (passwordPool.stats().running + passwordPool.stats().queued > 0) await sleep(1);
}

test('running, waiting and finished hashes are counted', async () => {
  const before = passwordPool.stats();
  const hashes = Array.from({ length: 5 }, () => hash('password', SLOW));
  const during = passwordPool.stats();
  assert.deepEqual(
    [during.threads, during.running, during.queued, during.bytes],
    [2, 2, 3, 16 * MIB],
  );
  await Promise.all(hashes);
  await idle();
  const after = passwordPool.stats();
  assert.deepEqual([after.running, after.queued, after.bytes], [0, 0, 0]);
  assert.equal(after.completed, before.completed + 5);
  assert.ok(after.p50Ms > 0 && after.p99Ms >= after.p50Ms);
});

test('configure changes what it names, at any time', () => {
  passwordPool.configure({ maxQueue: 7 });
  passwordPool.configure({ threads: 3, queueTimeoutMs: 1234 });
  passwordPool.configure({});
  const { threads, maxMemory, maxQueue, queueTimeoutMs } = passwordPool.stats();
  assert.deepEqual([threads, maxMemory, maxQueue, queueTimeoutMs], [3, 512 * MIB, 7, 1234]);
});

test('numbers that the pool cannot have change nothing', () => {
  for (const options of [
    { threads: 0 },
    { threads: 513 },
    { maxMemory: 8 * KIB - 1 },
    { maxMemory: 2 ** 51 },
    { maxQueue: 2 ** 21 },
    { queueTimeoutMs: 0 },
    { maxQueue: 3, threads: 1.5 },
  ]) {
    assert.throws(() => passwordPool.configure(options), coded('ERR_OUT_OF_RANGE'));
  }
  assert.equal(passwordPool.stats().maxQueue, 100);
});

test('a full queue refuses, and says when to come again', async () => {
  passwordPool.configure({ threads: 1, maxQueue: 2 });
  const accepted = Array.from({ length: 3 }, () => hash('password', SLOW));
  const { rejected } = passwordPool.stats();
  for (const call of [
    () => hash('password', FAST),
    () => verify(DIGEST, 'password'),
    () => deriveKey('password', Buffer.from('somesalt'), FAST),
  ]) {
    const error = await call().catch((reason) => reason);
    assert.ok(error instanceof PasswordError);
    assert.equal(error.code, 'ERR_PASSWORD_BUSY');
    assert.ok(Number.isInteger(error.retryAfterMs) && error.retryAfterMs >= 1);
  }
  assert.equal(passwordPool.stats().rejected, rejected + 3);
  // Generating a key needs none of the memory budget, so it is not rejected.
  assert.equal((await JwtKey.generate('EdDSA')).alg, 'EdDSA');
  await Promise.all(accepted);
});

test('without a queue only what runs at once is accepted', async () => {
  passwordPool.configure({ threads: 1, maxQueue: 0 });
  const accepted = hash('password', SLOW);
  await assert.rejects(hash('password', FAST), coded('ERR_PASSWORD_BUSY'));
  await accepted;
  await idle();
  await hash('password', FAST);
});

test('a hash that has waited too long is refused while the running hash continues', async () => {
  passwordPool.configure({ threads: 1, queueTimeoutMs: 20 });
  const order = [];
  const running = hash('password', SLOW).then(() => order.push('ran'));
  const waiting = hash('password', FAST).catch((error) => order.push(error.code));
  await Promise.all([running, waiting]);
  assert.deepEqual(order, ['ERR_PASSWORD_BUSY', 'ran']);
});

test('nobody overtakes: a small hash waits behind a large one', async () => {
  passwordPool.configure({ threads: 4, maxMemory: 20 * MIB });
  const order = [];
  const note = (name) => () => order.push(name);
  await Promise.all([
    hash('password', SLOW).then(note('first')),
    hash('password', { ...SLOW, memoryCost: 20 * KIB, timeCost: 1 }).then(note('large')),
    hash('password', FAST).then(note('small')),
  ]);
  assert.deepEqual(order, ['first', 'large', 'small']);
});

test('a hash larger than the whole budget fails at once, with the numbers', async () => {
  passwordPool.configure({ maxMemory: 32 * MIB });
  const costs = { memoryCost: 32 * KIB + 4, timeCost: 1, parallelism: 1 };
  const numbers = (error) =>
    error.code === 'ERR_PASSWORD_MEMORY' &&
    error.retryAfterMs === undefined &&
    error.message.includes(String(32 * MIB + 4 * KIB)) &&
    error.message.includes(String(32 * MIB));
  await assert.rejects(hash('password', costs), numbers);
  assert.throws(() => hashSync('password', costs), numbers);
  await hash('password', { ...costs, memoryCost: 32 * KIB });
});

test('a call on its own thread takes memory that is free, or none', async () => {
  passwordPool.configure({ threads: 4, maxMemory: 8 * MIB });
  const { completed } = passwordPool.stats();
  assert.equal(verifySync(DIGEST, 'password'), true);
  assert.equal(passwordPool.stats().completed, completed + 1);
  const running = hash('password', SLOW);
  assert.throws(() => verifySync(DIGEST, 'password'), coded('ERR_PASSWORD_BUSY'));
  assert.throws(() => hashSync('password', FAST), coded('ERR_PASSWORD_BUSY'));
  await running;
  await idle();
  assert.equal(verifySync(DIGEST, 'password'), true);
  assert.equal(passwordPool.stats().bytes, 0);
});

test('a key is derived into secret memory, and is the tag of the same hash', async () => {
  const salt = Buffer.from('a salt of my own');
  const options = { ...FAST, hashLength: 48, secret: Buffer.from('pepper') };
  const key = await deriveKey('password', salt, options);
  assert.equal(String(key), '[SecretBuffer 48 bytes]');
  assert.ok(key.equals(hashSync('password', { ...options, salt, raw: true })));
  assert.ok(!key.equals(await deriveKey('passwore', salt, options)));
  const again = await deriveKey(Buffer.from('password'), salt, options);
  assert.ok(key.equals(again));
  await assert.rejects(deriveKey('password', salt, { raw: true }), coded('ERR_UNKNOWN_OPTION'));
  await assert.rejects(deriveKey('password', Buffer.alloc(7)), coded('ERR_OUT_OF_RANGE'));
});
