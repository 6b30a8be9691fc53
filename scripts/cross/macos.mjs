// macOS: checks the types and compiles the C parts. Nothing runs, because there is no macOS here.

import { cargo, zig } from './tools.mjs';

export default {
  triple: 'aarch64-apple-darwin',
  packages: [],

  async show(triple) {
    const { cc, ar, env } = await zig('aarch64-macos');
    const suffix = triple.replaceAll('-', '_');
    await cargo(['check'], triple, { ...env, [`CC_${suffix}`]: cc, [`AR_${suffix}`]: ar });
    return ['type-checked; not linked, not run'];
  },
};
