// npm run mutants: cargo-mutants changes the checks of claims, the decision of the revocation list
// and that of the limiter, one place at a time in a copy, and runs the Rust tests of the room.
//
//   npm run mutants               all three
//   npm run mutants -- claims     one or more of claims, revocation and limiter
//
// The command fails for a change that no test notices, unless EQUIVALENT has the reason why the
// result stays the same, and for a row of EQUIVALENT whose change a test notices.

import { cpSync, existsSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { installCrate } from './lib/locked-crate.mjs';
import { CommandError, main, root, run } from './lib/run.mjs';
import { cargoEnv, requireTools } from './lib/toolchain.mjs';
import { chosen, commandLine } from './lib/usage.mjs';

/**
 * By decision: the files; in `inside` the functions in which operators and conditions are changed;
 * in `whole` those that have neither and return another result; the tests of the room that judge
 * the changes, none of which is random or slow. These are at most 120 changes.
 */
const DECISIONS = {
  claims: {
    files: ['src/jwt/verify/checks.rs'],
    inside: [
      'ask', 'check_again', 'check_header', 'check_key_issuer', 'check_parties', 'check_revocation',
      'check_times', 'check_workload', 'read',
    ],
    whole: ['check_exact'],
    tests: [
      'cached', 'exact_claims', 'headers', 'key_issuer', 'kinds', 'revocation', 'times', 'verify',
    ].map((name) => `jwt::tests::${name}::`),
  },
  revocation: {
    files: ['src/revocation/list/lookup.rs'],
    inside: ['is_revoked', 'proves_later'],
    whole: [],
    tests: ['clock_tests', 'machines_tests', 'store_tests', 'tests'].map(
      (name) => `revocation::list::${name}::`,
    ),
  },
  limiter: {
    files: ['src/limiter/limit.rs', 'src/limiter/state.rs'],
    inside: ['blocks', 'debt', 'reset_ns', 'word', 'word_is_live'],
    whole: ['take', 'wait_ns'],
    tests: ['limit::', 'spray_tests::a_full_table', 'state::', 'tests::'].map(
      (name) => `limiter::${name}`,
    ),
  },
};

/** By decision: changes after which every result is the same, by their name and source line. */
const EQUIVALENT = {
  claims: [],
  revocation: [
    'replace && with || in RevocationList::is_revoked',
    'replace > with >= in RevocationList::is_revoked',
  ].map((change) => ({
    change,
    at: 'state.all_issued_until > 0 && issued_until(tolerated(state.all_issued_until));',
    why: 'It spares a look-up of the entry of all tokens, which has the time itself.',
  })),
  limiter: [],
};

const folder = path.join(root, 'target', 'mutation');
const copy = path.join(folder, 'tree');

await main(async () => {
  const { positionals } = commandLine({ allowPositionals: true });
  const names = chosen('decision', positionals, Object.keys(DECISIONS));
  requireTools();
  // It uses both cores for half an hour, so other programs get the cores first.
  os.setPriority(os.constants.priority.PRIORITY_BELOW_NORMAL);
  const cargoMutants = path.join(await installCrate('mutants'), 'cargo-mutants');
  await copyTree();
  const results = [];
  for (const name of names) results.push([name, await mutate(cargoMutants, name)]);
  console.log('\ndecision | changes | noticed | timed out | not compiled | equivalent | not noticed');
  for (const [name, { caught, missed, timeout, unviable, equivalent }] of results) {
    const counts = [caught, timeout, unviable, equivalent, missed].map(({ length }) => length);
    console.log([name, counts.reduce((sum, count) => sum + count), ...counts].join(' | '));
  }
  const faults = results.flatMap(([, { faults }]) => faults);
  if (faults.length > 0) throw new Error(faults.join('\n'));
});

/** Copies the files of the checkout, but none that git ignores. */
async function copyTree() {
  rmSync(copy, { recursive: true, force: true });
  const options = ['-z', '--cached', '--others', '--exclude-standard', '--deduplicate'];
  const listed = await run('git', ['ls-files', ...options], { quiet: true });
  // A file that was removed is listed until that is committed.
  const files = listed.split('\0').filter((file) => file !== '' && existsSync(path.join(root, file)));
  for (const file of files) cpSync(path.join(root, file), path.join(copy, file));
}

/** Makes and tests the changes of a decision. Resolves to the changes by result, and the faults. */
async function mutate(cargoMutants, name) {
  const { files, inside, whole, tests } = DECISIONS[name];
  const output = path.join(folder, name);
  const args = [
    'mutants', '--in-place', '--colors', 'never', '--no-times', '--output', output,
    ...files.flatMap((file) => ['--file', file]),
    '--re', ` in (?:.*::)?(?:${inside.join('|')})$`,
    ...(whole.length > 0 ? ['--re', `replace (?:.*::)?(?:${whole.join('|')}) -> `] : []),
    // The crates around ours are those of `npm test`. Ours is compiled as fast as possible.
    '--profile', 'release', '--cargo-arg=--locked', '--cargo-arg=--lib',
    '--cargo-arg=--config=profile.release.package.nodesec-native.opt-level=0',
    '--cargo-arg=--config=profile.release.package.nodesec-native.codegen-units=64',
    '--timeout', '600', '--', '--', ...tests,
  ];
  const env = { ...cargoEnv(), CARGO_TARGET_DIR: path.join(root, 'target'), CARGO_INCREMENTAL: '1' };
  await run(cargoMutants, args, { cwd: copy, env }).catch((error) => {
    // 2: a change was not noticed. 3: tests timed out.
    if (!(error instanceof CommandError) || ![2, 3].includes(error.status)) throw error;
  });
  const [caught, survived, timeout, unviable] = ['caught', 'missed', 'timeout', 'unviable'].map(
    (result) => changesIn(path.join(output, 'mutants.out', `${result}.txt`)),
  );
  const isKnown = ({ change, at }) =>
    EQUIVALENT[name].some((known) => known.change === change && known.at === at);
  const missed = survived.filter((each) => !isKnown(each));
  const equivalent = survived.filter(isKnown);
  const all = [...caught, ...survived, ...timeout, ...unviable];
  const isChanged = (name) => all.some(({ change }) => new RegExp(`\\b${name}\\b`).test(change));
  const faults = [
    ...[...inside, ...whole].filter((each) => !isChanged(each)).map((each) => `Nothing changed ${each}`),
    ...missed.map(({ change, at, place }) => `No test notices ${place}: ${change}\n    ${at}`),
    ...timeout.map(({ change, place }) => `The tests do not end with ${place}: ${change}`),
    ...EQUIVALENT[name]
      .filter((known) => !survived.some(({ change, at }) => known.change === change && known.at === at))
      .map(({ change, at }) => `A test notices, or nothing makes, the equivalent ${change}\n    ${at}`),
  ];
  return { caught, missed, timeout, unviable, equivalent, faults };
}

/** The changes in a list of cargo-mutants, each with the source line that it changes. */
function changesIn(list) {
  const lines = readFileSync(list, 'utf8').split('\n').filter(Boolean);
  return lines.map((text) => {
    const [, file, line, column, change] = /^(.+?):(\d+):(\d+): (.+)$/.exec(text);
    const source = readFileSync(path.join(copy, file), 'utf8').split('\n');
    return { change, at: source[line - 1].trim(), place: `${file}:${line}:${column}` };
  });
}
