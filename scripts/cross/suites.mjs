// Runs programs of another platform, and the JavaScript suites with that platform's Node.

import { once } from 'node:events';
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';

import { start } from '../lib/run.mjs';
import { workshop } from './tools.mjs';

/** The suites in which Node prints its warnings, because they count them. */
const WARNED = ['password/password', 'secret/heap.configure'];

/**
 * Runs suites, each in a process of its own. Node prints its warnings only in those that count
 * them. Returns the number of tests that passed. Throws if a test fails, or if a suite has no test.
 */
export async function runSuites(names, [command, ...first], { cwd, env = process.env }) {
  let total = 0;
  for (const name of names) {
    const args = [...first, '--test-reporter=tap', path.join('__test__', `${name}.test.js`)];
    const silent = WARNED.includes(name) ? {} : { NODE_NO_WARNINGS: '1' };
    const report = await runToFile(command, args, { cwd, env: { ...env, ...silent } });
    const [pass, fail] = ['pass', 'fail'].map((what) => count(report, what));
    if (!(pass > 0) || fail !== 0) throw new Error(`${name}: not every test passed\n${report}`);
    console.log(`${name}: ${pass} passed`);
    total += pass;
  }
  return total;
}

/** Reads a count from the end of a report. The same lines of nested tests are indented. */
function count(report, what) {
  const [, number] = new RegExp(`^# ${what} (\\d+)`, 'm').exec(report) ?? [];
  return Number(number);
}

/**
 * Runs a program and returns its output. The output goes through a file, because Node under wine
 * does not understand the pipes that Node makes. Throws if the program fails or takes longer than
 * five minutes.
 */
export async function runToFile(command, args, options) {
  const file = path.join(workshop, `output-${process.pid}.txt`);
  const output = openSync(file, 'w');
  try {
    const stdio = ['ignore', output, output];
    const child = start(command, args, { ...options, stdio, timeout: 300_000 });
    const [status, signal] = await once(child, 'close');
    if (status === 0) return readFileSync(file, 'utf8');
    const wrote = readFileSync(file, 'utf8');
    throw new Error(`${path.basename(command)} ${args.join(' ')}: ${signal ?? status}\n${wrote}`);
  } finally {
    closeSync(output);
    rmSync(file);
  }
}
