// `node scripts/peers.mjs`: installs programs that tests run or compare results with and that
// cannot be dependencies: for this platform Node 24, for its argon2, and Deno (from npm), and
// argon2-cffi and PyJWT (from PyPI). They go below node_modules, where __test__/helpers/peers.js
// finds them. The command of libargon2 must come from the system: on Debian it is in the package
// argon2.

import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { main, root, run } from './lib/run.mjs';

const NODE = '24.21.0';
const DENO = '2.9.6';
const ARGON2_CFFI = '25.1.0';
const PYJWT = '2.10.1';

const folder = path.join(root, 'node_modules', '.cache', 'nodesec-peers');

await main(async () => {
  mkdirSync(folder, { recursive: true });
  // With a package.json of its own, npm installs into this folder and not into the checkout.
  writeFileSync(path.join(folder, 'package.json'), '{ "private": true }\n');
  const platform = process.platform === 'win32' ? 'win' : process.platform;
  const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel', 'error'];
  const libc = process.platform === 'linux' ? '-glibc' : '';
  const programs = [
    `node-${platform}-${process.arch}@${NODE}`,
    `@deno/${process.platform}-${process.arch}${libc}@${DENO}`,
  ];
  await run('npm', ['install', ...quiet, ...programs], { cwd: folder });
  const python = process.platform === 'win32' ? 'python' : 'python3';
  const pip = ['-m', 'pip', 'install', '--quiet', '--root-user-action', 'ignore', '--upgrade'];
  const target = path.join(folder, 'python');
  const packages = [`argon2-cffi==${ARGON2_CFFI}`, `PyJWT[crypto]==${PYJWT}`];
  await run(python, [...pip, '--target', target, ...packages]);
});
