'use strict';

const { execFileSync } = require('node:child_process');
const path = require('node:path');

const ROOT = path.join(__dirname, '..', '..');

/** Builds the program of refuse.rs, and returns its path. */
async function buildRefuse() {
  const { cargoEnv } = await import('../../scripts/lib/toolchain.mjs');
  const env = cargoEnv();
  const args = ['build', '--release', '--locked', '--quiet', '--example', 'refuse'];
  execFileSync('cargo', args, { cwd: ROOT, env, stdio: 'inherit' });
  return path.join(ROOT, 'target', env.CARGO_BUILD_TARGET, 'release', 'examples', 'refuse');
}

module.exports = { buildRefuse };
