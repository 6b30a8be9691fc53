// npm test: installs and builds everything that is missing, runs the Rust and the JavaScript tests,
// and prints the counts of both. It ends with status 1 if a test fails or if either language has no
// passing test. In CI a skipped test is a failure, too. Elsewhere a test is skipped if a program
// that it compares results with is missing, and names that program.

import { readdirSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { ensureBuilt, ensureDependencies } from './lib/ensure.mjs';
import { main, root, run } from './lib/run.mjs';
import { cargoEnv, requireTools } from './lib/toolchain.mjs';

await main(async () => {
  requireTools();
  await ensureDependencies();
  await ensureBuilt();
  const rust = countRust(await output(runRust()));
  const javascript = countJavascript(await output(runJavascript()));
  report(rust, javascript);
});

function runRust() {
  return run('cargo', ['test', '--release', '--locked'], { env: cargoEnv() });
}

function runJavascript() {
  const files = readdirSync(path.join(root, '__test__'), { recursive: true })
    .filter((name) => /\.test\.m?js$/.test(name))
    .map((name) => path.join('__test__', name))
    .sort();
  // Node would leave one core idle: on two, it runs one file at a time.
  const atOnce = `--test-concurrency=${os.availableParallelism()}`;
  const flags = ['--test', '--test-reporter=spec', '--test-timeout=300000', atOnce];
  // Each file is named, because the meaning of a folder or a pattern depends on the version of
  // Node.
  return run(process.execPath, [...flags, ...files]);
}

/**
 * Resolves to the output of a run, even if it fails: the JavaScript tests then still run.
 */
async function output(running) {
  try {
    return { passes: true, text: await running };
  } catch (error) {
    console.error(error.message);
    return { passes: false, text: error.written ?? '' };
  }
}

function countRust({ passes, text }) {
  const lines = [...text.matchAll(/^test result: .* (\d+) passed; (\d+) failed; (\d+) ignored/gm)];
  const [passed, failed, skipped] = [1, 2, 3].map((group) =>
    lines.reduce((sum, line) => sum + Number(line[group]), 0),
  );
  return { passes, passed, failed, skipped };
}

function countJavascript({ passes, text }) {
  const closing = Object.fromEntries(
    [...text.matchAll(/ℹ (pass|fail|cancelled|skipped|todo) (\d+)/g)].map(([, name, count]) => [
      name,
      Number(count),
    ]),
  );
  const { pass = 0, fail = 0, cancelled = 0, skipped = 0, todo = 0 } = closing;
  return { passes, passed: pass, failed: fail + cancelled, skipped: skipped + todo };
}

function report(rust, javascript) {
  console.log(`\nRust tests: ${describe(rust)}\nJavaScript tests: ${describe(javascript)}`);
  const passed = rust.passed + javascript.passed;
  const failed = rust.failed + javascript.failed;
  console.log(`${passed} passed, ${failed} failed`);
  const good = ({ passes, passed, skipped }) =>
    passes && passed > 0 && (skipped === 0 || !process.env.CI);
  if (!good(rust) || !good(javascript)) process.exitCode = 1;
}

function describe({ passes, passed, failed, skipped }) {
  const counts = `${passed} passed, ${failed} failed, ${skipped} skipped`;
  return passes ? counts : `${counts} (the run failed)`;
}
