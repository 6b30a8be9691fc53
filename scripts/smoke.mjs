// `node scripts/smoke.mjs [folder]`: installs the tarballs of dist/, or of a folder, in an empty
// project, as npm does for this platform: no scripts, no network. Then it runs a program that uses
// every capability. The workflow runs it on each platform, with the tarballs that are published.

import { copyFileSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { main, root, run } from './lib/run.mjs';

await main(async () => {
  const source = path.resolve(process.argv[2] ?? path.join(root, 'dist'));
  const names = readdirSync(source).filter((name) => name.endsWith('.tgz'));
  const platform = platformHere();
  const isOurs = (name) => /^nodesec-native-\d/.test(name) || name.includes(`-${platform}-`);
  const here = names.filter(isOurs);
  if (here.length !== 2) {
    throw new Error(`${source} has not one tarball of the root and one of ${platform}: ${names}`);
  }
  const project = mkdtempSync(path.join(os.tmpdir(), 'nodesec-smoke-'));
  try {
    writeFileSync(path.join(project, 'package.json'), '{ "private": true }\n');
    const cache = path.join(project, 'cache');
    const flags = ['--ignore-scripts', '--offline', '--no-audit', '--no-fund', '--silent'];
    // The root of a release names platforms that npm cannot find here. It passes over them.
    const tarballs = here.map((name) => path.join(source, name));
    await run('npm', ['install', ...flags, '--cache', cache, ...tarballs], { cwd: project });
    const program = path.join(import.meta.dirname, 'smoke', 'program.mjs');
    copyFileSync(program, path.join(project, 'program.mjs'));
    await run(process.execPath, ['program.mjs'], { cwd: project });
  } finally {
    rmSync(project, { recursive: true });
  }
});

/** The name of this platform's package, as npm selects it by `os`, `cpu` and `libc`. */
function platformHere() {
  const { platform, arch } = process;
  if (platform === 'darwin') return `${platform}-${arch}`;
  if (platform === 'win32') return `${platform}-${arch}-msvc`;
  const { glibcVersionRuntime } = process.report.getReport().header;
  return `${platform}-${arch}-${glibcVersionRuntime === undefined ? 'musl' : 'gnu'}`;
}
