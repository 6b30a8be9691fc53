'use strict';

// A limiter that the processes of a machine share.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const {
  copyFileSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} = require('node:fs');
const { tmpdir } = require('node:os');
const path = require('node:path');
const { test } = require('node:test');
const { Worker } = require('node:worker_threads');

const { RateLimiter } = require('@nodesec/native');
const { runScript } = require('../helpers/child.js');
const { coded } = require('../helpers/outcome.js');

const HOUR = 3_600_000;
const OPTIONS = { limit: 1000, windowMs: 1000 * HOUR, maxKeys: 1000 };

function newPath(t) {
  const folder = mkdtempSync(path.join(tmpdir(), 'nodesec-machine-'));
  // Windows does not allow the removal of a file that is mapped.
  if (process.platform !== 'win32') t.after(() => rmSync(folder, { recursive: true }));
  return path.join(folder, 'limits');
}

/** The lines that a process prints which runs `script` with the limiter of a file. */
async function inProcess(at, script, options) {
  const source = `
    const { RateLimiter } = require('@nodesec/native');
    const limiter = RateLimiter.machine(${JSON.stringify(at)}, ${JSON.stringify(options)});
    ${script}`;
  const { code, stdout, stderr } = await runScript(source);
  assert.equal(code, 0, stderr);
  return stdout.trim().split('\n');
}

test('8 processes together get the limit and no more', async (t) => {
  const at = newPath(t);
  // All of them try to make the file.
  const script = `
    let allowed = 0;
    for (let n = 0; n < 1000; n++) allowed += limiter.check('key');
    console.log(allowed);`;
  const counts = await Promise.all(
    Array.from({ length: 8 }, () => inProcess(at, script, OPTIONS)),
  );
  assert.equal(counts.reduce((sum, [count]) => sum + Number(count), 0), 1000);
  const limiter = RateLimiter.machine(at);
  assert.equal(limiter.check('key'), false);
  assert.deepEqual(readdirSync(path.dirname(at)), ['limits']);
  assert.equal(limiter.stats().keys, 1);
});

test('8 threads and their process share one limiter', async (t) => {
  const at = newPath(t);
  const limiter = RateLimiter.machine(at, OPTIONS);
  const script = `
    const { parentPort, workerData } = require('node:worker_threads');
    const { RateLimiter } = require('@nodesec/native');
    const limiter = RateLimiter.machine(workerData);
    let allowed = 0;
    for (let n = 0; n < 1000; n++) allowed += limiter.check('key');
    parentPort.postMessage(allowed);`;
  const workers = Array.from({ length: 8 }, () => new Worker(script, { eval: true, workerData: at }));
  const counts = await Promise.all(workers.map(async (worker) => (await once(worker, 'message'))[0]));
  assert.equal(counts.reduce((sum, count) => sum + count), 1000);
  assert.equal(limiter.check('key'), false);
});

test('every call is seen by other processes', async (t) => {
  const at = newPath(t);
  const limits = [
    { name: 'minute', limit: 5, windowMs: 60_000 },
    { name: 'day', limit: 8, windowMs: 24 * HOUR },
  ];
  const limiter = RateLimiter.machine(at, { limits, maxKeys: 100 });
  const left = async (key) => {
    const script = `
      const { limits, violated } = limiter.peek('${key}');
      console.log(JSON.stringify([limits.map(({ remaining }) => remaining), violated]));`;
    return JSON.parse((await inProcess(at, script))[0]);
  };
  limiter.consume('key', 3);
  assert.deepEqual(await left('key'), [[2, 5], []]);
  limiter.refund('key', 2);
  assert.deepEqual(await left('key'), [[4, 7], []]);
  limiter.penalize('key', 5);
  assert.deepEqual(await left('key'), [[0, 2], ['minute']]);
  limiter.reset('key');
  assert.deepEqual(await left('key'), [[5, 8], []]);
  limiter.block('key', HOUR);
  assert.deepEqual(await left('key'), [[0, 0], []]);
  limiter.unblock('key');
  assert.deepEqual(await left('key'), [[5, 8], []]);
  limiter.setLimits({ limits: [{ ...limits[0], limit: 50 }, limits[1]] });
  assert.deepEqual(await left('key'), [[50, 8], []]);
  limiter.check('key', 8);
  limiter.clear();
  assert.deepEqual(await left('key'), [[50, 8], []]);
});

