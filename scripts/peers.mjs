// `node scripts/peers.mjs`: installs programs that tests compare results with or run, and that
// cannot be dependencies. From npm: Node 22, 24 and 26; Deno; TypeScript 5.4; Jest; two Yarns; the
// bundlers of docs/bundling.md; argon2 0.45; the hashes of Better Auth. From PyPI: argon2-cffi,
// bcrypt, PyJWT, Django, passlib and Werkzeug.
// They go below node_modules, where __test__/helpers/peers.js and scripts/lib/peers.mjs find them.
// The command of libargon2 must come from the system: on Debian it is in the package argon2.

import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { nextPeers, peers } from './lib/peers.mjs';
import { main, run } from './lib/run.mjs';

const { platform, arch } = process;
const isWindows = platform === 'win32';
const processor = arch === 'arm64' ? 'aarch64' : arch;
const nodePackage = `node-${isWindows ? 'win' : platform}-${arch}`;
const PROGRAMS = {
  node22: `npm:${nodePackage}@22.22.2`,
  node24: `npm:${nodePackage}@24.21.0`,
  node26: `npm:${nodePackage}@26.10.0`,
  [`@deno/${platform}-${arch}${platform === 'linux' ? '-glibc' : ''}`]: '2.9.6',
  [`@oven/bun-${isWindows ? 'windows' : platform}-${processor}`]: '1.4.5',
  '@better-auth/utils': '0.5.1',
  '@vercel/ncc': '0.45.0',
  '@vercel/nft': '1.11.5',
  '@yarnpkg/cli-dist': '4.18.1',
  'argon2-045': 'npm:argon2@0.45.1',
  esbuild: '0.28.2',
  jest: '30.5.2',
  'node-loader': '2.1.0',
  typescript: '5.4.5',
  webpack: '5.113.0',
  'webpack-cli': '7.3.1',
  yarn: '1.22.22',
};
const NEXT = { next: '16.4.6', react: '19.3.1', 'react-dom': '19.3.1' };
const PYTHON = [
  'argon2-cffi==25.1.0',
  // The last one that passlib can use.
  'bcrypt==4.0.1',
  'Django==5.2.19',
  'passlib==1.7.4',
  'PyJWT[crypto]==2.10.1',
  'Werkzeug==3.1.9',
];

await main(async () => {
  await install(peers, PROGRAMS);
  await install(nextPeers, NEXT);
  const python = isWindows ? 'python' : 'python3';
  const pip = ['-m', 'pip', 'install', '--quiet', '--root-user-action', 'ignore', '--upgrade'];
  const target = path.join(peers, 'python');
  await run(python, [...pip, '--target', target, ...PYTHON]);
});

async function install(folder, packages) {
  mkdirSync(folder, { recursive: true });
  // With a package.json of its own, npm installs into this folder and not into the checkout.
  writeFileSync(path.join(folder, 'package.json'), '{ "private": true }\n');
  const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel', 'error'];
  const wanted = Object.entries(packages).map(([name, version]) => `${name}@${version}`);
  await run('npm', ['install', ...quiet, ...wanted], { cwd: folder });
}
