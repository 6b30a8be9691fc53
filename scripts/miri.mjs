// npm run miri: runs the tests of the arena's logic under Miri, which checks every access to
// memory: for bounds, use after free, provenance, and data races between threads. The memory comes
// from the ordinary allocator, because Miri does not support memfd_secret. To run some tests only,
// name them: `npm run miri -- heap::model_tests`.

import { spawnSync } from 'node:child_process';

import { main, root, run } from './lib/run.mjs';

/** Tests of code that calls neither C nor assembler: Miri interprets Rust only. */
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
  // cargo also succeeds if the filter matches no test.
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
