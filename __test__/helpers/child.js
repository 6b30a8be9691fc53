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

module.exports = { runScript };
