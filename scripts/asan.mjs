// npm run asan: builds the native part with AddressSanitizer, and runs the JavaScript suites and
// the Rust tests of secret memory with it. Linux with glibc only; needs gcc's libasan. A finding in
// any process, children included, is printed as a report, and the script ends with status 1.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { ensureDependencies } from './lib/ensure.mjs';
import { main, root, run } from './lib/run.mjs';
import { cargoEnv, platformOf, requireTools } from './lib/toolchain.mjs';
import { layOut, suitesWithout } from './lib/tree.mjs';

const workshop = path.join(root, 'target', 'asan');
const reports = path.join(workshop, 'reports');
const platform = platformOf(cargoEnv().CARGO_BUILD_TARGET);
const release = path.join(workshop, cargoEnv().CARGO_BUILD_TARGET, 'release');

/**
 * Suites that do not run here. Some test the checkout and its tools, or run other programs instead
 * of the native part. Others measure locked memory, resident memory or leftovers of secrets:
 * AddressSanitizer locks nothing, and adds to resident memory and to leftovers.
 */
const LEFT_OUT = [
  'docs/argon2-by-name',
  'docs/argon2-types',
  'docs/manual',
  'docs/markdown',
  'docs/strictness',
  'docs/switch-from-argon2',
  'docs/typescript',
  'house/abort-on-uncaught.versions',
  'house/codes',
  'house/commands',
  'house/deno',
  'house/docs',
  'house/fuzzed',
  'house/gate',
  'house/gate.tarballs',
  'house/install',
  'house/layers',
  'house/miri',
  'house/preflight',
  'house/releasable',
  'house/sbom',
  'house/supply',
  'house/workflows',
  'key-ring/disk',
  'key-ring/processes',
  'limiter/machine.linux',
  'password/legacy.peers',
  'password/peers',
  'password/pool.memory',
  'password/remnants',
  'redis/behaviours',
  'redis/client',
  'redis/cluster-moves',
  'redis/cluster-nodes',
  'redis/cluster-silent',
  'redis/dpop-replay',
  'redis/key-ring',
  'redis/key-ring-failures',
  'redis/outage',
  'redis/rate-limiter',
  'redis/revocations',
  'redis/revocations-clients',
  'redis/revocations-failures',
  'redis/revocations-losses',
  'redis/session-behaviours',
  'redis/session-full',
  'redis/session-late',
  'redis/session-outage',
  'redis/session-races',
  'redis/session-rows',
  'redis/sessions',
  'redis/web',
  'secret/deno',
  'secret/heap.limits',
  'secret/heap.refused',
  'secret/small-arrays',
  'service/hardened',
  'service/hardened.browser',
  'service/hardened.container',
  'service/hardened.hostile',
  'service/hardened.mtls',
  'service/hardened.page',
  'service/hardened.process',
  'service/hardened.programs',
  'service/start',
  'session/races',
  'session/unwritable',
  'store/disk',
  'store/kill',
  'store/permission',
  'store/processes',
  'store/sqlite',
  'store/sync',
  'token/interop',
  'web/sockets',
  'workers/jest',
  'workers/vitest',
];

/**
 * AddressSanitizer leaves SIGSEGV and SIGABRT alone: tests of guard pages and canaries check the
 * signal that ends the process. It does not look for leaks, because Node and the arena both keep
 * memory until the process ends. It does not change the limit on core dumps, which tests set.
 */
const OPTIONS = `detect_leaks=0:handle_segv=0:handle_abort=0:disable_coredump=0:log_path=${path.join(reports, 'report')}`;

/** The Rust tests of the rooms that have `unsafe` code over memory. */
const TESTS = ['heap::', 'os::', 'secret::', 'password::memory::'];

/**
 * This test fails here: AddressSanitizer answers mlock(2) itself and locks nothing, and the test
 * notices that nothing is locked.
 */
const WANTS_MLOCK = 'heap::tests::each_backend_is_what_it_says';

await main(async () => {
  requireTools();
  await ensureDependencies();
  rmSync(reports, { recursive: true, force: true });
  mkdirSync(reports, { recursive: true });
  await control();
  await cargo('test', ['--lib', '--no-default-features', '--', ...TESTS, '--skip', WANTS_MLOCK]);
  await cargo('build', ['--lib']);
  await javascript();
  const found = reported();
  if (found.length > 0) throw new Error(found.join('\n'));
  console.log('AddressSanitizer found the error of the control, and none besides.');
});

/**
 * Checks that AddressSanitizer finds a planted error. Otherwise the other runs would prove nothing.
 */
async function control() {
  const source = path.join(workshop, 'control.rs');
  writeFileSync(
    source,
    `fn main() {
    let bytes = vec![1_u8; 32];
    let beyond = std::hint::black_box(bytes.as_ptr().wrapping_add(32));
    std::process::exit(unsafe { beyond.read_volatile() }.into());
}
`,
  );
  const program = path.join(workshop, 'control');
  const target = cargoEnv().CARGO_BUILD_TARGET;
  const flags = ['-Zsanitizer=address', '--target', target, '--edition', '2024', '-o', program];
  await run('rustc', [...flags, source], { env: environment() });
  spawnSync(program, { env: environment() });
  const found = reported();
  if (!found.some((report) => report.includes('heap-buffer-overflow'))) {
    throw new Error('AddressSanitizer did not find the error that was made for it.');
  }
  rmSync(reports, { recursive: true });
  mkdirSync(reports);
}

function cargo(command, args) {
  const RUSTFLAGS = '-Zsanitizer=address';
  const env = { ...environment(), RUSTFLAGS, CARGO_TARGET_DIR: workshop };
  return run('cargo', [command, '--release', '--locked', ...args], { env });
}

async function javascript() {
  const tree = path.join(workshop, 'tree');
  layOut(tree, platform, path.join(release, 'libnodesec_native.so'));
  const names = suitesWithout(LEFT_OUT);
  const files = names.map((name) => path.join('__test__', `${name}.test.js`));
  const args = ['--test', '--test-reporter=dot', '--test-timeout=600000', ...files];
  const env = { ...environment(), LD_PRELOAD: libasan() };
  await run(process.execPath, args, { cwd: tree, env });
  console.log(`\n${names.length} suites`);
}

/** With RUSTC_BOOTSTRAP a stable compiler accepts the unstable flag. */
function environment() {
  return { ...cargoEnv(), RUSTC_BOOTSTRAP: '1', ASAN_OPTIONS: OPTIONS };
}

/** The path of libasan, to be preloaded: Node itself is not built with AddressSanitizer. */
function libasan() {
  const { stdout } = spawnSync('gcc', ['-print-file-name=libasan.so'], { encoding: 'utf8' });
  const file = stdout.trim();
  if (!existsSync(file)) throw new Error('gcc has no libasan here. Run: apt-get install libgcc-12-dev');
  return file;
}

function reported() {
  return readdirSync(reports).map((name) => readFileSync(path.join(reports, name), 'utf8'));
}
