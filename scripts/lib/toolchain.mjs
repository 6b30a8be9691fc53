// Checks the tools that a build needs, and sets the environment in which this checkout runs cargo.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';

import { root } from './run.mjs';

/** If tools are missing, prints one line for each, with its fix, and ends the process. */
export function requireTools() {
  const missing = missingTools();
  if (missing.length === 0) return;
  console.error(['The native part cannot be built here.', ...missing].join('\n'));
  process.exit(1);
}

function missingTools() {
  const wanted = minimumRust();
  const missing = [];
  const rustc = versionOf('rustc');
  if (rustc === undefined || versionOf('cargo') === undefined) {
    missing.push(`Rust is missing. Install ${wanted} or newer: https://rustup.rs`);
  } else if (isOlder(rustc, wanted)) {
    missing.push(`Rust ${rustc} is too old, ${wanted} is needed. Run: rustup update stable`);
  }
  // On Windows the compiler is not on the path. Rust finds it, or says what is missing.
  const compiler = process.env.CC || 'cc';
  if (process.platform !== 'win32' && !runs(compiler)) {
    missing.push(`A C compiler is missing (${compiler}). ${compilerFix()}`);
  }
  return missing;
}

function minimumRust() {
  const manifest = readFileSync(path.join(root, 'Cargo.toml'), 'utf8');
  return /^rust-version = "([\d.]+)"/m.exec(manifest)[1];
}

function versionOf(tool) {
  const { status, stdout } = spawnSync(tool, ['--version'], { cwd: root, encoding: 'utf8' });
  return status === 0 ? /\d+\.\d+\.\d+/.exec(stdout)?.[0] : undefined;
}

function runs(tool) {
  return spawnSync(tool, ['--version']).error === undefined;
}

function isOlder(version, wanted) {
  const [major, minor] = version.split('.').map(Number);
  const [wantedMajor, wantedMinor] = wanted.split('.').map(Number);
  return major < wantedMajor || (major === wantedMajor && minor < wantedMinor);
}

function compilerFix() {
  if (process.platform === 'darwin') return 'Run: xcode-select --install';
  return 'Run: apt-get install build-essential (Debian, Ubuntu) or apk add build-base (Alpine)';
}

/**
 * The environment for cargo. The napi CLI always names its target, so its builds go to a folder of
 * their own below target/. With the same target, tests and lints reuse these builds.
 */
export function cargoEnv() {
  return { ...process.env, CARGO_BUILD_TARGET: process.env.CARGO_BUILD_TARGET ?? hostTriple() };
}

/** The triple of this machine. */
export function hostTriple() {
  const { stdout } = spawnSync('rustc', ['-vV'], { cwd: root, encoding: 'utf8' });
  return /^host: (.+)$/m.exec(stdout)[1];
}

/** The name that npm packages use for a triple: x86_64-unknown-linux-gnu is linux-x64-gnu. */
export function platformOf(triple) {
  const [processor] = triple.split('-');
  const arch = { aarch64: 'arm64', x86_64: 'x64' }[processor] ?? process.arch;
  const [system = process.platform] = /linux|darwin|windows/.exec(triple) ?? [];
  const abi = /-(gnu|musl|msvc)$/.exec(triple)?.[1];
  return [system === 'windows' ? 'win32' : system, arch, abi].filter(Boolean).join('-');
}
