'use strict';

// A limiter of the machine whose processes are killed or stopped, and whose disk is full. Needs
// Linux: signals, users and mounts. A long run: `ROUNDS=1000`.

const assert = require('node:assert/strict');
const { spawn, spawnSync } = require('node:child_process');
const { randomInt } = require('node:crypto');
const { once } = require('node:events');
const fs = require('node:fs');
const { tmpdir } = require('node:os');
const path = require('node:path');
const { createInterface } = require('node:readline');
const { test } = require('node:test');
const { setTimeout: sleep } = require('node:timers/promises');

const { RateLimiter } = require('@nodesec/native');
const { RUNTIME } = require('../helpers/child.js');
const peers = require('../helpers/peers.js');
const { unshare } = require('../helpers/store-process.js');

const ROUNDS = Number(process.env.ROUNDS ?? 24);
const PROCESSES = 8;
const ROOT = path.join(__dirname, '..', '..');
const CHILD = path.join(__dirname, '..', 'helpers', 'limiting-child.js');
const OPENING = path.join(__dirname, '..', 'helpers', 'opening-child.js');
/** No unit comes back while a test runs. */
const YEAR = 366 * 24 * 3_600_000;
const LIMIT = 100;
const ONE = { limit: LIMIT, windowMs: YEAR, maxKeys: 1_000_000 };
const COMPOSED = {
  limits: [
    { name: 'a', limit: LIMIT + 20, windowMs: YEAR },
    { name: 'b', limit: LIMIT, windowMs: YEAR },
    { name: 'c', limit: LIMIT + 50, windowMs: YEAR },
  ],
  maxKeys: 500_000,
};

const onLinux = process.platform === 'linux' ? test : () => {};

function newFolder(t) {
  const folder = fs.mkdtempSync(path.join(tmpdir(), 'nodesec-machine-'));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  return folder;
}

/** A process that takes units, and the file of those that it got. */
class Taker {
  constructor(folder, number) {
    this.counts = path.join(folder, `counts-${number}`);
    const args = [CHILD, path.join(folder, 'limits'), this.counts];
    this.child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.ended = once(this.child, 'exit');
    this.ready = once(createInterface({ input: this.child.stdout }), 'line');
  }

  async kill() {
    this.child.kill('SIGKILL');
    await this.ended;
  }
}

/** The units that processes got of each key. */
function unitsOf(folder) {
  const units = [];
  for (const name of fs.readdirSync(folder).filter((name) => name.startsWith('counts-'))) {
    const lines = fs.readFileSync(path.join(folder, name), 'latin1').split('\n').slice(0, -1);
    for (const line of lines) units[Number(line)] = (units[Number(line)] ?? 0) + 1;
  }
  return Array.from(units, (count) => count ?? 0);
}

for (const [name, options] of Object.entries({ 'one limit': ONE, 'composed limits': COMPOSED })) {
  onLinux(`${name}: ${ROUNDS} processes are killed, and no key gets more than its limit or loses more than a unit a kill`, async (t) => {
    const folder = newFolder(t);
    const limiter = RateLimiter.machine(path.join(folder, 'limits'), options);
    let started = 0;
    const start = () => new Taker(folder, (started += 1));
    const takers = new Set();
    t.after(() => Promise.all(Array.from(takers, (taker) => taker.kill())));
    let rounds = 0;
    const killOneAfterAnother = async () => {
      while (rounds < ROUNDS) {
        rounds += 1;
        const taker = start();
        takers.add(taker);
        await taker.ready;
        const enough = randomInt(4000);
        while (fs.statSync(taker.counts).size < enough) await sleep(1);
        await taker.kill();
        takers.delete(taker);
      }
    };
    await Promise.all(Array.from({ length: PROCESSES }, killOneAfterAnother));
    const units = unitsOf(folder);
    let lost = 0;
    for (const [key, count] of units.entries()) {
      // This process takes the units that are left, without waiting for any other.
      let own = 0;
      while (limiter.check(`key ${key}`)) own += 1;
      assert.ok(count + own <= LIMIT, `key ${key} got ${count} and ${own}`);
      lost += LIMIT - count - own;
    }
    assert.ok(units.length > 10, 'the processes took too little');
    assert.ok(lost <= started, `${lost} units were lost by ${started} kills`);
    const { evictions, overflows } = limiter.stats();
    assert.deepEqual([evictions, overflows], [0, 0]);
  });
}

onLinux('processes that are stopped keep nobody waiting', async (t) => {
  const folder = newFolder(t);
  const limiter = RateLimiter.machine(path.join(folder, 'limits'), COMPOSED);
  const takers = Array.from({ length: 4 }, (_, number) => new Taker(folder, number));
  t.after(() => Promise.all(takers.map((taker) => taker.kill())));
  await Promise.all(takers.map(({ ready }) => ready));
  const taken = [];
  for (let round = 0; round < 40; round += 1) {
    await sleep(randomInt(5));
    for (const { child } of takers) process.kill(child.pid, 'SIGSTOP');
    await sleep(2);
    // The keys at which the others have stopped, and a change of the limits.
    const key = unitsOf(folder).length;
    for (const number of [key - 1, key, key + 1]) {
      while (limiter.check(`key ${number}`)) taken[number] = (taken[number] ?? 0) + 1;
    }
    const [first, ...others] = COMPOSED.limits;
    limiter.setLimits({ limits: [{ ...first, limit: LIMIT + 20 + round }, ...others] });
    for (const { child } of takers) process.kill(child.pid, 'SIGCONT');
  }
  await Promise.all(takers.map((taker) => taker.kill()));
  for (const [key, count] of unitsOf(folder).entries()) {
    assert.ok(count + (taken[key] ?? 0) <= LIMIT, `key ${key}`);
  }
});

