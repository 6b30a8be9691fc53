// npm run pack:all: packs the root and the platform package of this machine, in dist/ or in the
// folder given as an argument. With --release it packs the platform package of every target, which
// other machines have built, into a release.

import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';

import { builtBinary, ensureBuilt, ensureDependencies } from './lib/ensure.mjs';
import { main, root } from './lib/run.mjs';
import { commandLine } from './lib/usage.mjs';

await main(async () => {
  const { values, positionals } = commandLine({
    options: { release: { type: 'boolean', default: false } },
    allowPositionals: true,
  });
  await ensureDependencies();
  // It imports packages, which are installed only now.
  const { pack } = await import('./lib/pack.mjs');
  await ensureBuilt();
  const binaries = values.release ? everyBinary() : [builtBinary()];
  const destination = path.resolve(positionals[0] ?? path.join(root, 'dist'));
  for (const tarball of await pack(binaries, destination, values)) {
    console.log(`${path.relative('.', tarball)}  ${Math.ceil(statSync(tarball).size / 1024)} KiB`);
  }
  const glibc = newestGlibc(builtBinary());
  if (glibc) {
    console.log(`The native part was linked on this machine: it needs glibc ${glibc} or newer.`);
  }
});

/** The native part of every target. */
function everyBinary() {
  const folder = path.join(root, 'npm');
  const binaries = readdirSync(folder).map((name) =>
    path.join(folder, name, `nodesec.${name}.node`),
  );
  const missing = binaries.filter((file) => !existsSync(file)).map((file) => path.dirname(file));
  if (missing.length > 0) {
    const names = missing.map((file) => path.basename(file)).join(', ');
    throw new Error(`there is no native part for ${names}: a release has every target`);
  }
  return binaries;
}

/**
 * The newest version of glibc that a file needs, by its symbols; undefined for other C libraries.
 */
function newestGlibc(file) {
  const minors = [...readFileSync(file, 'latin1').matchAll(/GLIBC_2\.(\d+)/g)].map(([, minor]) =>
    Number(minor),
  );
  return minors.length > 0 ? `2.${Math.max(...minors)}` : undefined;
}
