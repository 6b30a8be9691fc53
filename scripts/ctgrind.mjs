// npm run ctgrind: shows that comparisons of secrets take the same branches wherever the difference
// is, as ctgrind does: valgrind takes the secret for uninitialized memory and reports each branch
// and each address that depends on it. A comparison has one report, which is the answer. Linux on
// x64; needs valgrind.

import { spawnSync } from 'node:child_process';
import path from 'node:path';

import { main, root, run } from './lib/run.mjs';
import { cargoEnv, requireTools } from './lib/toolchain.mjs';
import { noArguments } from './lib/usage.mjs';

await main(async () => {
  noArguments();
  if (spawnSync('valgrind', ['--version']).status !== 0) {
    throw new Error('valgrind is missing. Run: apt-get install valgrind');
  }
  requireTools();
  const env = cargoEnv();
  await run('cargo', ['build', '--release', '--locked', '--quiet', '--example', 'ctgrind'], { env });
  const folder = path.join(root, 'target', env.CARGO_BUILD_TARGET, 'release', 'examples');
  const options = ['--quiet', '--error-limit=no', '--log-file=/dev/null'];
  const output = await run('valgrind', [...options, path.join(folder, 'ctgrind')], { quiet: true });
  const counts = countsOf(output);
  console.log('reports of valgrind, by the place of the difference; at the last place there is none\n');
  for (const [name, byPlace] of counts) console.log(`${name}: ${byPlace.join(' ')}`);
  judge(counts);
  console.log('\nThe control was found, and every other comparison has one report: its answer.');
});

/** The counts of each comparison, in the order of the places. */
function countsOf(output) {
  const counts = new Map();
  for (const line of output.trim().split('\n')) {
    const [name, , count] = line.split('\t');
    counts.set(name, [...(counts.get(name) ?? []), Number(count)]);
  }
  return counts;
}

function judge(counts) {
  const [[, control], ...ours] = counts;
  if (new Set(control).size === 1) throw new Error('valgrind did not see where the control differs');
  const bad = ours.filter(([, byPlace]) => byPlace.some((count) => count !== 1));
  if (ours.length === 0 || bad.length > 0) {
    throw new Error(`Not in constant time: ${bad.map(([name]) => name).join('; ')}`);
  }
}
