'use strict';

const { execFile } = require('node:child_process');
const path = require('node:path');

const ROOT = path.join(__dirname, '..', '..');

/**
 * Runs a script in a process of its own, so that a test can observe a crash. Resolves to the exit
 * code or the signal that ended the process, and to its output.
 */
function runScript(script, { flags = [], env = {} } = {}) {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [...flags, '--eval', script],
      { cwd: ROOT, env: { ...process.env, ...env } },
      (_, stdout, stderr) => {
        resolve({ code: child.exitCode, signal: child.signalCode, stdout, stderr });
      },
    );
  });
}

/**
 * The words of a command that runs a file on this runtime, for another program that starts it. Deno
 * gives its permissions only to processes that it starts itself.
 */
const RUNTIME = process.versions.deno ? [process.execPath, 'run', '--allow-all'] : [process.execPath];

module.exports = { RUNTIME, runScript };
