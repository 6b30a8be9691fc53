// npm run pack:all: makes the two tarballs that this machine can make, in dist/ or in the folder
// given as an argument.

import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';

import { builtBinary, ensureBuilt, ensureDependencies } from './lib/ensure.mjs';
import { packBoth } from './lib/pack.mjs';
import { main, root } from './lib/run.mjs';

await main(async () => {
  await ensureDependencies();
  await ensureBuilt();
  const binary = builtBinary();
  const destination = path.resolve(process.argv[2] ?? path.join(root, 'dist'));
  for (const tarball of await packBoth(binary, destination)) {
    console.log(`${path.relative('.', tarball)}  ${Math.ceil(statSync(tarball).size / 1024)} KiB`);
  }
  const glibc = newestGlibc(binary);
  if (glibc) {
    console.log(`The native part was linked on this machine: it needs glibc ${glibc} or newer.`);
  }
});

/**
 * The newest version of glibc that a file needs, by its symbols; undefined for other C libraries.
 */
function newestGlibc(file) {
  const minors = [...readFileSync(file, 'latin1').matchAll(/GLIBC_2\.(\d+)/g)].map(([, minor]) =>
    Number(minor),
  );
  return minors.length > 0 ? `2.${Math.max(...minors)}` : undefined;
}
