// `node scripts/suites.mjs [folder]`: runs one suite per capability on the native part of the
// tarball in dist/, or in a folder, that is for this platform. The workflow runs it on each
// platform. The native part replaces the one in npm/.

import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { main, root, run } from './lib/run.mjs';
import { tarballsHere } from './lib/tarballs.mjs';
import { CAPABILITIES } from './lib/tree.mjs';
import { commandLine, folderOf } from './lib/usage.mjs';

await main(async () => {
  const { positionals } = commandLine({ allowPositionals: true });
  const { name, platform } = tarballsHere(folderOf(positionals, path.join(root, 'dist')));
  const folder = mkdtempSync(path.join(os.tmpdir(), 'nodesec-suites-'));
  try {
    // GNU tar takes C: for the name of a machine, so the path is not an argument.
    copyFileSync(platform, path.join(folder, 'packed.tgz'));
    await run('tar', ['-xzf', 'packed.tgz'], { cwd: folder });
    const binary = `nodesec.${name}.node`;
    copyFileSync(path.join(folder, 'package', binary), path.join(root, 'npm', name, binary));
  } finally {
    rmSync(folder, { recursive: true });
  }
  const files = CAPABILITIES.map((suite) => path.join('__test__', `${suite}.test.js`));
  await run(process.execPath, ['--test', ...files]);
});
