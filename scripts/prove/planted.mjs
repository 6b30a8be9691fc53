// The process that holds the secrets. It reads one command per line from its standard input, and
// answers each with a line. It never has a secret in a string, and prints none.
//
//   node --expose-gc planted.mjs <folder> <addon of the harness>

import { readFileSync, readSync, writeFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { writeHeapSnapshot } from 'node:v8';

import nodesec from '../../index.js';
import { SECRETS } from './secrets.mjs';

const [folder, addon] = process.argv.slice(2);
const native = loadAddon(addon);
const file = (name) => path.join(folder, name);

let planted = [];

const COMMANDS = {
  async plant() {
    // The controls stay reachable to the end, because the harness must find them.
    globalThis.controls = {
      buffer: readFileSync(file('control-buffer')),
      text: readFileSync(file('control-text'), 'utf8'),
    };
    for (const [index, secret] of SECRETS.entries()) {
      const context = { sealed: file('sealed'), writeFileSync };
      planted.push(await secret.plant(nodesec, file(`secret-${index}`), context));
    }
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
    nodesec.secureHeap.disposeAll();
    planted = [];
    for (let round = 0; round < 1000 && nodesec.secureHeap.status().liveSecrets > 0; round += 1) {
      gc();
      await turn();
    }
    const { liveSecrets } = nodesec.secureHeap.status();
    if (liveSecrets > 0) throw new Error(`${liveSecrets} secrets are still there`);
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
