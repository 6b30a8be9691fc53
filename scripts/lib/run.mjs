// Runs other programs. Their output goes to the terminal at once, and is returned to the caller as
// well.

import { spawn } from 'node:child_process';
import path from 'node:path';

export const root = path.resolve(import.meta.dirname, '..', '..');

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
    const stdio = ['inherit', 'pipe', 'inherit'];
    const child = spawn(...startable(command, args), { cwd, env, stdio });
    let written = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      written += text;
      if (!quiet) process.stdout.write(text);
    });
    child.on('error', reject);
    child.on('close', (status) => {
      if (status === 0) resolve(written);
      else reject(new CommandError(command, args, status, written));
    });
  });
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
 * Runs a script's body. A failure ends the process with status 1. The failure of a program is
 * printed without a stack trace.
 */
export async function main(body) {
  try {
    await body();
  } catch (error) {
    console.error(error instanceof CommandError ? error.message : error);
    process.exitCode = 1;
  }
}
