// `node scripts/smoke.mjs [folder]`: installs the tarballs of dist/, or of a folder, in an empty
// project, as npm does for this platform: no scripts, no network. Then it runs a program that uses
// every capability. The workflow runs it on each platform, with the tarballs that are published.

import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { main, root, run } from './lib/run.mjs';
import { tarballsHere } from './lib/tarballs.mjs';
import { commandLine, folderOf } from './lib/usage.mjs';

await main(async () => {
  const { positionals } = commandLine({ allowPositionals: true });
  const source = folderOf(positionals, path.join(root, 'dist'));
  const tarballs = tarballsHere(source);
  const project = mkdtempSync(path.join(os.tmpdir(), 'nodesec-smoke-'));
  try {
    writeFileSync(path.join(project, 'package.json'), '{ "private": true }\n');
    const cache = path.join(project, 'cache');
    const flags = ['--ignore-scripts', '--offline', '--no-audit', '--no-fund', '--silent'];
    // The root of a release names platforms that npm cannot find here. It skips them.
    const args = ['install', ...flags, '--cache', cache, tarballs.root, tarballs.platform];
    await run('npm', args, { cwd: project });
    const program = path.join(import.meta.dirname, 'smoke', 'program.mjs');
    copyFileSync(program, path.join(project, 'program.mjs'));
    await run(process.execPath, ['program.mjs'], { cwd: project });
  } finally {
    rmSync(project, { recursive: true });
  }
});
