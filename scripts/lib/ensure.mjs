// Brings a checkout to the state that a command needs. Does nothing if it is in that state already.

import { existsSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';

import { root, run } from './run.mjs';
import { cargoEnv, platformOf, requireTools } from './toolchain.mjs';

/** Installs the packages of package-lock.json, unless node_modules holds them already. */
export async function ensureDependencies() {
  // npm writes this file last, so a stopped installation is repeated.
  const installed = path.join(root, 'node_modules', '.package-lock.json');
  if (existsSync(installed) && changed(installed) >= changed(path.join(root, 'package-lock.json'))) {
    return;
  }
  console.log('Installing the development dependencies.');
  // Not `npm ci`, which refuses a lock file that lacks a dependency's packages for other platforms.
  // A mirror of the registry may not carry those. `npm install` also follows the lock file.
  await run('npm', ['install', '--ignore-scripts', '--no-save', '--loglevel', 'error']);
}

/** Builds the native part, unless it is as new as its sources. */
export async function ensureBuilt() {
  if (needsBuild()) await build();
}

/** Whether there is no native part as new as its sources. */
export function needsBuild() {
  const binary = builtBinary();
  return binary === undefined || !isAsNew(binary);
}

/** Whether a file that was built is as new as the sources of the crate, and those in `besides`. */
export function isAsNew(file, besides = []) {
  const files = ['src', 'Cargo.toml', 'Cargo.lock', 'build.rs', ...besides].flatMap(filesOf);
  return changed(file) >= Math.max(...files.map(changed));
}

/** Compiles the native part into npm/<platform>/ and writes binding.d.ts. */
export async function build() {
  requireTools();
  if (!existsSync(path.join(root, 'target'))) {
    console.log('Building the native part. The first time takes about two minutes on two cores.');
  } else {
    console.log('Building the native part.');
  }
  const env = cargoEnv();
  const napi = path.join(root, 'node_modules', '@napi-rs', 'cli', 'dist', 'cli.js');
  const folder = path.join('npm', platformOf(env.CARGO_BUILD_TARGET));
  const options = ['--platform', '--release', '--no-js', '--dts', '../../binding.d.ts'];
  const args = [napi, 'build', ...options, '--output-dir', folder, '--', '--locked'];
  await run(process.execPath, args, { env });
}

/** The native part built for this machine, if there is one. */
export function builtBinary() {
  const folders = path.join(root, 'npm');
  const platform = `${process.platform}-${process.arch}`;
  return readdirSync(folders)
    .filter((name) => name === platform || name.startsWith(`${platform}-`))
    .map((name) => path.join(folders, name, `nodesec.${name}.node`))
    .find((file) => existsSync(file));
}

function filesOf(name) {
  const place = path.join(root, name);
  if (!statSync(place).isDirectory()) return [place];
  return readdirSync(place, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));
}

function changed(file) {
  return statSync(file).mtimeMs;
}
