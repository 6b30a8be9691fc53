// Loads an addon that is an example of the crate: native code that a script needs and that must not
// be in the product.

import path from 'node:path';

import { root, run } from './run.mjs';
import { cargoEnv } from './toolchain.mjs';

/** Builds the addon and loads it into this process. Resolves to its exports and its `file`. */
export async function loadExample(name) {
  const env = cargoEnv();
  await run('cargo', ['build', '--release', '--locked', '--quiet', '--example', name], { env });
  const folder = path.join(root, 'target', env.CARGO_BUILD_TARGET, 'release', 'examples');
  const file = path.join(folder, libraryOf(name));
  const module = { exports: {} };
  process.dlopen(module, file);
  return { ...module.exports, file };
}

function libraryOf(name) {
  switch (process.platform) {
    case 'win32':
      return `${name}.dll`;
    case 'darwin':
      return `lib${name}.dylib`;
    default:
      return `lib${name}.so`;
  }
}
