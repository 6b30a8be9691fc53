'use strict';

// The secure heap under a seccomp filter that refuses the system calls that the heap needs, as
// gVisor and strict containers do. The filter needs no privileges; helpers/refuse.rs installs it.

const assert = require('node:assert/strict');
const { execFile } = require('node:child_process');
const path = require('node:path');
const { before, test } = require('node:test');

const { buildRefuse } = require('../helpers/refuse.js');

const ROOT = path.join(__dirname, '..', '..');

/** By refused calls: the backend that the heap then has, and its reasons without the error. */
const REFUSALS = {
  memfd_secret: { backend: 'mlock', reasons: ['memfd_secret:'] },
  mlock: { backend: 'memfd_secret', reasons: [] },
  madvise: { backend: 'memfd_secret', reasons: ['memfd_secret: MADV_DONTFORK'] },
  'memfd_secret,mlock': { backend: 'dontdump', reasons: ['memfd_secret:', 'mlock:'] },
  'memfd_secret,madvise': {
    backend: 'mlock',
    reasons: ['memfd_secret:', 'mlock: MADV_DONTDUMP', 'mlock: MADV_WIPEONFORK'],
    dumpExcluded: false,
  },
  'mlock,madvise': { backend: 'memfd_secret', reasons: ['memfd_secret: MADV_DONTFORK'] },
  'memfd_secret,mlock,madvise': {
    backend: 'plain',
    reasons: ['memfd_secret:', 'mlock:', 'dontdump: MADV_DONTDUMP'],
  },
};

/** A child's report: its heap, the kernel's view of the heap, and whether everything works. */
const PROBE = `
  const assert = require('node:assert');
  const { mappings } = require('./__test__/helpers/smaps.js');
  const { hashSync, JwtIssuer, JwtKey, JwtVerifier, SecretBuffer, secureHeap, verifySync } =
    require('@nodesec/native');
  const sizeOf = (flag) => mappings().filter(({ flags }) => flags.includes(flag))
    .reduce((sum, { size }) => sum + size, 0);
  const before = { lo: sizeOf('lo'), dd: sizeOf('dd') };
  const { capacityBytes } = secureHeap.status();
  const flagged = {
    locked: sizeOf('lo') - before.lo === capacityBytes,
    dumpExcluded: sizeOf('dd') - before.dd === capacityBytes,
  };

  // So many secrets that the heap grows.
  const secrets = Array.from({ length: 2000 }, () => SecretBuffer.random(32));
  assert.ok(secureHeap.status().capacityBytes > capacityBytes);
  assert.ok(secrets[0].equals(secrets[0].clone()));
  assert.equal(secrets[0].use((bytes) => bytes.length), 32);
  const sealed = secrets[0].seal(secrets[1], { context: 'refused' });
  assert.ok(SecretBuffer.unseal(sealed, secrets[1], { context: 'refused' }).equals(secrets[0]));
  const keys = JwtKey.fromSecret(secrets[0], { alg: 'HS256' });
  const token = new JwtIssuer({ keys, expiresIn: 60 }).sign({ sub: 'a' });
  const verifier = new JwtVerifier({ keys, issuer: false, audience: false });
  assert.equal(verifier.verify(token).sub, 'a');
  const digest = hashSync(secrets[2], { profile: 'test', secret: secrets[1] });
  assert.ok(verifySync(digest, secrets[2], { secret: secrets[1] }));
  for (const secret of secrets) secret.dispose();
  secureHeap.verify();
  console.log(JSON.stringify({ status: secureHeap.status(), flagged }));
`;

const PICKY = `
  const { SecretBuffer, secureHeap } = require('@nodesec/native');
  const codes = [
    () => secureHeap.configure({ require: ['locked', 'dumpExcluded'] }),
    () => SecretBuffer.random(32),
  ].map((call) => {
    try {
      return call();
    } catch (error) {
      return error.code;
    }
  });
  console.log(JSON.stringify(codes));
`;

let launcher;

/** Runs a script in a process for which the filter refuses these system calls. */
function runRefused(errno, calls, script) {
  const args = [errno, calls, process.execPath, '--eval', script];
  const env = { ...process.env, NODE_OPTIONS: '', NODESEC_SECMEM: 'memfd_secret' };
  return new Promise((resolve) => {
    const child = execFile(launcher, args, { cwd: ROOT, env }, (_, stdout, stderr) => {
      resolve({ code: child.exitCode, signal: child.signalCode, stdout, stderr });
    });
  });
}

if (process.platform === 'linux') {
  before(async () => {
    launcher = await buildRefuse();
  });

  for (const errno of ['ENOSYS', 'EPERM']) {
    for (const [calls, { backend, reasons, ...exceptions }] of Object.entries(REFUSALS)) {
      test(`status() gives the reason: ${errno} for ${calls}`, async () => {
        const { code, signal, stdout, stderr } = await runRefused(errno, calls, PROBE);
        assert.equal(code, 0, `${signal} ${stderr}`);
        const { status, flagged } = JSON.parse(stdout);
        assert.equal(status.backend, backend);
        const expected = reasons.map((reason) => `${reason} ${errno}`);
        assert.deepEqual(status.reasons, expected);

        const { locked, dumpExcluded } = status;
        assert.deepEqual({ locked, dumpExcluded }, flagged, 'as the kernel says');
        assert.equal(locked, ['memfd_secret', 'mlock'].includes(backend));
        assert.equal(dumpExcluded, exceptions.dumpExcluded ?? backend !== 'plain');
        assert.equal(status.kernelUnmapped, backend === 'memfd_secret');
        assert.equal(status.degraded, !(locked && dumpExcluded));
        assert.equal(status.guardPages, true);
        assert.equal(/NODESEC_SECRET_DEGRADED/.test(stderr), status.degraded, stderr);
      });
    }

    test(`${errno} for everything is no heap for who requires better`, async () => {
      const all = 'memfd_secret,mlock,madvise';
      const { code, stdout, stderr } = await runRefused(errno, all, PICKY);
      assert.equal(code, 0, stderr);
      assert.deepEqual(JSON.parse(stdout), Array(2).fill('ERR_SECRET_DEGRADED'));
    });
  }
}
