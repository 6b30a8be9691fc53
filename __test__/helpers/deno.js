'use strict';

// Programs in Deno with some of its permissions. They find the package of the checkout as `native`,
// and print values by `report`.

const { spawnSync } = require('node:child_process');
const path = require('node:path');

const ROOT = path.join(__dirname, '..', '..');

/** The permissions that the package needs to be loaded. */
const LOADING = ['--allow-ffi', '--allow-env=NODE_ENV', `--allow-read=${ROOT}`];

/** Runs a program. Returns its exit code, the values that it reported, and its errors. */
function runDeno(binary, flags, program, env = {}) {
  const args = ['run', '--no-prompt', '--no-config', '--ext=mjs', ...flags, '-'];
  const input = `
    import { createRequire } from 'node:module';
    const report = (value) => console.log(JSON.stringify(value));
    const load = () => createRequire(${JSON.stringify(path.join(ROOT, 'x.js'))})('./index.js');
    ${program}
  `;
  const { status, stdout, stderr } = spawnSync(binary, args, {
    cwd: ROOT,
    encoding: 'utf8',
    env: { ...process.env, DENO_NO_UPDATE_CHECK: '1', ...env },
    input,
  });
  const reported = stdout.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line));
  return { status, reported, stderr };
}

module.exports = { LOADING, ROOT, runDeno };
