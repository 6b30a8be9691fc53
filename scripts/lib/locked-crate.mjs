// Builds programs from crates.io, in the versions and with the checksums of scripts/locks.

import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';

import { root, run } from './run.mjs';

/**
 * Builds `cargo-<name>` by the lock in `scripts/locks/<name>`, unless it is there. Resolves to the
 * folder that has it.
 */
export async function installCrate(name) {
  const lock = path.join(root, 'scripts', 'locks', name);
  const folder = path.join(root, 'target', name);
  const text = readFileSync(path.join(lock, 'Cargo.lock'), 'utf8');
  const done = path.join(folder, 'Cargo.lock');
  const programs = path.join(folder, 'bin');
  if (existsSync(done) && readFileSync(done, 'utf8') === text) return programs;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const manifest = path.join(lock, 'Cargo.toml');
  const sources = path.join(folder, 'sources');
  // It fails if a checksum differs. The crate comes with a lock of its own for its dependencies.
  await run('cargo', ['vendor', '--quiet', '--locked', '--manifest-path', manifest, sources], {
    quiet: true,
  });
  const own = path.join(sources, `cargo-${name}`);
  const options = ['--quiet', '--locked', '--no-track', '--path', own, '--root', folder];
  // The variables of a build for another target must not apply to a program of this machine.
  const { CARGO_BUILD_TARGET, RUSTFLAGS, ...env } = process.env;
  await run('cargo', ['install', ...options, '--target-dir', path.join(folder, 'build')], { env });
  copyFileSync(path.join(lock, 'Cargo.lock'), done);
  return programs;
}
