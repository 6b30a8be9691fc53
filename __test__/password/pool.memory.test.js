'use strict';

// Checks how much memory hashing takes from the system, and that it gives the memory back. Each
// case runs in a process of its own.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { hashSync } = require('@nodesec/native');
const { runScript } = require('../helpers/child.js');

const ON_LINUX = process.platform === 'linux';
const MIB = 1 << 20;
const DIGEST = hashSync('password', { memoryCost: 65536, timeCost: 1, parallelism: 1 });

/** The kernel's data about the process, in bytes. `highWater` counts from the last `mark()`. */
const MEMORY = `
  const { readFileSync, writeFileSync } = require('node:fs');
  const status = (name) =>
    1024 * Number(readFileSync('/proc/self/status', 'latin1').match(name + ':\\\\s+(\\\\d+) kB')[1]);
  const resident = () => status('VmRSS');
  const highWater = () => status('VmHWM');
  const mark = () => writeFileSync('/proc/self/clear_refs', '5');
  /**
   * Argon2's mappings: at least a huge page long and marked \`dd\` (MADV_DONTDUMP). The mark is
   * needed because neighbouring pages of V8's heap can become one mapping of any size; V8's
   * mappings lack it.
   */
  const largeMappings = () =>
    readFileSync('/proc/self/smaps', 'latin1')
      .split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m)
      .map((area) => [area.match(/^([0-9a-f]+)-([0-9a-f]+) rw/), /^VmFlags:.* dd/m.test(area)])
      .filter(([range, undumped]) => undumped && range !== null)
      .filter(([[, start, end]]) => parseInt(end, 16) - parseInt(start, 16) >= ${2 * MIB}).length;
  const { setTimeout: sleep } = require('node:timers/promises');
  const { calibrate, deriveKey, hash, hashSync, needsRehash, parseHash, passwordPool, verify,
    verifySync } = require('@nodesec/native');
  const idle = async () => {
    while (passwordPool.stats().running + passwordPool.stats().queued > 0) await sleep(1);
  };
`;

async function report(script) {
  const { code, signal, stdout, stderr } = await runScript(`
    ${MEMORY}
    (async () => { ${script} })().then((result) => console.log(JSON.stringify(result)));
  `);
  assert.deepEqual({ code, signal }, { code: 0, signal: null }, stderr);
  return JSON.parse(stdout);
}

test('200 logins at 64 MiB with 16 threads stay within 512 MiB', { skip: !ON_LINUX }, async () => {
  const result = await report(`
    passwordPool.configure({ threads: 16, maxMemory: ${512 * MIB}, maxQueue: 200, queueTimeoutMs: 600_000 });
    const login = () => verify(${JSON.stringify(DIGEST)}, 'password');
    const before = resident();
    mark();
    const logins = Array.from({ length: 200 }, login);
    const { running, queued, bytes } = passwordPool.stats();
    const all = await Promise.all(logins);
    const grown = highWater() - before;

    await idle();
    passwordPool.configure({ maxQueue: 20 });
    const { rejected, completed } = passwordPool.stats();
    const crowd = Array.from({ length: 200 }, login);
    const during = passwordPool.stats();
    const outcomes = await Promise.allSettled(crowd);
    await idle();
    const recovered = await login();
    return {
      running, queued, bytes, grown, recovered,
      succeeded: all.filter((matches) => matches === true).length,
      refused: outcomes.filter(({ reason }) => reason?.code === 'ERR_PASSWORD_BUSY').length,
      passed: outcomes.filter(({ value }) => value === true).length,
      // A hash that ends before the last call is made leaves room for one more.
      room: 28 + during.completed - completed,
      counted: passwordPool.stats().rejected - rejected,
    };
  `);
  assert.deepEqual(
    [result.running, result.queued, result.bytes, result.succeeded],
    [8, 192, 512 * MIB, 200],
  );
  assert.ok(result.grown <= (512 + 64) * MIB, `${result.grown / MIB} MiB`);
  assert.ok(result.grown >= 256 * MIB, `${result.grown / MIB} MiB: was anything measured?`);
  assert.deepEqual([result.passed, result.refused], [result.room, 200 - result.room]);
  assert.deepEqual([result.counted, result.recovered], [result.refused, true]);
});

test('many small hashes take no huge page each', { skip: !ON_LINUX }, async () => {
  const result = await report(`
    passwordPool.configure({ threads: 128, maxMemory: ${16 * MIB}, maxQueue: 0 });
    await hash('warm', { profile: 'test' });
    await idle();
    const before = resident();
    mark();
    // Each hash lasts until all of them run.
    const costs = { profile: 'test', timeCost: 8000 };
    const hashes = Array.from({ length: 128 }, () => hash('password', costs));
    const { running } = passwordPool.stats();
    await Promise.all(hashes);
    const grown = highWater() - before;
    return { running, grown };
  `);
  assert.equal(result.running, 128);
  assert.ok(result.grown <= (16 + 64) * MIB, `${result.grown / MIB} MiB`);
});

test('memory is kept for the next hash, then given back', { skip: !ON_LINUX }, async () => {
  const result = await report(`
    const costs = { memoryCost: 32768, timeCost: 1, parallelism: 1 };
    await hash('warm', { profile: 'test' });
    await idle();
    const before = largeMappings();
    await hash('password', costs);
    await idle();
    const kept = [passwordPool.stats().keptBytes, largeMappings() - before];
    await hash('password', costs);
    await idle();
    const again = [passwordPool.stats().keptBytes, largeMappings() - before];
    while (passwordPool.stats().keptBytes > 0) await sleep(100);
    // The first, small hash has given its memory back as well.
    return { kept, again, mappings: largeMappings() - before };
  `);
  assert.deepEqual(result.kept, [34 * MIB, 1]);
  assert.deepEqual(result.again, result.kept);
  assert.ok(result.mappings <= 0, `${result.mappings}`);
});

