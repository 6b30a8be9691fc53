// Builds native parts as they are released, on any machine to the same bytes: with the list of
// their crates inside, and without paths or times of this machine. For Linux, zig compiles the C
// parts and links, with glibc 2.17 or with musl.

import { existsSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { installCrate } from './locked-crate.mjs';
import { installPython } from './locked.mjs';
import { root, run } from './run.mjs';
import { shellWord } from './shell.mjs';

/** The newest glibc that a release may need: that of RHEL 7 and Amazon Linux 2. */
export const GLIBC = '2.17';
const folder = path.join(root, 'target', 'releasable');

/**
 * The variables by which `cargo auditable` makes itself the compiler of our crate. It would name
 * itself by its path, which cargo hashes into the names of symbols; a name alone is the same
 * everywhere.
 */
const AUDITABLE = {
  CARGO_AUDITABLE_ORIG_ARGS: JSON.stringify({ offline: false, locked: true, frozen: false, config: [] }),
  RUSTC_WORKSPACE_WRAPPER: 'cargo-auditable',
};

/**
 * Builds the native part of a triple and resolves to its path. `rust` has variables and options of
 * cargo for another Rust than that of the path.
 */
export async function buildRelease(triple, { rust } = {}) {
  if (rust === undefined) await requireStandardLibrary(triple);
  const env = { ...environment(triple), ...rust?.env, ...AUDITABLE };
  const programs = [await installCrate('auditable')];
  const options = ['--release', '--locked', '--lib', ...(rust?.options ?? []), '--target'];
  let command = ['build', ...options, triple];
  if (triple.includes('linux')) {
    const zig = path.join(folder, 'zig');
    await installPython('zig', zig);
    // Without it, each of a thousand calls would start Python first.
    env.CARGO_ZIGBUILD_ZIG_PATH = path.join(zig, 'ziglang', 'zig');
    programs.push(path.join(zig, 'bin'));
    command = ['zigbuild', ...options, triple.endsWith('gnu') ? `${triple}.${GLIBC}` : triple];
  }
  // Windows calls it Path.
  const variable = Object.keys(env).find((name) => name.toUpperCase() === 'PATH');
  env[variable] = [...programs, env[variable]].join(path.delimiter);
  await run('cargo', command, { env });
  return path.join(folder, triple, 'release', libraryName(triple));
}

async function requireStandardLibrary(triple) {
  const printed = await run('rustc', ['--print', 'sysroot'], { quiet: true });
  if (existsSync(path.join(printed.trim(), 'lib', 'rustlib', triple, 'lib'))) return;
  throw new Error(
    `This Rust has no standard library for ${triple}. Run \`rustup target add ${triple}\`; where ` +
      'rustup cannot fetch it, `npm run cross` builds with the Rust of Debian.',
  );
}

function libraryName(triple) {
  if (triple.includes('windows')) return 'nodesec_native.dll';
  return triple.includes('darwin') ? 'libnodesec_native.dylib' : 'libnodesec_native.so';
}

/**
 * The folders of cargo and of the checkout with their names in a binary. Compilers take the last
 * one that fits, so a folder inside of the other comes behind it.
 */
export function replacedPaths(home, checkout) {
  return [[home, '/cargo'], [checkout, '/nodesec']].sort(([a], [b]) => a.length - b.length);
}

/** The flags by which a C compiler replaces folders in a binary, as words of a shell. */
export function flagsOfC(places) {
  for (const [folder] of places) requireReplaceable(folder);
  return places.map(([from, to]) => shellWord(`-ffile-prefix-map=${from}=${to}`)).join(' ');
}

/**
 * Throws if the compilers would not get the name of a folder unchanged. PATH separates folders by a
 * delimiter, and the flags have the folder before a `=`. aws-lc-sys splits the flags at white
 * space, joins them by one space, and drops those that look like a level of optimization.
 */
function requireReplaceable(folder) {
  const words = folder.split(/\s+/);
  const isKept = words.join(' ') === folder && !words.some((word) => /^[-/]O/.test(word));
  if (isKept && !folder.includes('=') && !folder.includes(path.delimiter)) return;
  throw new Error(
    `A release cannot be built in or below ${JSON.stringify(folder)}. Use a folder without = and ` +
      `${path.delimiter}, whose white space is single spaces without -O or /O behind them.`,
  );
}

/**
 * Variables with the settings of this machine's own builds, which must not apply to a release.
 * Build scripts read those that begin with the name of a library.
 */
const OWN =
  /^(?:CARGO_BUILD_TARGET|RUSTC_WRAPPER)$|^(?:AWS_LC|CARGO_PROFILE|LIBSQLITE3|OPENSSL|RING|SQLITE)_|(?:^|_)(?:C|RUST)FLAGS(?:_|$)/;

/** The variables of a release, from those of this process. */
export function environment(triple, variables = process.env) {
  const inherited = Object.entries(variables).filter(([name]) => !OWN.test(name));
  const home = variables.CARGO_HOME ?? path.join(os.homedir(), '.cargo');
  const places = replacedPaths(home, root);
  const flags = places.map(([from, to]) => `--remap-path-prefix=${from}=${to}`);
  // Alpine's Node is linked with musl as a library.
  if (triple.endsWith('musl')) flags.push('-Ctarget-feature=-crt-static');
  // A Windows without Visual C++ lacks the library of its C runtime.
  if (triple.endsWith('msvc')) flags.push('-Ctarget-feature=+crt-static');
  return {
    ...Object.fromEntries(inherited),
    // Without them, an AWS-LC of this machine would be linked, and Windows would need NASM.
    AWS_LC_SYS_USE_SYSTEM: '0',
    AWS_LC_SYS_PREBUILT_NASM: '1',
    // Unlike RUSTFLAGS this may have spaces in a path.
    CARGO_ENCODED_RUSTFLAGS: flags.join('\x1f'),
    CARGO_INCREMENTAL: '0',
    CARGO_TARGET_DIR: folder,
    // Without it, the crate `cc` splits CFLAGS at each space.
    CC_SHELL_ESCAPED_FLAGS: '1',
    // Microsoft's compiler has no such flag.
    ...(triple.endsWith('msvc') ? {} : { CFLAGS: flagsOfC(places) }),
    MACOSX_DEPLOYMENT_TARGET: '11.0',
    // A compiler that is asked for the date answers with the first of 1980.
    SOURCE_DATE_EPOCH: '315532800',
  };
}