/** Has a command start a process that opens a file and fills its disk. Returns its output. */
function opened(command, at, options = ONE) {
  const fills = at.includes('disk') ? 'fills' : '';
  const [program, ...args] = [...command, ...RUNTIME, OPENING, at, JSON.stringify(options), fills];
  const { status, signal, stdout, stderr } = spawnSync(program, args, {
    cwd: ROOT,
    encoding: 'utf8',
  });
  assert.deepEqual([status, signal], [0, null], stderr);
  return stdout.trim();
}

onLinux('a full disk is ERR_LIMIT_FILE when the file is made, and no signal later', (t) => {
  const command = unshare(t, ['--mount']);
  if (command === undefined) return;
  const folder = newFolder(t);
  fs.mkdirSync(path.join(folder, 'disk'));
  // 16 MiB hold a file of 500,000 keys, and none of a million.
  const script = `
    mount -t tmpfs -o size=16m none "$0/disk" || { echo mount; exit 0; }
    exec "$@"`;
  const mounted = [...command, 'sh', '-c', script, folder];
  const at = path.join(folder, 'disk', 'limits');
  const full = opened(mounted, at, { ...ONE, maxKeys: 1_000_000 });
  if (full === 'mount') return peers.missing(t, 'a mount', 'run as root');
  assert.match(full, /^ERR_LIMIT_FILE .*leaves no room/);
  // Nothing is left on the disk, but the pages of the file exist.
  assert.equal(opened(mounted, at, { ...ONE, maxKeys: 500_000 }), 'ENOSPC\n100000');
});

onLinux('a limit on the size of files is ERR_LIMIT_FILE and leaves no file', (t) => {
  const folder = newFolder(t);
  const at = path.join(folder, 'limits');
  assert.match(
    opened(['sh', '-c', 'ulimit -f 4096; exec "$@"', 'sh'], at),
    /^ERR_LIMIT_FILE .*leaves no room/,
  );
  assert.deepEqual(fs.readdirSync(folder), []);
});

onLinux('a file of another user, or one that others may use, is refused', (t) => {
  const folder = newFolder(t);
  const at = path.join(folder, 'limits');
  RateLimiter.machine(at, { ...ONE, maxKeys: 100 });
  for (const mode of [0o640, 0o620, 0o604, 0o602]) {
    fs.chmodSync(at, mode);
    assert.throws(() => RateLimiter.machine(at), { code: 'ERR_LIMIT_FILE', message: /chmod 600/ });
  }
  fs.chmodSync(at, 0o600);
  if (process.getuid() !== 0) return peers.missing(t, 'another user', 'run as root');
  fs.chownSync(at, 12345, 12345);
  assert.throws(() => RateLimiter.machine(at), { code: 'ERR_LIMIT_FILE', message: /another user/ });
  fs.chownSync(at, 0, 0);
  RateLimiter.machine(at);
});

onLinux('a path on a network file system is refused', (t) => {
  const command = unshare(t, ['--mount']);
  if (command === undefined) return;
  // FUSE is the only one that can be mounted without a server. Nothing answers its device, so the
  // kernel would let its owner wait, but tells any other user at once that it is FUSE.
  const folder = newFolder(t);
  fs.mkdirSync(path.join(folder, 'disk'));
  const script = `
    exec 9<>/dev/fuse
    mount -t fuse -o fd=9,rootmode=40000,user_id=1,group_id=1 none "$0/disk" || { echo mount; exit 0; }
    exec "$@"`;
  const at = path.join(folder, 'disk', 'limits');
  if (!fs.existsSync('/dev/fuse')) return peers.missing(t, '/dev/fuse', 'load the module fuse');
  const answer = opened([...command, 'sh', '-c', script, folder], at);
  if (answer === 'mount') return peers.missing(t, 'a mount of FUSE', 'run as root');
  assert.match(answer, /^ERR_LIMIT_FILE .*fuse/);
});

onLinux('Node opens the file only with the permission to read and write it and its temporary name', (t) => {
  const at = path.join(newFolder(t), 'limits');
  const isModern = spawnSync(process.execPath, ['--permission', '--version']).status === 0;
  const script = `
    const { RateLimiter } = require('.');
    try {
      console.log(RateLimiter.machine(process.argv.at(-1), { limit: 1, windowMs: 1000 }).check('key'));
    } catch ({ code, permission, resource }) {
      console.log(code, permission, resource);
    }`;
  const run = (...flags) => {
    const model = isModern ? '--permission' : '--experimental-permission';
    const args = ['--no-warnings', model, '--allow-addons', `--allow-fs-read=${ROOT}/*`, ...flags];
    const { stdout, stderr } = spawnSync(process.execPath, [...args, '--eval', script, at], {
      cwd: ROOT,
      encoding: 'utf8',
    });
    return stdout.trim() || stderr;
  };
  const [read, write] = ['read', 'write'].map((verb) => (file) => `--allow-fs-${verb}=${file}`);
  assert.equal(run(), `ERR_ACCESS_DENIED FileSystemRead ${at}`);
  assert.equal(run(read(`${at}*`)), `ERR_ACCESS_DENIED FileSystemWrite ${at}`);
  assert.equal(run(read(`${at}*`), write(at)), `ERR_ACCESS_DENIED FileSystemWrite ${at}`);
  assert.ok(!fs.existsSync(at));
  assert.equal(run(read(`${at}*`), write(`${at}*`)), 'true');
});
