// npm run miri: the arena's logic under Miri, which follows every pointer: out of bounds, after
// free, from the wrong provenance, between threads without order. The memory is that of the
// ordinary allocator, since Miri knows no memfd_secret. `npm run miri -- heap::model_tests` runs
// those tests only.

import { spawnSync } from 'node:child_process';

import { main, root, run } from './lib/run.mjs';

/** What calls neither C nor assembler: Miri interprets Rust only. */
const TESTS = [
  'heap::model_tests',
  'heap::slabs',
  'heap::runs',
  'heap::canary',
  'secret::scratch_lock',
];

await main(async () => {
  requireMiri();
  const chosen = process.argv.slice(2);
  const tests = chosen.length > 0 ? chosen : TESTS;
  const env = { ...process.env, MIRIFLAGS: '-Zmiri-strict-provenance' };
  const command = ['+nightly', 'miri', 'test', '--locked', '--lib', '--no-default-features'];
  const written = await run('cargo', [...command, '--', ...tests], { env });
  // A filter that meets no test passes.
  if (!/^test result: ok\. [1-9]/m.test(written)) throw new Error(`no test is called ${tests}`);
});

function requireMiri() {
  const { status } = spawnSync('cargo', ['+nightly', 'miri', '--version'], { cwd: root });
  if (status === 0) return;
  console.error(
    'Miri is missing, and nothing was run. Run: rustup toolchain install nightly --component miri,rust-src',
  );
  process.exit(1);
}
