// `npm run release:dry`: everything of a release up to publishing, with the platforms that are in
// npm/. It packs them, installs the tarballs in an empty project and runs it, asks the gate, and
// lets npm stage them without uploading. `npm run releasable` first puts a binary for a release
// there.

import { existsSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';

import { ensureDependencies } from './lib/ensure.mjs';
import { main, root, run } from './lib/run.mjs';

await main(async () => {
  await ensureDependencies();
  // It uses packages, which are there only now.
  const { pack } = await import('./lib/pack.mjs');
  const npm = path.join(root, 'npm');
  const binaries = readdirSync(npm)
    .map((name) => path.join(npm, name, `nodesec.${name}.node`))
    .filter((file) => existsSync(file));
  if (binaries.length === 0) throw new Error('npm/ has no native part: run `npm run releasable`');
  const dist = path.join(root, 'target', 'release-dry');
  rmSync(dist, { recursive: true, force: true });
  await pack(binaries, dist, { release: true });
  const step = (script, ...args) =>
    run(process.execPath, [path.join(root, 'scripts', script), ...args, dist]);
  await step('smoke.mjs');
  await step('gate.mjs', '--partial');
  await step('publish.mjs', '--dry-run');
  console.log(`Nothing was published. The tarballs are in ${path.relative(root, dist)}.`);
});
