// The crates of a binary, as cargo resolves them for a target, and the C libraries inside of them.

import { readFileSync } from 'node:fs';
import path from 'node:path';

import { root, run } from './run.mjs';

/**
 * The C libraries that crates compile in. Their versions are not those of the crates, and security
 * advisories name the libraries.
 */
const BUNDLED = {
  'aws-lc-sys': {
    name: 'aws-lc',
    header: ['aws-lc', 'include', 'openssl', 'base.h'],
    version: /^#define AWSLC_VERSION_NUMBER_STRING "([\d.]+)"$/m,
    purl: (version) => `pkg:github/aws/aws-lc@v${version}`,
  },
  'libsqlite3-sys': {
    name: 'sqlite',
    header: ['sqlite3', 'sqlite3.h'],
    version: /^#define SQLITE_VERSION +"([\d.]+)"$/m,
    license: 'blessing',
    purl: (version) => `pkg:generic/sqlite@${version}`,
    cpe: (version) => `cpe:2.3:a:sqlite:sqlite:${version}:*:*:*:*:*:*:*`,
  },
};

/**
 * Resolves to `crates`, those that are compiled for a target, and `own`, the ids of our own crate's
 * dependencies. Development dependencies are left out.
 */
export async function cratesOf(triple) {
  const metadata = await cargo('metadata', '--format-version', '1', '--filter-platform', triple);
  const { packages, resolve } = JSON.parse(metadata);
  const linked = new Set(await tree(triple, 'normal,no-proc-macro'));
  const compiled = new Set(await tree(triple, 'normal,build'));
  const key = ({ name, version }) => `${name} v${version}`;
  const kept = packages.filter((each) => compiled.has(key(each)));
  if (kept.length !== compiled.size) {
    throw new Error(`cargo tree has ${compiled.size} crates, cargo metadata ${kept.length} of them`);
  }
  const ids = new Set(kept.map(({ id }) => id));
  const nodes = new Map(resolve.nodes.map((node) => [node.id, node]));
  const dependencies = (id) =>
    nodes
      .get(id)
      .deps.filter(({ dep_kinds: kinds }) => kinds.some(({ kind }) => kind !== 'dev'))
      .map(({ pkg }) => pkg)
      .filter((pkg) => ids.has(pkg));
  const checksums = lockedChecksums();
  const crates = kept
    .filter(({ id }) => id !== resolve.root)
    .map((each) => ({
      id: each.id,
      name: each.name,
      version: each.version,
      license: expression(each.license),
      repository: each.repository,
      checksum: checksums.get(key(each)),
      isLinked: linked.has(key(each)),
      dependencies: dependencies(each.id),
      bundled: bundledIn(each),
    }));
  return { crates, own: dependencies(resolve.root) };
}

function cargo(command, ...args) {
  return run('cargo', [command, '--locked', ...args], { quiet: true });
}

/** The crates that some kinds of dependencies reach, as `name vVersion`. */
async function tree(triple, edges) {
  const format = ['--prefix', 'none', '--format', '{p}'];
  const listed = await cargo('tree', '--target', triple, '--edges', edges, ...format);
  return [...listed.matchAll(/^\S+ v\S+/gm)].map(([found]) => found);
}

/** The checksums of Cargo.lock, by `name vVersion`. */
function lockedChecksums() {
  const lock = readFileSync(path.join(root, 'Cargo.lock'), 'utf8');
  const entry = /^name = "(.+)"\nversion = "(.+)"\nsource = ".+"\nchecksum = "([0-9a-f]{64})"$/gm;
  return new Map([...lock.matchAll(entry)].map(([, name, ...rest]) => [`${name} v${rest[0]}`, rest[1]]));
}

/** The licence as SPDX writes it: older crates have a slash between choices. */
function expression(license) {
  return license.replaceAll(/ *\/ */g, ' OR ');
}

/** The C library in a crate. Its licence is the crate's own, unless BUNDLED has another. */
function bundledIn({ name, license, manifest_path: manifest }) {
  if (!Object.hasOwn(BUNDLED, name)) return undefined;
  const { header, version: pattern, purl, cpe, ...library } = BUNDLED[name];
  const file = path.join(path.dirname(manifest), ...header);
  const [, version] = pattern.exec(readFileSync(file, 'utf8')) ?? [];
  if (version === undefined) throw new Error(`${file} does not say which version it is`);
  const known = { license: expression(license), ...library };
  return { ...known, version, purl: purl(version), cpe: cpe?.(version) };
}
