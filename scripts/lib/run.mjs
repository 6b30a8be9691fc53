// Running other programs: their output goes straight to the terminal, and what they wrote is handed
// back for a caller that counts.

import { spawn } from 'node:child_process';
import path from 'node:path';

export const root = path.resolve(import.meta.dirname, '..', '..');

/** A program that failed, after it had explained itself on its own standard error. */
export class CommandError extends Error {
  constructor(command, args, status, written) {
    super(`${[path.basename(command), ...args].join(' ')} ended with status ${status}`);
    this.written = written;
  }
}

/** Runs a program to its end; resolves with its standard output, rejects when it fails. */
export function run(command, args, { cwd = root, env = process.env, quiet = false } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env,
      stdio: ['inherit', 'pipe', 'inherit'],
      // npm is a .cmd file on Windows, which only a shell starts.
      shell: process.platform === 'win32' && command === 'npm',
    });
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
 * Runs a script's body: a failure ends the process with status 1, without a trace when it is known.
 */
export async function main(body) {
  try {
    await body();
  } catch (error) {
    console.error(error instanceof CommandError ? error.message : error);
    process.exitCode = 1;
  }
}
