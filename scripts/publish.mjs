// `node scripts/publish.mjs [folder]`: stages the tarballs of dist/, or of a folder, on the npm
// registry: the platforms first, the root last. A maintainer approves each with a second factor.
// The workflow runs it; docs/releasing.md has the rest. With --dry-run nothing is uploaded.

import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';

import { fetchPackage } from './lib/locked.mjs';
import { CommandError, main, root, run } from './lib/run.mjs';
import { sumFaults } from './lib/sums.mjs';
import { UsageError, commandLine, folderOf } from './lib/usage.mjs';

await main(async () => {
  const { values, positionals } = commandLine({
    options: { 'dry-run': { type: 'boolean', default: false } },
    allowPositionals: true,
  });
  const folder = folderOf(positionals, path.join(root, 'dist'));
  const faults = sumFaults(folder);
  if (faults.length > 0) throw new UsageError(faults.join('\n'));
  // npm of a fixed version and hash: it gets the right to publish.
  const unpacked = await fetchPackage('npm@11.21.2', path.join(root, 'target', 'npm'));
  const npm = (args, options) =>
    run(process.execPath, [path.join(unpacked, 'bin', 'npm-cli.js'), ...args], options);
  for (const tarball of inOrder(folder)) {
    if (!values['dry-run'] && (await isPublished(tarball, npm))) {
      console.log(`${path.basename(tarball)} is published already`);
      continue;
    }
    // Provenance is signed in the workflow only, and staging fails there without it.
    const mode = values['dry-run'] ? '--dry-run' : '--provenance';
    await npm(['stage', 'publish', tarball, '--access', 'public', '--ignore-scripts', mode]);
  }
});

/** The tarballs, the root's last: until then nobody gets a root whose platforms are missing. */
function inOrder(folder) {
  const names = readdirSync(folder).filter((name) => name.endsWith('.tgz')).sort();
  const foreign = names.filter((name) => !/^nodesec-native-(?:[a-z]\S*-)?\d\S*\.tgz$/.test(name));
  if (foreign.length > 0) throw new UsageError(`${foreign.join(', ')} is no package of this one`);
  const isRoot = (name) => /^nodesec-native-\d/.test(name);
  const ordered = [...names.filter((name) => !isRoot(name)), ...names.filter(isRoot)];
  return ordered.map((name) => path.join(folder, name));
}

/** Whether this very file is published. Another file of the same version ends the release. */
async function isPublished(tarball, npm) {
  const [, platform = '', version] = /^nodesec-native(-[a-z]\S*?)?-(\d\S*)\.tgz$/.exec(path.basename(tarball));
  const spec = `@nodesec/native${platform}@${version}`;
  let published;
  try {
    published = (await npm(['view', spec, 'dist.integrity'], { quiet: true })).trim();
  } catch (error) {
    // A version that does not exist. If the registry does not answer, staging fails as well.
    if (error instanceof CommandError) return false;
    throw error;
  }
  if (published === '') return false;
  const own = `sha512-${createHash('sha512').update(readFileSync(tarball)).digest('base64')}`;
  if (published !== own) throw new Error(`${spec} is published with other contents: release a new version`);
  return true;
}
