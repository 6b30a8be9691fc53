// `npm run gate -- [folder]`: checks the tarballs of dist/, or of a folder, before they are
// published. The rules are in scripts/gate. Each fault is a line, and any fault ends it with status
// 1. `--release` asks for the tarballs of a release, of the root and every platform; `--partial`
// for those of a release without some platforms; `--tag v1.2.3` for this version everywhere.

import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { binaryFaults } from './gate/binary.mjs';
import { ensureDependencies } from './lib/ensure.mjs';
import { main, root } from './lib/run.mjs';
import { sumFaults } from './lib/sums.mjs';
import { commandLine, folderOf } from './lib/usage.mjs';

await main(async () => {
  const { values, positionals } = commandLine({
    options: {
      partial: { type: 'boolean', default: false },
      release: { type: 'boolean', default: false },
      tag: { type: 'string' },
    },
    allowPositionals: true,
  });
  const folder = folderOf(positionals, path.join(root, 'dist'));
  await ensureDependencies();
  // It imports packages, which are installed only now.
  const { openPackages, packageFaults, versionFaults } = await import('./gate/packages.mjs');
  const { contentFaults } = await import('./gate/contents.mjs');
  const opened = mkdtempSync(path.join(os.tmpdir(), 'nodesec-gate-'));
  try {
    const packages = await openPackages(folder, opened);
    const faults = [
      ...sumFaults(folder),
      ...packageFaults(packages, values),
      ...(await contentFaults(packages, path.join(opened, 'wanted'), values)),
      ...versionFaults(values.tag),
      ...(await binaryFaults(packages.filter(({ file }) => file !== undefined))),
    ];
    for (const fault of faults) console.error(fault);
    if (faults.length > 0) process.exitCode = 1;
    else console.log(`Gate: ${packages.length} packages may be published.`);
  } finally {
    rmSync(opened, { recursive: true });
  }
});
