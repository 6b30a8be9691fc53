'use strict';

// The secure heap under limits on locked memory, as an unprivileged user, with each backend:
// `status()` is compared with the kernel's data.

const assert = require('node:assert/strict');
const { execFile, spawnSync } = require('node:child_process');
const path = require('node:path');
const { test } = require('node:test');

const { runScript } = require('../helpers/child.js');

const ROOT = path.join(__dirname, '..', '..');
const BACKENDS = ['memfd_secret', 'mlock', 'dontdump', 'plain'];
const NOBODY = 65534;

/** A child's report: its heap, the kernel's view of the heap, and whether the heap works. */
const PROBE = `
  const { lockedKib, mappings } = require('./__test__/helpers/smaps.js');
  const before = { locked: lockedKib() };
  const { SecretBuffer, secureHeap } = require('@nodesec/native');
  const secrets = Array.from({ length: 700 }, () => SecretBuffer.random(32));
  const small = secureHeap.status();
  let refused;
  try {
    // More than every limit of the matrix, but less than maxBytes.
    while (secrets.length < 712) secrets.push(SecretBuffer.random(1024 * 1024));
  } catch (error) {
    refused = error.code;
  }
  const status = secureHeap.status();
  // The heap's own mappings, found by a name or by flags that only the heap requests. Mappings of
  // plain memory look like any other.
  const all = mappings();
  const own = ({ name, flags }) => name.startsWith('/secretmem') || ['wf', 'dd'].every((flag) => flags.includes(flag));
  const isGuard = (area) => area.access === '---p' && area.size >= 65536;
  const heap = all.filter(own);
  const guarded = all.every((area, index) => !own(area)
    || (all[index - 1].end === area.start && isGuard(all[index - 1])
      && all[index + 1].start === area.end && isGuard(all[index + 1])));
  secureHeap.verify();
  const locked = lockedKib() - before.locked;
  for (const secret of secrets) secret.dispose();
  console.log(JSON.stringify({
    small, status, refused, heap, guarded, locked, uid: process.getuid(),
    left: { ...secureHeap.status(), locked: lockedKib() - before.locked },
  }));
`;

/** Runs the probe as the user nobody, with a limit of `memlockKib` KiB of locked memory. */
function probe(memlockKib, backend) {
  const args = ['--reuid', NOBODY, '--regid', NOBODY, '--clear-groups', '--no-new-privs', '--'];
  const command = `ulimit -l ${memlockKib} && exec "$@"`;
  args.push('bash', '-c', command, 'bash', process.execPath, '--eval', PROBE);
  const env = { ...process.env, NODE_OPTIONS: '', NODESEC_SECMEM: backend, HOME: '/' };
  return new Promise((resolve) => {
    const child = execFile('setpriv', args.map(String), { cwd: ROOT, env }, (_, stdout, stderr) => {
      resolve({ code: child.exitCode, signal: child.signalCode, stdout, stderr });
    });
  });
}

