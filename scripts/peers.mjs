// `node scripts/peers.mjs`: installs programs that tests compare results with or run, and that
// cannot be dependencies. From npm: Node 22, 24 and 26; Deno; Bun; TypeScript 5.4; Jest; Vitest;
// two Yarns; the bundlers of docs/bundling.md; argon2 0.45; the hashes of Better Auth. From PyPI:
// argon2-cffi, bcrypt, PyJWT, Django, passlib, Werkzeug, and those of scripts/locks/checks.in.
// They go below node_modules, where __test__/helpers/peers.js and scripts/lib/peers.mjs find them.
// The command of libargon2 must come from the system: on Debian it is in the package argon2.
//
// Versions and hashes are in scripts/locks. After a change of a table here, or of an .in file
// there, `node scripts/peers.mjs --lock` writes the locks anew; it needs uv.

import path from 'node:path';

import { installNpm, installPython, lockNpm, lockPython } from './lib/locked.mjs';
import { checks, nextPeers, peers } from './lib/peers.mjs';
import { main } from './lib/run.mjs';

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
  '@rollup/plugin-commonjs': '29.0.3',
  '@rollup/plugin-json': '6.1.0',
  '@rollup/plugin-node-resolve': '16.0.3',
  '@vercel/ncc': '0.45.0',
  '@vercel/nft': '1.11.5',
  '@yarnpkg/cli-dist': '4.18.1',
  'argon2-045': 'npm:argon2@0.45.1',
  esbuild: '0.28.2',
  jest: '30.5.2',
  'node-loader': '2.1.0',
  rollup: '4.68.8',
  typescript: '5.4.5',
  // Vitest would take 8.4, one of whose packages is not on the registry.
  vite: '8.3.8',
  vitest: '5.1.2',
  webpack: '5.113.0',
  'webpack-cli': '7.3.1',
  yarn: '1.22.22',
};
const NEXT = { next: '16.4.6', react: '19.3.1', 'react-dom': '19.3.1' };
const PYTHON_LOCKS = ['checks', 'musl', 'peers', 'zig'];

await main(async () => {
  if (process.argv.includes('--lock')) {
    for (const name of PYTHON_LOCKS) await lockPython(name);
    await lockNpm('peers', peers, PROGRAMS);
    await lockNpm('next', nextPeers, NEXT);
    return;
  }
  await installNpm('peers', peers, PROGRAMS);
  await installNpm('next', nextPeers, NEXT);
  await installPython('peers', path.join(peers, 'python'));
  await installPython('checks', checks);
});