test('limits that another process changes hold from the next call on', async (t) => {
  const at = newPath(t);
  const limiter = RateLimiter.machine(at, OPTIONS);
  limiter.check('key', 10);
  await inProcess(at, `limiter.setLimits({ limit: 20, windowMs: ${20 * HOUR} });`);
  assert.equal(limiter.consume('key').policy.limit, 20);
  assert.throws(() => limiter.check('key', 21), coded('ERR_LIMIT_COST'));
  // A process that starts with the options of before joins them.
  assert.deepEqual(await inProcess(at, `console.log(limiter.peek('key').limit);`, OPTIONS), ['20']);
});

test('a result names the limits that have decided it, also while another process changes them', async (t) => {
  const at = newPath(t);
  const [one, other] = [10, 1000].map((limit) => ({ limit, windowMs: limit * HOUR, burst: limit / 2 }));
  const limiter = RateLimiter.machine(at, { ...one, maxKeys: 1000 });
  const changes = inProcess(at, `
    const limits = ${JSON.stringify([other, one])};
    const end = Date.now() + 1000;
    let count = 0;
    for (; Date.now() < end; count++) limiter.setLimits(limits[count % 2]);
    console.log(count);`);
  const state = { isOver: false };
  const over = changes.finally(() => (state.isOver = true));
  const seen = new Set();
  while (!state.isOver) {
    for (let call = 0; call < 1000; call++) {
      const { limit, remaining, policy, limits } = limiter.peek(`${call}`);
      seen.add(limit);
      assert.deepEqual(policy, { name: 'default', limit, windowMs: limit * HOUR, burst: limit / 2 });
      // Nothing was ever taken.
      assert.deepEqual([remaining, limits[0].limit], [limit / 2, limit]);
    }
    await new Promise(setImmediate);
  }
  await over;
  assert.deepEqual([...seen].sort((a, b) => a - b), [10, 1000]);
});

test('a file keeps its keys when all processes have ended', async (t) => {
  const at = newPath(t);
  await inProcess(at, `limiter.check('key', 1000); limiter.block('blocked', ${HOUR});`, OPTIONS);
  const script = `console.log(limiter.check('key'), limiter.check('blocked'), limiter.check('new'));`;
  assert.deepEqual(await inProcess(at, script), ['false false true']);
});

test('an option that differs from the file is refused by its name', (t) => {
  const at = newPath(t);
  assert.throws(() => RateLimiter.machine(at), coded('ERR_MISSING_OPTION'));
  assert.throws(() => RateLimiter.machine(at, { limit: 5 }), coded('ERR_MISSING_OPTION'));
  RateLimiter.machine(at, OPTIONS);
  for (const same of [OPTIONS, {}, undefined, { maxKeys: 1000 }, { onFull: 'evict' }]) {
    assert.equal(RateLimiter.machine(at, same).peek('key').remaining, 1000);
  }
  for (const [name, value] of [
    ['limit', 999],
    ['windowMs', HOUR],
    ['burst', 1],
    ['maxKeys', 999],
    ['onFull', 'deny'],
    ['algorithm', 'fixed-window'],
  ]) {
    const open = () => RateLimiter.machine(at, { ...OPTIONS, [name]: value });
    assert.throws(open, { code: 'ERR_INVALID_ARG_VALUE', message: new RegExp(`^${name} differs`) });
  }
  const clock = () => new Date();
  assert.throws(() => RateLimiter.machine(at, { ...OPTIONS, clock }), coded('ERR_UNKNOWN_OPTION'));
});

test('a file that is no limiter is refused, and so is a snapshot of one that is', (t) => {
  const at = newPath(t);
  const limiter = RateLimiter.machine(at, OPTIONS);
  assert.throws(() => limiter.snapshot(), coded('ERR_LIMIT_SNAPSHOT'));
  const { size } = statSync(at);
  for (const [name, make] of Object.entries({
    foreign: (file) => writeFileSync(file, Buffer.alloc(size, 'x'), { mode: 0o600 }),
    empty: (file) => writeFileSync(file, '', { mode: 0o600 }),
    cut: (file) => {
      copyFileSync(at, file);
      truncateSync(file, size - 4096);
    },
  })) {
    const file = path.join(path.dirname(at), name);
    make(file);
    assert.throws(() => RateLimiter.machine(file, OPTIONS), coded('ERR_LIMIT_FILE'), name);
  }
  assert.throws(() => RateLimiter.machine(path.dirname(at), OPTIONS), coded('ERR_LIMIT_FILE'));
  const lost = path.join(path.dirname(at), 'no', 'folder');
  assert.throws(() => RateLimiter.machine(lost, OPTIONS), coded('ERR_LIMIT_FILE'));
});
