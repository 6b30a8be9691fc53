// `npm run release:dry`: everything of a release up to publishing. It builds the native part of
// this machine as a release does, in place of the one in npm/, and packs it with those of other
// platforms that are there. Then it installs the tarballs in an empty project and runs it, asks the
// gate, and lets npm stage them without uploading.

import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';

import { ensureDependencies } from './lib/ensure.mjs';
import { main, root, run } from './lib/run.mjs';
import { noArguments } from './lib/usage.mjs';

await main(async () => {
  noArguments();
  const started = Date.now();
  await ensureDependencies();
  // It imports packages, which are installed only now.
  const { pack } = await import('./lib/pack.mjs');
  const script = (name, ...args) =>
    run(process.execPath, [path.join(root, 'scripts', name), ...args]);
  await script('releasable.mjs');
  const npm = path.join(root, 'npm');
  const binaries = readdirSync(npm)
    .map((name) => path.join(npm, name, `nodesec.${name}.node`))
    .filter((file) => existsSync(file));
  const dist = path.join(root, 'target', 'release-dry');
  rmSync(dist, { recursive: true, force: true });
  for (const tarball of await pack(binaries, dist, { release: true })) {
    console.log(`${path.basename(tarball)}  ${Math.ceil(statSync(tarball).size / 1024)} KiB`);
  }
  await script('smoke.mjs', dist);
  await script('gate.mjs', '--partial', dist);
  await script('publish.mjs', '--dry-run', dist);
  console.log(`Nothing was published. The tarballs are in ${path.relative(root, dist)}.`);
  console.log(`${Math.round((Date.now() - started) / 1000)} s`);
});
