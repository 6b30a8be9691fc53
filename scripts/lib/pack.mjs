// Makes the packages that a service installs: the root package, which has no native part, and the
// platform package, which holds the native part for one platform.

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { root, run } from './run.mjs';

/** Packs the root and the platform package of `binary`; resolves with their tarballs' paths. */
export async function packBoth(binary, destination) {
  const staging = fs.mkdtempSync(path.join(os.tmpdir(), 'nodesec-pack-'));
  try {
    const folders = [path.join(staging, 'root'), path.join(staging, 'platform')];
    stageRoot(folders[0]);
    stagePlatform(folders[1], binary);
    fs.mkdirSync(destination, { recursive: true });
    const args = ['pack', ...folders, '--pack-destination', destination, '--ignore-scripts'];
    const written = await run('npm', [...args, '--silent'], { quiet: true });
    return written.trim().split(/\s+/).map((name) => path.join(destination, name));
  } finally {
    fs.rmSync(staging, { recursive: true });
  }
}

function stageRoot(folder) {
  const { devDependencies, napi, scripts, ...manifest } = readManifest(root);
  copy(root, folder, [...manifest.files, 'README.md', 'LICENSE']);
  // Only the tarball depends on the platform packages: a checkout builds its own native part, and
  // the platform packages might not be published.
  manifest.optionalDependencies = platformVersions();
  fs.writeFileSync(path.join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
}

function stagePlatform(folder, binary) {
  copy(path.dirname(binary), folder, [path.basename(binary), 'package.json', 'README.md']);
  copy(root, folder, ['LICENSE']);
}

/** Copies files and folders. Missing ones are skipped, as npm does with `files`. */
function copy(source, folder, names) {
  for (const name of names.filter((name) => fs.existsSync(path.join(source, name)))) {
    fs.cpSync(path.join(source, name), path.join(folder, name), { recursive: true });
  }
}

function platformVersions() {
  const folders = fs.readdirSync(path.join(root, 'npm')).sort();
  const manifests = folders.map((name) => readManifest(path.join(root, 'npm', name)));
  return Object.fromEntries(manifests.map(({ name, version }) => [name, version]));
}

function readManifest(folder) {
  return JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'));
}
