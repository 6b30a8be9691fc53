// npm run fuzz: fuzzes the readers of outside data with libFuzzer, AddressSanitizer and checks of
// integer arithmetic, with a stable compiler. Each target begins with its corpus in fuzz/corpora;
// inputs that reach new code go to target/fuzz/corpora. Linux with glibc only; needs a C++
// compiler. A finding is printed, and its input stays in target/fuzz/findings.
//
//   npm run fuzz                          every target for 60 s
//   npm run fuzz -- json token --seconds 600
//   npm run fuzz -- json --input FILE     repeats one input

import { once } from 'node:events';
import { mkdirSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';

import { main, root, run, start } from './lib/run.mjs';
import { cargoEnv, requireTools } from './lib/toolchain.mjs';
import { UsageError, chosen, commandLine, wholeNumber } from './lib/usage.mjs';

const workshop = path.join(root, 'target', 'fuzz');
const corpora = path.join(root, 'fuzz', 'corpora');
const findings = path.join(workshop, 'findings');

/** Counters of edges and operands of comparisons, which libFuzzer reads. */
const COVERAGE = [
  '-Cpasses=sancov-module',
  ...['level=4', 'inline-8bit-counters', 'pc-table', 'trace-compares'].map(
    (option) => `-Cllvm-args=-sanitizer-coverage-${option}`,
  ),
];
/** One input may take so long, in seconds. */
const PATIENCE = 30;
/** The longest time of a target, in seconds: a week. */
const MOST_SECONDS = 604_800;
/** The longest input. The table of a limiter's file is in the second page. */
const MAX_LENGTH = 8192;

await main(async () => {
  const { targets, seconds, input } = wanted();
  requireTools();
  mkdirSync(findings, { recursive: true });
  const program = await build();
  const rows = [];
  for (const name of targets) rows.push(await fuzz(program, name, seconds, input));
  console.log('\ntarget | executions | edges covered | inputs kept\n---|---|---|---');
  for (const row of rows) console.log(row.cells.join(' | '));
  const failed = rows.filter(({ status }) => status !== 0).map(({ cells: [name] }) => name);
  if (failed.length > 0) throw new Error(`Findings of ${failed.join(', ')}: see ${findings}`);
});

async function build() {
  const RUSTFLAGS = ['-Zsanitizer=address', ...COVERAGE].join(' ');
  // With RUSTC_BOOTSTRAP a stable compiler accepts the unstable flag.
  const env = { ...cargoEnv(), RUSTC_BOOTSTRAP: '1', RUSTFLAGS, CARGO_TARGET_DIR: workshop };
  const manifest = path.join(root, 'fuzz', 'Cargo.toml');
  await run('cargo', ['build', '--release', '--locked', '--manifest-path', manifest], { env });
  return path.join(workshop, env.CARGO_BUILD_TARGET, 'release', 'nodesec-fuzz');
}

/** Runs a target to its end. libFuzzer ends with a status other than 0 after a finding. */
async function fuzz(program, name, seconds, input) {
  const kept = path.join(workshop, 'corpora', name);
  mkdirSync(kept, { recursive: true });
  const limits = [`-timeout=${PATIENCE}`, `-artifact_prefix=${path.join(findings, `${name}-`)}`];
  const search = [`-max_total_time=${seconds}`, `-max_len=${MAX_LENGTH}`, '-print_final_stats=1'];
  const args = input === undefined ? [...search, kept, path.join(corpora, name)] : [input];
  // The arena and libFuzzer both keep memory until the process ends.
  const env = { ...process.env, NODESEC_FUZZ: name, ASAN_OPTIONS: 'detect_leaks=0' };
  const child = start(program, [...limits, ...args], { env, stdio: ['ignore', 'ignore', 'pipe'] });
  let output = '';
  child.stderr.setEncoding('utf8').on('data', (text) => (output += text));
  const [status, signal] = await once(child, 'close');
  if (status !== 0) console.error(`${name}: ${signal ?? `status ${status}`}\n${output.slice(-8000)}`);
  const executions = /stat::number_of_executed_units:\s*(\d+)/.exec(output)?.[1] ?? '-';
  const covered = [...output.matchAll(/ cov: (\d+) /g)].at(-1)?.[1] ?? '-';
  return { status, cells: [name, executions, covered, readdirSync(kept).length] };
}

function wanted() {
  const { values, positionals } = commandLine({
    allowPositionals: true,
    options: { seconds: { type: 'string', default: '60' }, input: { type: 'string' } },
  });
  const targets = chosen('target', positionals, readdirSync(corpora).sort());
  const { input } = values;
  if (input !== undefined && positionals.length !== 1) {
    throw new UsageError('One input is for one target: name it');
  }
  if (input !== undefined && !statSync(input, { throwIfNoEntry: false })?.isFile()) {
    throw new UsageError(`There is no file ${input}`);
  }
  // To libFuzzer, 0 means no limit.
  const seconds = wholeNumber('seconds', values.seconds, { from: 1, to: MOST_SECONDS });
  return { targets, seconds, input };
}
