// Makes the packages that a service installs: the root package, which has no native part, and the
// platform package, which holds the native part for one platform. Each has its bill of materials;
// SHA256SUMS beside them has their hashes.

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { root, run } from './run.mjs';
import { SBOM, platformSbom, rootSbom } from './sbom.mjs';
import { writeSums } from './sums.mjs';
import { platformOf } from './toolchain.mjs';

/**
 * Packs the root package and the platform packages of `binaries`. Resolves with the paths of the
 * tarballs, the root's first.
 */
export async function pack(binaries, destination, { release = false } = {}) {
  const staging = fs.mkdtempSync(path.join(os.tmpdir(), 'nodesec-pack-'));
  try {
    const platforms = binaries.map((binary) => path.basename(path.dirname(binary)));
    const folders = ['root', ...platforms].map((name) => path.join(staging, name));
    stageRoot(folders[0], packedManifest(platforms, { release }));
    for (const [index, platform] of platforms.entries()) {
      await stagePlatform(folders[index + 1], platform, binaries[index]);
    }
    fs.mkdirSync(destination, { recursive: true });
    const args = ['pack', ...folders, '--pack-destination', destination, '--ignore-scripts'];
    const written = await run('npm', [...args, '--silent'], { quiet: true });
    const names = written.trim().split(/\s+/);
    writeSums(destination, names);
    return names.map((name) => path.join(destination, name));
  } finally {
    fs.rmSync(staging, { recursive: true });
  }
}

/**
 * The manifest of the root's tarball. Only the tarball refers to platform packages, because a
 * checkout builds its own native part. It names those that are packed together with it.
 *
 * A release depends on them. Tarballs to try out name them as optional peers, which the project
 * brings itself: Yarn looks up every optional dependency on the registry, even if the project has
 * it as a file. There it would find no package, or somebody else's.
 */
export function packedManifest(platforms, { release }) {
  const { devDependencies, napi, scripts, ...manifest } = readManifest(root);
  const packages = platforms.map((platform) => readManifest(path.join(root, 'npm', platform)));
  const versions = Object.fromEntries(packages.map(({ name, version }) => [name, version]));
  if (release) return { ...manifest, optionalDependencies: versions };
  const optional = packages.map(({ name }) => [name, { optional: true }]);
  return {
    ...manifest,
    peerDependencies: { ...manifest.peerDependencies, ...versions },
    peerDependenciesMeta: { ...manifest.peerDependenciesMeta, ...Object.fromEntries(optional) },
  };
}

/** Writes the files of the root's tarball into a folder. */
export function stageRoot(folder, manifest) {
  copy(root, folder, [...manifest.files, 'README.md', 'LICENSE']);
  fs.writeFileSync(path.join(folder, SBOM), rootSbom(manifest));
  writeManifest(folder, manifest);
  const web = manifest.repository.url.replace(/^git\+(.*)\.git$/, '$1');
  for (const name of fs.readdirSync(folder, { recursive: true })) {
    if (!name.endsWith('.md')) continue;
    const file = path.join(folder, name);
    fs.writeFileSync(file, withWebLinks(fs.readFileSync(file, 'utf8'), name, folder, web));
  }
}

/** The text of a page, with links to files that are not packed leading to the repository. */
function withWebLinks(text, page, folder, web) {
  return text.replaceAll(/\]\(([^)#\s]+)/g, (link, target) => {
    const linked = path.join(path.dirname(page), target);
    const source = path.join(root, linked);
    if (fs.existsSync(path.join(folder, linked)) || !fs.existsSync(source)) return link;
    const kind = fs.statSync(source).isDirectory() ? 'tree' : 'blob';
    return `](${web}/${kind}/HEAD/${linked.replaceAll(path.sep, '/')}`;
  });
}

/** Writes the files of a platform's tarball into a folder, with a native part from anywhere. */
export async function stagePlatform(folder, platform, binary) {
  const source = path.join(root, 'npm', platform);
  const manifest = readManifest(source);
  const { targets } = readManifest(root).napi;
  const triple = targets.find((target) => platformOf(target) === platform);
  copy(path.dirname(binary), folder, [path.basename(binary)]);
  copy(source, folder, ['README.md']);
  copy(root, folder, ['LICENSE']);
  fs.writeFileSync(path.join(folder, SBOM), await platformSbom(manifest, binary, triple));
  writeManifest(folder, manifest);
}

/** Writes a manifest that packs the bill of materials, too. A checkout has none. */
function writeManifest(folder, manifest) {
  const packed = { ...manifest, files: [...manifest.files, SBOM] };
  fs.writeFileSync(path.join(folder, 'package.json'), `${JSON.stringify(packed, null, 2)}\n`);
}

/** Copies files and folders. Missing ones are skipped, as npm does with `files`. */
function copy(source, folder, names) {
  for (const name of names.filter((name) => fs.existsSync(path.join(source, name)))) {
    fs.cpSync(path.join(source, name), path.join(folder, name), { recursive: true });
  }
}

function readManifest(folder) {
  return JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'));
}
