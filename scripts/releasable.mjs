// `npm run releasable -- [triple…]`: builds native parts as they are released, in place of those in
// npm/. Without a triple it is the one of this machine. For Linux, zig links with glibc 2.17 or
// with musl, on any Linux. macOS and Windows build on their own system. Paths of this machine are
// replaced in the binary, and the time is that of the commit.

import { copyFileSync, readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { ensureDependencies } from './lib/ensure.mjs';
import { installPython } from './lib/locked.mjs';
import { main, root, run } from './lib/run.mjs';
import { hostTriple, requireTools } from './lib/toolchain.mjs';

const GLIBC = '2.17';
const folder = path.join(root, 'target', 'releasable');

await main(async () => {
  requireTools();
  await ensureDependencies();
  const { targets } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')).napi;
  const wanted = process.argv.length > 2 ? process.argv.slice(2) : [hostTriple()];
  const unknown = wanted.filter((triple) => !targets.includes(triple));
  if (unknown.length > 0) throw new Error(`No such target: ${unknown}. There are: ${targets}`);
  for (const triple of wanted) await build(triple);
});

async function build(triple) {
  const isLinux = triple.includes('linux');
  const env = await environment(triple);
  const options = ['--release', '--locked', '--lib', '--target'];
  if (isLinux) {
    const zig = path.join(folder, 'zig');
    await installPython('zig', zig);
    env.PYTHONPATH = zig;
    const named = triple.endsWith('gnu') ? `${triple}.${GLIBC}` : triple;
    await run(path.join(zig, 'bin', 'cargo-zigbuild'), ['zigbuild', ...options, named], { env });
  } else {
    await run('cargo', ['build', ...options, triple], { env });
  }
  // The package is there only now.
  const { parseTriple } = await import('@napi-rs/cli');
  const { platformArchABI: platform } = parseTriple(triple);
  const target = path.join(root, 'npm', platform, `nodesec.${platform}.node`);
  copyFileSync(path.join(folder, triple, 'release', libraryName(triple)), target);
  console.log(path.relative(root, target));
}

function libraryName(triple) {
  if (triple.includes('windows')) return 'nodesec_native.dll';
  return triple.includes('darwin') ? 'libnodesec_native.dylib' : 'libnodesec_native.so';
}

async function environment(triple) {
  // Settings for this machine's own builds must not apply to a release.
  const { CARGO_BUILD_TARGET, CFLAGS = '', RUSTFLAGS, ...inherited } = process.env;
  const home = process.env.CARGO_HOME ?? path.join(os.homedir(), '.cargo');
  const places = [[home, '/cargo'], [root, '/nodesec']];
  const flags = places.map(([from, to]) => `--remap-path-prefix=${from}=${to}`);
  // Alpine's Node is linked with musl as a library.
  if (triple.endsWith('musl')) flags.push('-Ctarget-feature=-crt-static');
  // A Windows without Visual C++ lacks the library of its C runtime.
  if (triple.endsWith('msvc')) flags.push('-Ctarget-feature=+crt-static');
  const maps = places.map(([from, to]) => `-ffile-prefix-map=${from}=${to}`);
  const time = await run('git', ['log', '-1', '--format=%ct'], { quiet: true });
  return {
    ...inherited,
    // Unlike RUSTFLAGS this may have spaces in a path.
    CARGO_ENCODED_RUSTFLAGS: flags.join('\x1f'),
    CARGO_TARGET_DIR: folder,
    // Microsoft's compiler has no such flag.
    ...(triple.endsWith('msvc') ? {} : { CFLAGS: [CFLAGS, ...maps].join(' ').trim() }),
    MACOSX_DEPLOYMENT_TARGET: '11.0',
    SOURCE_DATE_EPOCH: time.trim(),
  };
}
