// Runs other programs. Their output goes to the terminal at once, and is returned to the caller as
// well. A signal that ends a command ends them first, and the command then clears up.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import os from 'node:os';
import path from 'node:path';

import { UsageError } from './usage.mjs';

export const root = path.resolve(import.meta.dirname, '..', '..');

/** The signals by which a user or a supervisor ends a command. `nohup` is about the third one. */
const SIGNALS = ['SIGINT', 'SIGTERM'];
const children = new Set();
/** The signal that ends this command, once it has come. */
let stop;

/** A program failed, and has explained the failure on its own standard error. */
export class CommandError extends Error {
  constructor(command, args, status, written) {
    super(`${[path.basename(command), ...args].join(' ')} ended with status ${status}`);
    this.status = status;
    this.written = written;
  }
}

/**
 * Runs a program to its end. Resolves with its standard output, and rejects if it fails. With
 * `quiet` the output does not go to the terminal.
 */
export function run(command, args, { cwd = root, env = process.env, quiet = false } = {}) {
  return new Promise((resolve, reject) => {
    const child = start(command, args, { cwd, env, stdio: ['inherit', 'pipe', 'inherit'] });
    let written = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      written += text;
      if (!quiet) process.stdout.write(text);
    });
    child.on('error', reject);
    child.on('close', (status) => {
      if (status === 0 && stop === undefined) resolve(written);
      else reject(new CommandError(command, args, status, written));
    });
  });
}

/**
 * Runs a program to its end, whatever its status. Resolves with `status`, `signal`, `stdout` and
 * `stderr`, as spawnSync returns them, and rejects if it does not start.
 */
export async function outcome(command, args, options) {
  const child = start(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  const written = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr']) {
    child[name].setEncoding('utf8').on('data', (text) => (written[name] += text));
  }
  const [status, signal] = await once(child, 'close');
  if (stop !== undefined) throw new Error(`ended by ${stop}`);
  return { status, signal, ...written };
}

/** Starts a program as `spawn` does. It ends with this command. */
export function start(command, args, options) {
  if (stop !== undefined) throw new Error(`ended by ${stop}`);
  const child = spawn(...startable(command, args), options);
  children.add(child);
  const forget = () => children.delete(child);
  child.on('error', forget).on('exit', forget);
  return child;
}

/**
 * The program and the arguments that start a command without a shell. On Windows npm is a .cmd
 * file, which only a shell can start; the program behind it lies beside Node.
 */
export function startable(command, args, { platform, execPath } = process) {
  if (platform !== 'win32' || command !== 'npm') return [command, args];
  const cli = path.join(path.dirname(execPath), 'node_modules', 'npm', 'bin', 'npm-cli.js');
  return [execPath, [cli, ...args]];
}

/**
 * Runs a script's body. A failure ends the process with status 1. The failure of a program and a
 * mistake in the arguments are printed without a stack trace. A signal ends the programs that run,
 * so that the body fails and its `finally` blocks run; a second one ends the process at once.
 */
export async function main(body) {
  for (const signal of SIGNALS) process.once(signal, stopped);
  try {
    await body();
  } catch (error) {
    const isPlain = error instanceof CommandError || error instanceof UsageError;
    if (stop === undefined) console.error(isPlain ? error.message : error);
    process.exitCode = 1;
  }
  if (stop !== undefined) process.exit(128 + os.constants.signals[stop]);
  for (const signal of SIGNALS) process.off(signal, stopped);
}

function stopped(signal) {
  stop = signal;
  for (const each of SIGNALS) process.off(each, stopped);
  console.error(`Ended by ${signal}.`);
  for (const child of children) child.kill(signal);
}
