'use strict';

const assert = require('node:assert/strict');
const { readFileSync } = require('node:fs');
const { test } = require('node:test');

const { SecretBuffer, secureHeap } = require('@nodesec/native');
const { runScript } = require('../helpers/child.js');

test('the numbers follow what is held', () => {
  const before = secureHeap.status();
  const secrets = Array.from({ length: 10 }, () => SecretBuffer.random(32));
  const during = secureHeap.status();
  assert.equal(during.liveSecrets, before.liveSecrets + 10);
  assert.equal(during.usedBytes, before.usedBytes + 640);
  for (const secret of secrets) secret.dispose();
  const after = secureHeap.status();
  assert.equal(after.liveSecrets, before.liveSecrets);
  assert.equal(after.usedBytes, before.usedBytes);
  assert.ok(after.usedBytes <= after.capacityBytes && after.capacityBytes <= after.maxBytes);
});

if (process.platform === 'linux') {
  test('10,000 secrets take a handful of mappings and under 1 MiB', async () => {
    const { code, stdout, stderr } = await runScript(`
      const { lockedKib, mappings } = require('./__test__/helpers/smaps.js');
      const { SecretBuffer, secureHeap } = require('@nodesec/native');
      const own = () => mappings().filter(({ name, flags }) =>
        name.startsWith('/secretmem') || ['wf', 'dd'].every((flag) => flags.includes(flag)));
      const before = lockedKib();
      const held = Array.from({ length: 10_000 }, () => SecretBuffer.random(32));
      const large = Array.from({ length: 3 }, () => SecretBuffer.random(16384));
      const both = own().length;
      for (const secret of large) secret.dispose();
      const { capacityBytes, liveSecrets, backend } = secureHeap.status();
      const found = { areas: own().length, both, locked: lockedKib() - before };
      console.log(JSON.stringify({ ...found, capacityBytes, liveSecrets, backend, held: held.length }));
    `);
    assert.equal(code, 0, stderr);
    const found = JSON.parse(stdout);
    assert.equal(found.liveSecrets, 10_000);
    assert.ok(found.capacityBytes < 1024 * 1024 && found.locked < 1024, stdout);
    if (found.backend === 'plain') return;
    assert.ok(found.areas > 0 && found.areas < 8, stdout);
    assert.equal(found.both - found.areas, 3);
  });
}

test('a heap in order passes', () => {
  const secrets = [1, 32, 4096, 4097, 100_000].map((bytes) => SecretBuffer.random(bytes));
  assert.equal(secureHeap.verify(), undefined);
  for (const secret of secrets) secret.dispose();
  assert.equal(secureHeap.verify(), undefined);
});

test('the status cannot be changed', () => {
  assert.ok(Object.isFrozen(secureHeap));
  secureHeap.status().locked = 'perhaps';
  assert.equal(typeof secureHeap.status().locked, 'boolean');
});

test('a backend below the best has a reason', () => {
  const { backend, degraded, dumpExcluded, kernelUnmapped, locked, reasons } = secureHeap.status();
  assert.ok(['memfd_secret', 'mlock', 'dontdump', 'plain'].includes(backend));
  assert.equal(kernelUnmapped, backend === 'memfd_secret');
  assert.equal(degraded, !(locked && dumpExcluded));
  assert.ok(backend === 'memfd_secret' || reasons.length > 0);
});

test('a secret beyond the heap is refused, and the heap goes on', () => {
  const { maxBytes } = secureHeap.status();
  const held = [];
  assert.throws(
    () => {
      for (let bytes = 0; bytes <= maxBytes; bytes += 1024 * 1024) {
        held.push(SecretBuffer.random(1024 * 1024));
      }
    },
    { code: 'ERR_SECRET_EXHAUSTED', name: 'SecretError' },
  );
  for (const secret of held) secret.dispose();
  assert.equal(SecretBuffer.random(32).byteLength, 32);
});

const isLinux = process.platform === 'linux';

if (isLinux) {
  test('the kernel says the same', () => {
    const secret = SecretBuffer.random(32);
    const status = secureHeap.status();
    const limits = readFileSync('/proc/self/limits', 'latin1');
    const [, soft, hard] = limits.match(/^Max locked memory\s+(\S+)\s+(\S+)/m);
    const bytes = (text) => (text === 'unlimited' ? undefined : Number(text));
    assert.deepEqual([status.memlockSoft, status.memlockHard], [bytes(soft), bytes(hard)]);

    // `lo` means locked, and `dd` excluded from dumps. A mapping of memfd_secret is found by its
    // name.
    const mappings = readFileSync('/proc/self/smaps', 'latin1').split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m);
    const size = (mapping) => 1024 * Number(mapping.match(/^Size:\s+(\d+) kB/m)[1]);
    const flagged = (flag) => (mapping) => new RegExp(`^VmFlags:.* ${flag}\\b`, 'm').test(mapping);
    const total = (found) => found.reduce((sum, mapping) => sum + size(mapping), 0);
    const isSecret = (mapping) => /\/secretmem/.test(mapping.split('\n', 1)[0]);
    if (status.kernelUnmapped) {
      assert.ok(total(mappings.filter(isSecret)) >= status.capacityBytes);
    } else {
      if (status.locked) assert.ok(total(mappings.filter(flagged('lo'))) >= status.capacityBytes);
      if (status.dumpExcluded) {
        assert.ok(total(mappings.filter(flagged('dd'))) >= status.capacityBytes);
      }
    }
    assert.ok(secret.byteLength <= status.usedBytes);
  });
}

test('secrets that nobody holds any more give back their memory', async () => {
  const { code, stdout, stderr } = await runScript(
    `
    const { JwtKey, SecretBuffer, secureHeap } = require('@nodesec/native');
    const { setImmediate: turn } = require('node:timers/promises');
    const before = secureHeap.status().liveSecrets;
    for (let i = 0; i < 5000; i++) {
      const secret = SecretBuffer.random(32);
      if (i % 10 === 0) JwtKey.fromSecret(secret, { alg: 'HS256' });
    }
    (async () => {
      // Finalizers run in turns of their own, so wait for their effect. The number of rounds is
      // only a limit.
      let live = Infinity;
      for (let round = 0; round < 1000 && live > before + 100; round++) {
        global.gc();
        await turn();
        live = secureHeap.status().liveSecrets;
      }
      console.log(live - before);
    })();
    `,
    { flags: ['--expose-gc'] },
  );
  assert.equal(code, 0, stderr);
  assert.ok(Number(stdout) <= 100, `${stdout.trim()} secrets are still held`);
});
