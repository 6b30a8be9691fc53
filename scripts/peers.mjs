// `node scripts/peers.mjs`: installs what tests compare with and what cannot be a dependency: a
// Node 24 of this platform, for its argon2 (npm), argon2-cffi and PyJWT (PyPI). All go below
// node_modules and are found there by __test__/helpers/peers.js. libargon2's command is the
// system's: Debian has it in the package argon2.

import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { main, root, run } from './lib/run.mjs';

const NODE = '24.21.0';
const ARGON2_CFFI = '25.1.0';
const PYJWT = '2.10.1';

const folder = path.join(root, 'node_modules', '.cache', 'nodesec-peers');

await main(async () => {
  mkdirSync(folder, { recursive: true });
  // So that npm installs here and not into the checkout.
  writeFileSync(path.join(folder, 'package.json'), '{ "private": true }\n');
  const platform = process.platform === 'win32' ? 'win' : process.platform;
  const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel', 'error'];
  await run('npm', ['install', ...quiet, `node-${platform}-${process.arch}@${NODE}`], {
    cwd: folder,
  });
  const python = process.platform === 'win32' ? 'python' : 'python3';
  const pip = ['-m', 'pip', 'install', '--quiet', '--root-user-action', 'ignore', '--upgrade'];
  const target = path.join(folder, 'python');
  const packages = [`argon2-cffi==${ARGON2_CFFI}`, `PyJWT[crypto]==${PYJWT}`];
  await run(python, [...pip, '--target', target, ...packages]);
});
