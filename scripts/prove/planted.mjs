// The process that holds the secrets. It reads one command per line from its standard input, and
// answers each with a line. It never has a secret in a string, and prints none.
//
//   node --expose-gc planted.mjs <folder> <addon of the harness>

import { readFileSync, readSync, writeFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { writeHeapSnapshot } from 'node:v8';

import audit from '../../audit.js';
import nodesec from '../../index.js';
import { CALLS, SECRETS } from './secrets.mjs';

const [folder, addon] = process.argv.slice(2);
const native = loadAddon(addon);
const file = (name) => path.join(folder, name);

let planted = [];

/** The key of the audit trail stays to the end of the process. */
const LASTING = 1;

const COMMANDS = {
  async plant() {
    // The controls stay reachable to the end, because the harness must find them.
    globalThis.controls = {
      buffer: readFileSync(file('control-buffer')),
      // So small that its bytes are in V8's heap.
      array: Uint8Array.from(readFileSync(file('control-array'))),
      text: readFileSync(file('control-text'), 'utf8'),
    };
    const context = {
      audit,
      sealed: file('sealed'),
      store: file('store'),
      copy: file('copy'),
      ringStore: file('ring-store'),
    };
    const files = SECRETS.map((secret, index) => ({ ...secret, file: file(`secret-${index}`) }));
    for (const { plant, file } of files.filter(({ plant }) => plant !== undefined)) {
      planted.push(await plant(nodesec, file, context));
    }
    await giveSmallArrays(files.filter(({ group }) => group in CALLS));
    return nodesec.secureHeap.status().backend;
  },
  /**
   * Lends the first secret until the harness sends `return`. Any other command aborts the process.
   */
  lend() {
    planted[0].use((bytes) => {
      answer(`${bytes.length}`);
      const command = line();
      if (command !== 'return') process.abort();
    });
    return 'returned';
  },
  snapshot: (name) => writeHeapSnapshot(file(name)),
  report: (name) => process.report.writeReport(file(name)),
  'fork-and-dump': (name) => native.forkAndDump(file(name)),
  'fork-and-touch': (address) => native.forkAndTouch(address),
  /** Disposes of all secrets. Objects without dispose() free theirs when they are collected. */
  async dispose() {
    for (const kept of planted.flat()) await kept?.close?.();
    nodesec.secureHeap.disposeAll();
    planted = [];
    await collect(LASTING);
  },
  abort: () => process.abort(),
};

native.allowCore();
// Core dumps then hold all kinds of mappings, not only the default ones (core(5)).
writeFileSync('/proc/self/coredump_filter', '0x1ff');
answer('ready');
for (let command = line(); command !== ''; command = line()) {
  const [name, argument] = command.split(' ');
  answer(`${(await COMMANDS[name](argument)) ?? 'done'}`);
}

/** Gives a small array to each call, wipes it, and drops everything else that holds its bytes. */
async function giveSmallArrays(secrets) {
  const { liveSecrets } = nodesec.secureHeap.status();
  const arrays = secrets.map(() => new Uint8Array(32));
  // Afterwards V8 does not move the arrays, which would leave copies, and does not soon reuse their
  // memory, where a copy could be overwritten before it is looked for.
  gc();
  gc();
  for (const [index, { file, take }] of secrets.entries()) {
    const secret = nodesec.SecretBuffer.fromFile(file);
    const bytes = arrays[index];
    secret.use((lent) => bytes.set(lent));
    const result = take(nodesec, bytes, secret);
    bytes.fill(0);
    await result;
    secret.dispose();
  }
  await collect(liveSecrets);
}

/** Collects garbage until no more than so many secrets are left. */
async function collect(most) {
  const { secureHeap } = nodesec;
  for (let round = 0; round < 1000 && secureHeap.status().liveSecrets > most; round += 1) {
    gc();
    await turn();
  }
  const { liveSecrets } = secureHeap.status();
  if (liveSecrets > most) throw new Error(`${liveSecrets} secrets are still there, not ${most}`);
}

/** Reads a line, and blocks the thread until it arrives. Empty at the end of the input. */
function line() {
  const byte = Buffer.alloc(1);
  let text = '';
  while (readSync(0, byte) === 1 && byte[0] !== 10) text += byte.toString('latin1');
  return text;
}

function answer(text) {
  writeSync(1, `${text}\n`);
}

function loadAddon(file) {
  const module = { exports: {} };
  process.dlopen(module, file);
  return module.exports;
}
