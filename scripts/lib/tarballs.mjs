// Finds the tarballs that a machine can install. It uses no package, because the workflow runs it
// on machines without the development dependencies.

import { readdirSync } from 'node:fs';
import path from 'node:path';

import { UsageError } from './usage.mjs';

/**
 * The tarballs of the root and of this platform in a folder, as paths, and the platform's name.
 */
export function tarballsHere(folder) {
  const name = platformHere();
  const find = (pattern) => {
    const [found, ...more] = readdirSync(folder).filter((file) => pattern.test(file));
    if (found === undefined || more.length > 0) {
      throw new UsageError(`${folder} must have one tarball for ${pattern}: run \`npm run pack:all\``);
    }
    return path.join(folder, found);
  };
  return {
    name,
    root: find(/^nodesec-native-\d.*\.tgz$/),
    platform: find(new RegExp(`^nodesec-native-${name}-\\d.*\\.tgz$`)),
  };
}

/** The name of this platform's package, as npm selects it by `os`, `cpu` and `libc`. */
function platformHere() {
  const { platform, arch } = process;
  if (platform === 'darwin') return `${platform}-${arch}`;
  if (platform === 'win32') return `${platform}-${arch}-msvc`;
  const { glibcVersionRuntime } = process.report.getReport().header;
  return `${platform}-${arch}-${glibcVersionRuntime === undefined ? 'musl' : 'gnu'}`;
}
