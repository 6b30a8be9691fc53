'use strict';

const { execFile } = require('node:child_process');
const path = require('node:path');

const ROOT = path.join(__dirname, '..', '..');

/**
 * Runs a script in a process of its own, so that a crash is seen as what it is. Gives the exit
 * code, or the signal that ended it, and what was printed.
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
