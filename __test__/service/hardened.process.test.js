'use strict';

// The processes of examples/hardened-service: their flags, and attempts of an attacker in them.

const assert = require('node:assert/strict');
const { execFile } = require('node:child_process');
const { readFileSync } = require('node:fs');
const path = require('node:path');
const { before, describe, test } = require('node:test');
const { promisify } = require('node:util');

const { eventsOf, startForSuite } = require('../helpers/hardened.js');

const PROBE = path.join(__dirname, '..', 'helpers', 'hardened-probe.js');
const DENIED = 'ERR_ACCESS_DENIED';

describe('the process', () => {
  const suite = startForSuite('express');
  const found = {};
  before(async () => {
    const { home, accounts, trail } = suite.services;
    const secrets = path.join(home, 'secrets');
    const others = path.join(home, 'certificates', 'trail');
    for (const [name, { flags }] of Object.entries({ accounts, trail })) {
      const args = [...flags, `--allow-fs-read=${secrets}/*`, PROBE, secrets, others];
      // The accounts have this flag already.
      if (name === 'accounts') args.splice(flags.length, 1);
      const { stdout } = await promisify(execFile)(process.execPath, args, { env: {} });
      found[name] = JSON.parse(stdout.split('\n').findLast((line) => line.startsWith('{"secret')));
    }
  });

  test('reads no file beside its own', () => {
    assert.equal(found.accounts.systemFile, DENIED);
    assert.equal(found.accounts.othersKey, DENIED);
  });

  test('writes only where its data is', () => {
    for (const name of ['write', 'code']) assert.equal(found.accounts[name], DENIED);
  });

  test('starts no program and no thread', () => {
    for (const name of ['child', 'worker']) assert.equal(found.accounts[name], DENIED);
  });

  test('gives up its secrets and further addons once it listens, from Node 24 on', () => {
    const { canDrop, secretBefore, secretAfter, secretByNode, addon } = found.accounts;
    assert.equal(secretBefore, 32);
    if (canDrop) assert.deepEqual([secretAfter, secretByNode, addon], [DENIED, DENIED, DENIED]);
    else assert.deepEqual([secretAfter, secretByNode], [32, 32]);
    const isRecorded = eventsOf(suite.services.accounts).some(({ action }) => action === 'permissions.dropped');
    assert.equal(isRecorded, canDrop);
  });

  test('has no way to a prototype by a member of an object', () => {
    assert.deepEqual([found.accounts.proto, found.accounts.polluted], [false, 'TypeError']);
  });

  test('makes no code from text, where no package needs it', () => {
    assert.equal(found.trail.evaluated, 'EvalError');
  });

  test('keeps private keys of TLS in memory of OpenSSL that is wiped', () => {
    assert.equal(found.accounts.opensslHeap, 65_536);
  });

  test('leaves no core dump, and no debugger of its user in', { skip: process.platform !== 'linux' }, () => {
    for (const { hardening } of Object.values(found)) {
      assert.deepEqual([hardening.dumpable, hardening.core], [false, 0]);
    }
    for (const { pid } of [suite.services.accounts, suite.services.trail]) {
      assert.match(readFileSync(`/proc/${pid}/limits`, 'utf8'), /^Max core file size +0 /m);
    }
  });

  test('runs with these flags and gets no environment', { skip: process.platform !== 'linux' }, () => {
    for (const { flags, pid } of [suite.services.accounts, suite.services.trail]) {
      const args = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
      for (const flag of flags) assert.ok(args.includes(flag), flag);
      const names = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').filter(Boolean);
      assert.deepEqual(names.filter((pair) => !pair.startsWith('NODE_CHANNEL')), ['NODE_ENV=production']);
    }
  });
});
