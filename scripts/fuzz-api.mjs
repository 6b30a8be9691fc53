// npm run fuzz:api: calls every export with arguments that no caller should pass, in processes of
// 10,000 calls each. A process must not crash; an error must have a code, and not ERR_INTERNAL;
// every promise must be settled. With --threads, worker threads make the calls and are terminated
// in the middle of them.
//
//   npm run fuzz:api                                  100,000 calls with a new seed
//   npm run fuzz:api -- --calls 1000000 --node 26     with a Node of scripts/peers.mjs
//   npm run fuzz:api -- --seed 7 --first 4321 --calls 1    repeats one call
//   npm run fuzz:api -- --threads 200                 worker threads, in place of calls

import { randomInt } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { ensureBuilt, ensureDependencies } from './lib/ensure.mjs';
import { peers } from './lib/peers.mjs';
import { main, root, start } from './lib/run.mjs';
import { UsageError, commandLine, wholeNumber } from './lib/usage.mjs';

const CALLS_OF_A_PROCESS = 10_000;
/** A process that takes longer hangs in a call. It takes some 10 s on an idle machine. */
const PATIENCE_MS = 600_000;
const FUZZ = path.join(root, '__test__', 'fuzz');

await main(async () => {
  const { threads, ...range } = wanted();
  await ensureDependencies();
  await ensureBuilt();
  const folder = mkdtempSync(path.join(os.tmpdir(), 'nodesec-fuzz-'));
  try {
    console.log(`Seed ${range.seed}, ${range.node}`);
    if (threads > 0) await runProgram(folder, range.node, 'threads.js', [range.seed, threads]);
    else await makeCalls(folder, range);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

async function makeCalls(folder, { calls, first, node, seed }) {
  const started = performance.now();
  for (let done = 0; done < calls; done += CALLS_OF_A_PROCESS) {
    const count = Math.min(CALLS_OF_A_PROCESS, calls - done);
    await runProgram(folder, node, 'calls.js', [seed, first + done, count]);
  }
  const seconds = Math.round((performance.now() - started) / 1000);
  console.log(`${calls} calls in ${seconds} s: no crash, no ERR_INTERNAL, no pending promise`);
}

/** Runs a program to its end. Prints its output if it fails. */
function runProgram(folder, node, file, args) {
  const progress = path.join(folder, 'progress');
  // Some of the calls make files at paths like `../..`.
  const cwd = path.join(folder, 'a', 'b', 'c');
  mkdirSync(cwd, { recursive: true });
  const command = ['--expose-gc', path.join(FUZZ, file), ...args.map(String), progress];
  return new Promise((resolve, reject) => {
    // Warnings are expected: the calls make many of them.
    const env = { ...process.env, NODE_NO_WARNINGS: '1' };
    const stdio = ['ignore', 'pipe', 'pipe'];
    const child = start(node, command, { cwd, env, stdio, timeout: PATIENCE_MS });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => (output += text));
    }
    child.on('error', reject);
    child.on('close', (status, signal) => {
      const summary = output.match(/^\{"answers".*$/m)?.[0];
      if (summary !== undefined) console.log(summary);
      if (status === 0) resolve();
      else reject(new Error(`${output}\n${signal ?? `status ${status}`} after call ${last(progress)}`));
    });
  });
}

/** The call that a process began last. */
function last(progress) {
  return existsSync(progress) ? readFileSync(progress, 'utf8').trim() : 'none';
}

function wanted() {
  const { values } = commandLine({
    options: {
      calls: { type: 'string', default: '100000' },
      first: { type: 'string', default: '0' },
      node: { type: 'string' },
      seed: { type: 'string' },
      threads: { type: 'string', default: '0' },
    },
  });
  return {
    calls: wholeNumber('calls', values.calls, { from: 1 }),
    first: wholeNumber('first', values.first),
    node: programOf(values.node),
    seed: wholeNumber('seed', values.seed ?? `${randomInt(2 ** 31)}`, { to: 2 ** 32 - 1 }),
    threads: wholeNumber('threads', values.threads),
  };
}

/** This Node, or that of scripts/peers.mjs with a major version. */
function programOf(major) {
  if (major === undefined) return process.execPath;
  wholeNumber('node', major, { from: 20, to: 99 });
  const program = path.join(peers, 'node_modules', `node${major}`, 'bin', 'node');
  if (existsSync(program)) return program;
  throw new UsageError(`There is no ${program}: run \`node scripts/peers.mjs\``);
}
