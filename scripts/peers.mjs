// `node scripts/peers.mjs`: installs programs that tests compare results with and that cannot be
// dependencies: Node 24 for this platform, for its argon2, and TypeScript 5.4 (from npm),
// argon2-cffi and PyJWT (from PyPI). They go below node_modules, where __test__/helpers/peers.js
// finds them. The command of libargon2 must come from the system: on Debian it is in the package
// argon2.

import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { main, root, run } from './lib/run.mjs';

const NODE = '24.21.0';
const ARGON2_CFFI = '25.1.0';
const PYJWT = '2.10.1';
const TYPESCRIPT = '5.4.5';

const folder = path.join(root, 'node_modules', '.cache', 'nodesec-peers');

await main(async () => {
  mkdirSync(folder, { recursive: true });
  // With a package.json of its own, npm installs into this folder and not into the checkout.
  writeFileSync(path.join(folder, 'package.json'), '{ "private": true }\n');
  const platform = process.platform === 'win32' ? 'win' : process.platform;
  const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel', 'error'];
  const programs = [`node-${platform}-${process.arch}@${NODE}`, `typescript@${TYPESCRIPT}`];
  await run('npm', ['install', ...quiet, ...programs], { cwd: folder });
  const python = process.platform === 'win32' ? 'python' : 'python3';
  const pip = ['-m', 'pip', 'install', '--quiet', '--root-user-action', 'ignore', '--upgrade'];
  const target = path.join(folder, 'python');
  const packages = [`argon2-cffi==${ARGON2_CFFI}`, `PyJWT[crypto]==${PYJWT}`];
  await run(python, [...pip, '--target', target, ...packages]);
});
