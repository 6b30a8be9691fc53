'use strict';

// Runs under the flags of a service of examples/hardened-service, does to its process what the
// service does, and then makes the attempts of an attacker: `hardened-probe.js <secrets> <others>`.
// Prints the result of each attempt, as JSON.

const { spawn } = require('node:child_process');
const crypto = require('node:crypto');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { Worker } = require('node:worker_threads');

const { SecretBuffer, secureHeap } = require('@nodesec/native');
const { dropPermissions, hardenProcess } = require('../../examples/hardened-service/harden.js');

const [, , secrets, others] = process.argv;

hardenProcess();
const pepper = path.join(secrets, 'pepper');
const before = attempt(() => SecretBuffer.fromFile(pepper).byteLength);
dropPermissions([secrets]);

const found = {
  secretBefore: before,
  secretAfter: attempt(() => SecretBuffer.fromFile(pepper).byteLength),
  secretByNode: attempt(() => fs.readFileSync(pepper).length),
  systemFile: attempt(() => fs.readFileSync('/etc/passwd').length),
  othersKey: attempt(() => fs.readFileSync(path.join(others, 'identity.pem')).length),
  write: attempt(() => fs.writeFileSync(path.join(os.tmpdir(), 'hardened-probe'), '')),
  code: attempt(() => fs.appendFileSync(__filename, '')),
  child: attempt(() => spawn(process.execPath, ['--version'])),
  worker: attempt(() => new Worker('', { eval: true })),
  addon: attempt(() => process.dlopen({ exports: {} }, '/nowhere.node')),
  evaluated: attempt(() => attempt.constructor('return 1')()),
  proto: attempt(() => Object.hasOwn(Object.prototype, '__proto__')),
  polluted: attempt(() => {
    const merged = {};
    Reflect.get(merged, '__proto__').polluted = true;
    return {}.polluted;
  }),
  opensslHeap: crypto.secureHeapUsed().total,
  hardening: secureHeap.hardenProcess(),
  canDrop: process.permission.drop !== undefined,
};
console.log(JSON.stringify(found));

/** The result of an attempt, or the code of its error. */
function attempt(fn) {
  try {
    return fn() ?? 'done';
  } catch (error) {
    return error.code ?? error.name;
  }
}
