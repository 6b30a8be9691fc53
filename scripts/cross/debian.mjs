// File systems of other releases of Debian, below target/cross.

import { existsSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { root, run } from '../lib/run.mjs';
import { shellWord } from '../lib/shell.mjs';
import { workshop, writeExecutable } from './tools.mjs';

const MIRROR = 'http://deb.debian.org/debian';

/**
 * Unpacks packages of a release, such as `bullseye`, for an architecture. Resolves to the folder.
 * mmdebstrap checks the signature of the release. Without `runs` the packages are only unpacked.
 */
export async function debianRoot(release, architecture, packages, { runs = false } = {}) {
  const folder = path.join(workshop, `debian-${release}-${architecture}`);
  const done = `${folder}.done`;
  if (existsSync(done)) return folder;
  rmSync(folder, { recursive: true, force: true });
  const options = [`--variant=${runs ? 'essential' : 'extract'}`, `--arch=${architecture}`];
  const args = [...options, `--include=${packages.join()}`, '--quiet', release, folder];
  await run('mmdebstrap', [...args, `deb ${MIRROR} ${release} main`]);
  writeFileSync(done, '');
  return folder;
}

/**
 * Writes a program that runs its arguments in a root, which sees this checkout at the same path.
 * Returns the program's path. Its mounts are its own, and end with it.
 */
export function entrance(folder) {
  const program = `${folder}.enter`;
  // $0 and $1 reach the shells as arguments, so no path is part of a script.
  const script = `
    for each in /proc /dev /sys; do mount --rbind "$each" "$1$each"; done
    mkdir -p "$1$2"
    mount --bind "$2" "$1$2"
    inner=$1; shift 2
    exec chroot "$inner" /bin/sh -c 'cd "$0" && exec "$@"' "$PWD" "$@"`;
  const words = [folder, root].map(shellWord).join(' ');
  writeExecutable(program, `exec unshare --mount sh -ec ${shellWord(script)} sh ${words} "$@"`);
  return program;
}
