// Alpine and other systems with musl: links the native part, and checks which libraries it needs.
// Nothing runs: the available builds of Node for musl crash in Debian's loader.

import { execFileSync } from 'node:child_process';
import path from 'node:path';

import { cargo, workshop, zig } from './tools.mjs';

export default {
  triple: 'x86_64-unknown-linux-musl',
  packages: ['binutils'],

  async show(triple) {
    const { cc, ar, env } = await zig('x86_64-linux-musl');
    const suffix = triple.replaceAll('-', '_');
    await cargo(['build'], triple, {
      ...env,
      RUSTFLAGS: '-C target-feature=-crt-static',
      [`CC_${suffix}`]: cc,
      [`AR_${suffix}`]: ar,
      [`CARGO_TARGET_${suffix.toUpperCase()}_LINKER`]: cc,
    });
    const library = path.join(workshop, triple, 'release', 'libnodesec_native.so');
    const headers = execFileSync('objdump', ['--private-headers', library], { encoding: 'utf8' });
    const needed = [...headers.matchAll(/NEEDED\s+(\S+)/g)].map(([, name]) => name);
    if (needed.join() !== 'libc.so') throw new Error(`It needs more than libc.so: ${needed}`);
    return ['linked, needs libc.so only; not run'];
  },
};
