// An old Linux: runs the native part of a release, which needs glibc 2.17, in a root of Debian 11,
// which has glibc 2.31.

import { execFileSync } from 'node:child_process';
import path from 'node:path';

import { peers } from '../lib/peers.mjs';
import { buildRelease } from '../lib/release-build.mjs';
import { CAPABILITIES, layOut } from '../lib/tree.mjs';
import { debianRoot, entrance } from './debian.mjs';
import { runSuites } from './suites.mjs';
import { gated, workshop } from './tools.mjs';

export default {
  triple: 'x86_64-unknown-linux-gnu',
  packages: ['mmdebstrap'],

  async show(triple) {
    const library = await gated(triple, await buildRelease(triple));
    const folder = await debianRoot('bullseye', 'amd64', ['libstdc++6', 'libatomic1'], { runs: true });
    const enter = entrance(folder);
    const libc = execFileSync(enter, ['ldd', '--version'], { encoding: 'utf8' });
    const [, version] = /GLIBC (2\.\d+)/.exec(libc);
    const tree = path.join(workshop, 'debian11');
    layOut(tree, 'linux-x64-gnu', library);
    const lines = [];
    for (const name of ['node22', 'node24']) {
      const node = path.join(peers, 'node_modules', name, 'bin', 'node');
      const passed = await runSuites(CAPABILITIES, [enter, node], { cwd: tree });
      lines.push(`${passed} tests passed in Debian 11, glibc ${version}, with ${name}`);
    }
    return lines;
  },
};
