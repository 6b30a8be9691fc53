// Builds the examples of the crate: native code that a script or a test needs and that must not be
// in the product.

import { existsSync } from 'node:fs';
import path from 'node:path';

import { isAsNew } from './ensure.mjs';
import { root, run } from './run.mjs';
import { cargoEnv } from './toolchain.mjs';

/** The examples, by name: the sources, and the function that names the file. */
const EXAMPLES = {
  primitives: { sources: 'benches/native', fileOf: libraryOf },
  prove: { sources: 'scripts/prove/native', fileOf: libraryOf },
  refuse: { sources: '__test__/helpers/refuse.rs', fileOf: programOf },
};

/** Builds the addon and loads it into this process. Resolves to its exports and its `file`. */
export async function loadExample(name) {
  const file = await buildExample(name);
  const module = { exports: {} };
  process.dlopen(module, file);
  return { ...module.exports, file };
}

/**
 * Builds an example, unless it is as new as its sources: `cargo test` builds all of them. Resolves
 * to the path of the file.
 *
 * cargo would compile the crate anew if another build has been made meanwhile with other features,
 * as by the test of guards.
 */
export async function buildExample(name) {
  const env = cargoEnv();
  const { sources, fileOf } = EXAMPLES[name];
  const folder = path.join(root, 'target', env.CARGO_BUILD_TARGET, 'release', 'examples');
  const file = path.join(folder, fileOf(name));
  if (!existsSync(file) || !isAsNew(file, [sources])) {
    await run('cargo', ['build', '--release', '--locked', '--quiet', '--example', name], { env });
  }
  return file;
}

function programOf(name) {
  return process.platform === 'win32' ? `${name}.exe` : name;
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
