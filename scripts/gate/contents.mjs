// The rule for the contents of tarballs: they are those that this checkout packs around the same
// native parts. So a script, a bill or a page that somebody has changed is noticed.

import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';

import { packedManifest, stagePlatform, stageRoot } from '../lib/pack.mjs';
import { SBOM } from '../lib/sbom.mjs';

/**
 * Resolves to the differences between packages, of openPackages, and those that the checkout packs.
 * `target` is an empty folder.
 */
export async function contentFaults(packages, target, { release = false, partial = false }) {
  const known = packages.filter(({ file }) => file !== undefined);
  const manifest = packedManifest(known.map(({ platform }) => platform), { release: release || partial });
  const faults = [];
  for (const each of packages) {
    if (each.platform !== undefined && each.file === undefined) continue;
    const wanted = path.join(target, each.tarball);
    if (each.platform === undefined) stageRoot(wanted, manifest);
    else await stagePlatform(wanted, each.platform, each.file);
    const found = differences(each.folder, wanted);
    faults.push(...found.map((fault) => `${each.manifest.name}: ${fault}`));
  }
  return faults;
}

function differences(folder, wanted) {
  const [found, expected] = [folder, wanted].map(filesBelow);
  return [
    ...found.filter((name) => !expected.includes(name)).map((name) => `it has ${name}, which is not packed here`),
    ...expected
      .filter((name) => !found.includes(name) || contents(folder, name) !== contents(wanted, name))
      .map((name) => `${name} is missing or differs from what this checkout packs`),
  ];
}

/** The text of a file to compare. A bill has the time of its commit. */
function contents(folder, name) {
  const text = readFileSync(path.join(folder, name), 'latin1');
  return name === SBOM ? text.replace(/^ *"timestamp": ".*",?\n/m, '') : text;
}

function filesBelow(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)));
}