test('memory beyond that of the policies is not kept for a digest', { skip: !ON_LINUX }, async () => {
  const large = hashSync('password', { memoryCost: 66 * 1024, timeCost: 1, parallelism: 1 });
  const result = await report(`
    hashSync('warm', { profile: 'test' });
    const before = passwordPool.stats().keptBytes;
    const matches = await verify(${JSON.stringify(large)}, 'password');
    await idle();
    return { matches, kept: passwordPool.stats().keptBytes - before };
  `);
  assert.deepEqual(result, { matches: true, kept: 0 });
});

test('a call on its own thread gives its memory back, too', { skip: !ON_LINUX }, async () => {
  const result = await report(`
    hashSync('warm', { profile: 'test' });
    const before = passwordPool.stats().keptBytes;
    verifySync(${JSON.stringify(DIGEST)}, 'password');
    const kept = passwordPool.stats().keptBytes - before;
    while (passwordPool.stats().keptBytes > 0) await sleep(100);
    return { kept };
  `);
  assert.equal(result.kept, 64 * MIB);
});

test('a digest of 64 lanes has the threads of a machine', { skip: !ON_LINUX }, async () => {
  const digest = hashSync('password', { memoryCost: 65536, timeCost: 16, parallelism: 64 });
  const result = await report(`
    const { readdirSync } = require('node:fs');
    const { availableParallelism } = require('node:os');
    const nameOf = (task) => {
      try {
        return readFileSync('/proc/self/task/' + task + '/comm', 'latin1');
      } catch {
        return ''; // It has just ended.
      }
    };
    const threads = () =>
      readdirSync('/proc/self/task').filter((task) => /^nodesec-(argon2|lanes)/.test(nameOf(task)))
        .length;
    let most = 0;
    let matches;
    verify(${JSON.stringify(digest)}, 'password').then((value) => (matches = value));
    while (matches === undefined) {
      most = Math.max(most, threads());
      await sleep(1);
    }
    return { matches, most, cores: Math.min(64, availableParallelism()) };
  `);
  // In fact it has all cores, because nothing else keeps a core busy.
  assert.deepEqual(result, { matches: true, most: result.cores, cores: result.cores });
});

// Costs and texts far beyond every limit: each entry point gives a coded error and makes no
// mapping.
const EXTREMES = `
  const text = (costs) =>
    '$argon2id$v=19$' + costs + '$c29tZXNhbHQ$' + 'A'.repeat(43);
  const digests = [text('m=4294967295,t=1,p=1'), text('m=134217720,t=1,p=16777215')];
  // A flat string, so that reading it takes no memory either.
  const password = Buffer.alloc(100_000_000, 'x').toString('latin1');
  const bytes = new Uint8Array(100_000_000);
  const long = Buffer.alloc(1_000_000, 'A').toString('latin1');
  const salt = Buffer.from('somesalt');
  const policies = [{ memoryCost: -1 }, { memoryCost: 4294967295 }, { parallelism: 16777215 }];
  const ring = { hash, hashSync, verify, verifySync, needsRehash, parseHash, deriveKey, calibrate };
  const calls = [
    ...digests.flatMap((digest) => [
      ['verify', digest, 'x'],
      ['verifySync', digest, 'x'],
    ]),
    ...policies.flatMap((options) => [
      ['hash', 'x', options],
      ['hashSync', 'x', options],
      ['deriveKey', 'x', salt, options],
      ['needsRehash', digests[0], options],
    ]),
    ...[password, bytes].flatMap((x) => [
      ['hash', x],
      ['hashSync', x],
      ['deriveKey', x, salt],
      ['verify', digests[0], x],
      ['verifySync', digests[0], x],
    ]),
    ...[long, digests[0] + long, '$2b$' + long].flatMap((digest) => [
      ['verify', digest, 'x'],
      ['verifySync', digest, 'x'],
      ['needsRehash', digest],
      ['parseHash', digest],
    ]),
    ['calibrate', { targetMs: 1, memoryCost: -1 }],
    ['calibrate', { targetMs: 1, memoryCost: 4294967295 }],
    ['calibrate', { targetMs: 1, parallelism: 16777215 }],
  ];
`;

test('extremes are refused without another mapping', { skip: !ON_LINUX }, async () => {
  const result = await report(`
    ${EXTREMES}
    await hash('warm', { profile: 'test' });
    await idle();
    const mappings = largeMappings();
    const codes = {};
    let most = 0;
    for (const [name, ...args] of calls) {
      let code = 'none';
      try {
        const pending = ring[name](...args);
        most = Math.max(most, largeMappings());
        await pending;
      } catch (error) {
        code = error.code;
      }
      most = Math.max(most, largeMappings());
      codes[code] = (codes[code] ?? 0) + 1;
    }
    // A control: the mapping of an ordinary hash is seen.
    const control = hash('x', { memoryCost: 65536, timeCost: 1 });
    while (largeMappings() === mappings) await sleep(1);
    await control;
    return { codes, calls: calls.length, more: most - mappings };
  `);
  assert.equal(result.codes.none, undefined);
  const counted = Object.entries(result.codes).filter(([code]) => code.startsWith('ERR_'));
  assert.equal(
    counted.reduce((sum, [, count]) => sum + count, 0),
    result.calls,
    JSON.stringify(result.codes),
  );
  assert.equal(result.more, 0);
});