function check({ small, status, refused, heap, guarded, locked, left }, memlockKib, asked) {
  const sum = (areas) => areas.reduce((total, { size }) => total + size, 0);
  const covered = (flag) => sum(heap.filter(({ flags }) => flags.includes(flag)));
  assert.equal(sum(heap), status.backend === 'plain' ? 0 : status.capacityBytes);
  assert.equal(guarded, true);
  assert.equal(status.guardPages, true);
  const isAll = (flag) => heap.length > 0 && covered(flag) === status.capacityBytes;
  assert.equal(status.locked, isAll('lo'));
  assert.equal(status.dumpExcluded, isAll('dd'));
  const isSecret = heap.length > 0 && heap.every(({ name }) => name.startsWith('/secretmem'));
  assert.equal(status.kernelUnmapped, isSecret);
  assert.equal(status.hibernationBlocked, status.kernelUnmapped);
  assert.equal(status.degraded, !(status.locked && status.dumpExcluded));
  assert.deepEqual([status.memlockSoft, status.memlockHard], Array(2).fill(memlockKib * 1024));
  assert.equal(status.backend, small.backend, 'the heap stays what it was');

  // The backend is never better than the requested one. If it is worse, there is a reason.
  const rank = (backend) => BACKENDS.indexOf(backend);
  assert.ok(rank(status.backend) >= rank(asked));
  if (status.backend !== asked) assert.match(status.reasons.join(), /: E[A-Z]+/);
  const canLock = memlockKib * 1024 >= 48 * 1024;
  assert.equal(status.locked, rank(asked) <= rank('mlock') && canLock);
  assert.ok(!status.locked || status.capacityBytes <= memlockKib * 1024);
  // Node itself may lock more memory, but it must not reduce ours.
  assert.ok(!status.locked || locked * 1024 >= status.capacityBytes);
  // The memory of large secrets is given back with them.
  assert.deepEqual([left.liveSecrets, left.capacityBytes], [0, small.capacityBytes]);
  if (status.locked) assert.equal(locked - left.locked, (status.capacityBytes - small.capacityBytes) / 1024);
  assert.equal(refused, status.locked ? 'ERR_SECRET_EXHAUSTED' : undefined);
}

const canBecomeNobody = () =>
  process.getuid() === 0 && spawnSync('setpriv', ['--version']).status === 0;

if (process.platform === 'linux' && canBecomeNobody()) {
  for (const memlockKib of [0, 16, 64, 8192]) {
    for (const backend of BACKENDS) {
      test(`status() says what the kernel gave: ${backend} asked for, ${memlockKib} KiB to lock`, async () => {
        const { code, signal, stdout, stderr } = await probe(memlockKib, backend);
        assert.equal(code, 0, `${signal} ${stderr}`);
        const found = JSON.parse(stdout);
        assert.equal(found.uid, NOBODY);
        check(found, memlockKib, backend);
        assert.equal(/NODESEC_SECRET_DEGRADED/.test(stderr), found.small.degraded, stderr);
      });
    }
  }
}

/**
 * Flags against memory that V8 takes and gives back at any time: no helper threads, a small
 * nursery.
 */
const QUIET = ['--single-threaded', '--max-semi-space-size=1'];

if (process.platform === 'linux') {
  test('a second 100,000 secrets need no more memory than the first', async () => {
    const { code, stdout, stderr } = await runScript(
      `
      const { lockedKib } = require('./__test__/helpers/smaps.js');
      const { SecretBuffer, secureHeap } = require('@nodesec/native');
      const { setImmediate: turn } = require('node:timers/promises');
      async function hundredThousand() {
        for (let round = 0; round < 100; round++) {
          for (let i = 0; i < 1000; i++) SecretBuffer.random(32).dispose();
          // Each round then has the same number of dead objects.
          global.gc();
          await turn();
        }
        const { capacityBytes, liveSecrets } = secureHeap.status();
        return { rss: process.memoryUsage.rss(), locked: lockedKib(), capacityBytes, liveSecrets };
      }
      (async () => {
        const seen = [];
        for (let time = 0; time < 3; time++) seen.push(await hundredThousand());
        console.log(JSON.stringify(seen));
      })();
      `,
      { flags: ['--expose-gc', ...QUIET], env: { MALLOC_ARENA_MAX: '1' } },
    );
    assert.equal(code, 0, stderr);
    const [first, second, third] = JSON.parse(stdout);
    for (const later of [second, third]) {
      assert.equal(later.locked, first.locked);
      assert.equal(later.capacityBytes, first.capacityBytes);
      assert.equal(later.liveSecrets, 0);
    }
    // Memory that is not given back grows each time; the heap of the runtime may grow once.
    const more = Math.min(second.rss - first.rss, third.rss - second.rss);
    assert.ok(more < 1024 * 1024, `${more} bytes more are resident`);
  });
}
