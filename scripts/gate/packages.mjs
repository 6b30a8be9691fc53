// The rules for tarballs: their files, manifests, versions and bills of materials.

import { existsSync, mkdirSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';

import { packedManifest } from '../lib/pack.mjs';
import { root } from '../lib/run.mjs';
import { SBOM } from '../lib/sbom.mjs';
import { sha256 } from '../lib/sums.mjs';
import { unpack } from './tarball.mjs';

const ROOT = '@nodesec/native';
const PLATFORMS = readdirSync(path.join(root, 'npm')).sort();

/**
 * Unpacks every tarball of a folder. Resolves to `{ tarball, folder, manifest, files, platform,
 * file, linked }`, of which the last are the crates that the bill names as linked; of the root the
 * last three are undefined.
 */
export async function openPackages(source, target) {
  const tarballs = readdirSync(source).filter((name) => name.endsWith('.tgz'));
  const packages = [];
  for (const tarball of tarballs.sort()) {
    const folder = path.join(target, tarball, 'package');
    mkdirSync(path.dirname(folder));
    await unpack(path.join(source, tarball), path.dirname(folder));
    const manifest = readJson(path.join(folder, 'package.json'));
    const files = filesBelow(folder);
    const platform = manifest.name === ROOT ? undefined : `${manifest.name}`.slice(ROOT.length + 1);
    const binary = files.find((name) => name.endsWith('.node'));
    const file = platform && binary && path.join(folder, binary);
    const linked = file && linkedCrates(path.join(folder, SBOM));
    packages.push({ tarball, folder, manifest, files, platform, file, linked });
  }
  return packages;
}

/** The crates that a bill names as linked. A package without a bill breaks a rule of its own. */
function linkedCrates(bill) {
  if (!existsSync(bill)) return undefined;
  const { components = [] } = readJson(bill);
  return components
    .filter(({ purl, scope }) => purl?.startsWith('pkg:cargo/') && scope === 'required')
    .map(({ name, version }) => `${name} ${version}`);
}

/**
 * The rules that packages break. A release has the root and every platform, a partial one the root
 * and some.
 */
export function packageFaults(packages, { release = false, partial = false }) {
  const platforms = packages.map(({ platform }) => platform).filter(Boolean).sort();
  const roots = packages.filter(({ platform }) => platform === undefined);
  const faults = [];
  if (roots.length !== 1) faults.push(`there are ${roots.length} tarballs of ${ROOT}, not one`);
  if (platforms.length === 0) faults.push('there is no tarball of a platform');
  if (release && platforms.join() !== PLATFORMS.join()) {
    faults.push(`a release has ${PLATFORMS.join(', ')}; here are ${platforms.join(', ')}`);
  }
  for (const each of packages) {
    const own = each.platform === undefined ? rootFaults(each, platforms, release || partial) : platformFaults(each);
    const all = [...nameFaults(each), ...own, ...sbomFaults(each)];
    faults.push(...all.map((fault) => `${each.manifest.name}: ${fault}`));
  }
  return faults;
}

/** The name of the file decides the order in which tarballs are published. */
function nameFaults({ tarball, manifest }) {
  const expected = `${`${manifest.name}`.replace('@', '').replace('/', '-')}-${manifest.version}.tgz`;
  return tarball === expected ? [] : [`its file is ${tarball}, not ${expected}`];
}

function rootFaults({ manifest, files }, platforms, release) {
  const known = platforms.filter((platform) => PLATFORMS.includes(platform));
  const wanted = packedManifest(known, { release });
  const binaries = files.filter((name) => name.endsWith('.node'));
  const needed = ['index.js', 'index.d.ts', 'LICENSE', 'README.md', 'SECURITY.md'];
  return [
    ...manifestFaults(manifest, wanted),
    ...needed.filter((name) => !files.includes(name)).map((name) => `it lacks ${name}`),
    ...binaries.map((name) => `it has the native part ${name}`),
  ];
}

function platformFaults({ manifest, files, platform }) {
  if (!PLATFORMS.includes(platform)) return ['there is no such platform'];
  const binary = `nodesec.${platform}.node`;
  const expected = ['LICENSE', 'README.md', binary, 'package.json', SBOM];
  const found = [...files].sort().join(', ');
  return [
    ...manifestFaults(manifest, readJson(path.join(root, 'npm', platform, 'package.json'))),
    found !== expected.sort().join(', ') && `it has ${found}; it should have ${expected.join(', ')}`,
  ].filter(Boolean);
}

/** Members that differ from the checkout's manifest, apart from the bill among the files. */
function manifestFaults(manifest, wanted) {
  const expected = { ...wanted, files: [...wanted.files, SBOM] };
  return [...new Set([...Object.keys(manifest), ...Object.keys(expected)])]
    .filter((key) => !isDeepStrictEqual(manifest[key], expected[key]))
    .map((key) => `package.json: "${key}" is not that of the checkout`);
}

function sbomFaults({ manifest, files, folder, file }) {
  if (!files.includes(SBOM)) return [`it lacks ${SBOM}`];
  const { bomFormat, metadata, components = [] } = readJson(path.join(folder, SBOM));
  const [scope, name] = manifest.name.split('/');
  const purl = `pkg:npm/${encodeURIComponent(scope)}/${name}@${manifest.version}`;
  const faults = [];
  if (bomFormat !== 'CycloneDX' || metadata?.component?.purl !== purl) {
    faults.push(`${SBOM} does not describe ${purl}`);
  }
  if (file === undefined) return faults;
  const described = components.find(({ type }) => type === 'file')?.hashes?.[0].content;
  if (described !== sha256(file)) faults.push(`${SBOM} has the hash of another native part`);
  return faults;
}

/** Versions of the checkout that differ from each other, and from the tag of a release. */
export function versionFaults(tag) {
  const text = (name) => readFileSync(path.join(root, name), 'utf8');
  const { version } = JSON.parse(text('package.json'));
  const versions = [
    ['Cargo.toml', /^version = "(.+)"$/m.exec(text('Cargo.toml'))[1]],
    ...PLATFORMS.map((name) => [`npm/${name}`, JSON.parse(text(`npm/${name}/package.json`)).version]),
    ['package-lock.json', JSON.parse(text('package-lock.json')).packages[''].version],
    ...['Cargo.lock', 'fuzz/Cargo.lock'].map((name) => [name, lockedVersion(text(name))]),
    ...(tag === undefined ? [] : [['the tag', tag.replace(/^v/, '')]]),
  ];
  const faults = versions
    .filter(([, other]) => other !== version)
    .map(([name, other]) => `${name} has the version ${other}, package.json ${version}`);
  if (tag !== undefined && !text('CHANGELOG.md').includes(`\n## [${version}]`)) {
    faults.push(`CHANGELOG.md has no section for ${version}`);
  }
  return faults;
}

/** The version of our own crate in a lock of cargo. */
function lockedVersion(lock) {
  return /^name = "nodesec-native"\nversion = "(.+)"$/m.exec(lock)?.[1];
}

function filesBelow(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)));
}

function readJson(file) {
  try {
    return Object(JSON.parse(readFileSync(file, 'utf8')));
  } catch (cause) {
    const place = file.split(path.sep).slice(-3).join('/');
    throw new Error(`${place} is missing or is no JSON: ${cause.message}`, { cause });
  }
}
