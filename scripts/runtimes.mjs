// npm run test:runtimes: runs the suites on other runtimes than this one: Node 22, 24 and 26, Bun
// and Deno, each with its own test runner for node:test. scripts/runtimes/known.mjs names the
// suites that do not run there, and the tests that fail there, with the reasons. A test that fails
// and is not named fails the command, and so does a named one that passes.
//
//   npm run test:runtimes                      every runtime, every suite
//   npm run test:runtimes -- bun node26        some runtimes
//   npm run test:runtimes -- --suite key/key   some suites; may be repeated
//   npm run test:runtimes -- --smoke           one suite for each capability

import os from 'node:os';

import { ensureBuilt, ensureDependencies } from './lib/ensure.mjs';
import { buildExample } from './lib/example.mjs';
import { main } from './lib/run.mjs';
import { CAPABILITIES, suitesWithout } from './lib/tree.mjs';
import { chosen, commandLine } from './lib/usage.mjs';
import { CHECKOUT, KNOWN } from './runtimes/known.mjs';
import { RUNTIMES, runSuite, versionOf } from './runtimes/programs.mjs';

await main(async () => {
  const { names, suites } = wanted();
  await ensureDependencies();
  await ensureBuilt();
  // Some suites run it, and would otherwise wait for the compiler.
  if (process.platform === 'linux') await buildExample('refuse');
  const problems = [];
  const rows = [];
  for (const name of names) {
    const known = KNOWN[name] ?? {};
    // Fails if there is no such suite.
    suitesWithout(Object.keys(known));
    const run = suites.filter((suite) => typeof known[suite] !== 'string');
    const counts = { passed: 0, known: 0, skipped: 0 };
    await inParallel(run, async (suite) => {
      const found = await runSuite(name, suite);
      for (const problem of judge(found, known[suite] ?? {})) {
        problems.push(`${name}, ${suite}: ${problem}`);
        console.log(problems.at(-1));
      }
      counts.passed += found.passed.length;
      counts.known += found.failed.filter((test) => isKnown(test, known[suite] ?? {})).length;
      counts.skipped += found.skipped;
    });
    const { passed, skipped } = counts;
    rows.push([versionOf(name), `${run.length} of ${suites.length}`, passed, counts.known, skipped]);
    console.log(rows.at(-1).join(' | '));
  }
  console.log('\nruntime | suites | passed | known to fail | skipped\n---|---|---|---|---');
  for (const row of rows) console.log(row.join(' | '));
  if (problems.length > 0) throw new Error(problems.join('\n'));
});

/** Does work on each of some items, on as many at once as there are processors. */
async function inParallel(items, work) {
  const left = items.values();
  const worker = async () => {
    for (const item of left) await work(item);
  };
  await Promise.all(Array.from({ length: os.availableParallelism() }, worker));
}

/** The differences between the results of a suite and those that are known. */
function judge({ passed, failed, ended }, known) {
  const passes = Object.keys(known).filter((start) => passed.some((test) => test.startsWith(start)));
  return [
    ...failed.filter((test) => !isKnown(test, known)).map((test) => `"${test}" fails`),
    ...passes.map((start) => `"${start}" passes: delete it from known.mjs`),
    ...(ended === undefined ? [] : [ended]),
    ...(passed.length + failed.length === 0 ? ['no test was run'] : []),
  ];
}

function isKnown(test, known) {
  return Object.keys(known).some((start) => test.startsWith(start));
}

function wanted() {
  const { values, positionals } = commandLine({
    allowPositionals: true,
    options: {
      smoke: { type: 'boolean', default: false },
      suite: { type: 'string', multiple: true },
    },
  });
  const names = chosen('runtime', positionals, Object.keys(RUNTIMES));
  const usual = values.smoke ? CAPABILITIES : suitesWithout(CHECKOUT);
  const suites = values.suite ? chosen('suite', values.suite, suitesWithout([])) : usual;
  return { names, suites };
}
