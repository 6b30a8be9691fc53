'use strict';

// `hardenProcess` changes the whole process, so each case runs in a process of its own. Its answers
// are compared with the kernel's.

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const path = require('node:path');
const { test } = require('node:test');

const ROOT = path.join(__dirname, '..', '..');
const onLinux = process.platform === 'linux';
const LIMIT = 64 * 1024 * 1024;

/**
 * Runs a script as an ordinary user with a soft limit on core dumps. Returns the script's result.
 */
function found(script) {
  const source = `
    const fs = require('node:fs');
    const { secureHeap } = require('@nodesec/native');
    const line = () => fs.readFileSync('/proc/self/limits', 'utf8').match(/core file size +(\\S+) +(\\S+)/);
    /** The soft and the hard limit, in bytes. */
    const limits = () => line().slice(1).map((text) => (text === 'unlimited' ? Infinity : Number(text)));
    /** Whether the user may open the process's memory. */
    const traceable = () => {
      try {
        fs.closeSync(fs.openSync('/proc/self/mem'));
        return true;
      } catch (error) {
        return error.code;
      }
    };
    const result = (() => { ${script} })();
    console.log(JSON.stringify(result, (_, value) => (value === Infinity ? 'unlimited' : value)));
  `;
  const node = ['bash', '-c', `ulimit -S -c ${LIMIT / 1024} && exec "$@"`, 'bash', process.execPath, '--eval', source];
  const asUser = process.getuid() === 0 ? ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups', ...node] : node;
  const env = { ...process.env, NODE_OPTIONS: '', HOME: '/' };
  return JSON.parse(execFileSync(asUser[0], asUser.slice(1), { cwd: ROOT, env, encoding: 'utf8' }));
}

if (onLinux) {
  test('nothing is changed by loading the module and using secrets', () => {
    const { limits, traceable, hardened } = found(`
      const { SecretBuffer } = require('@nodesec/native');
      SecretBuffer.random(32).dispose();
      return { limits: limits(), traceable: traceable(), hardened: secureHeap.hardenProcess() };
    `);
    assert.equal(limits[0], LIMIT);
    assert.equal(traceable, true);
    assert.deepEqual(hardened, { dumpable: true, core: LIMIT, reasons: [] });
  });

  test('dumpable: false keeps other processes from tracing', () => {
    const { limits, traceable, hardened } = found(`
      const hardened = secureHeap.hardenProcess({ dumpable: false });
      return { limits: limits(), traceable: traceable(), hardened };
    `);
    assert.equal(traceable, 'EACCES');
    assert.equal(limits[0], LIMIT);
    assert.deepEqual(hardened, { dumpable: false, core: LIMIT, reasons: [] });
  });

  test('core lowers the soft limit only, and never raises it', () => {
    const { before, steps } = found(`
      const step = (core) => ({ hardened: secureHeap.hardenProcess({ core }), limits: limits() });
      return { before: limits(), steps: [step(4096), step(8192), step(0), step(2 ** 52)] };
    `);
    assert.deepEqual(
      steps.map(({ hardened }) => hardened.core),
      [4096, 4096, 0, 0],
    );
    for (const { hardened, limits } of steps) {
      assert.equal(hardened.dumpable, true);
      assert.deepEqual(limits, [hardened.core, before[1]]);
    }
  });

  test('secrets and status() work in a hardened process', () => {
    const { kept, status } = found(`
      const { SecretBuffer } = require('@nodesec/native');
      secureHeap.hardenProcess({ dumpable: false, core: 0 });
      const secret = SecretBuffer.from(Buffer.alloc(32, 7));
      return { kept: secret.equals(Buffer.alloc(32, 7)), status: secureHeap.status() };
    `);
    assert.equal(kept, true);
    assert.equal(status.liveSecrets, 1);
    assert.equal(status.dumpExcluded, true);
  });
} else {
  test('a protection that the system lacks is reported', () => {
    const { secureHeap } = require('@nodesec/native');
    const { dumpable, reasons } = secureHeap.hardenProcess({ dumpable: false });
    assert.equal(dumpable, undefined);
    assert.match(reasons.join(), /dumpable: not on this system/);
  });
}

test('dumps are not allowed again here', () => {
  const { secureHeap } = require('@nodesec/native');
  assert.throws(() => secureHeap.hardenProcess({ dumpable: true }), { code: 'ERR_INVALID_ARG_VALUE' });
});
