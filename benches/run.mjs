// Side-by-side benchmarks. Every figure comes from contestants that take turns in one process,
// after their results have been checked against each other; compare ratios, not runs.
//
//   npm run bench                            every row; about 20 minutes
//   npm run bench -- --quick                 with fewer rounds; about four minutes
//   npm run bench -- --quick verify HS256    rows with all these words in their names
//   npm run bench -- nothing                 names the rows
//
// Tokens need cargo as well: the limit in their rows is an example of the crate.

import { cpus } from 'node:os';
import { parseArgs } from 'node:util';

import { measure } from './lib/measure.mjs';
import { describe, report } from './lib/report.mjs';
import * as limits from './rows/limiter.mjs';
import * as load from './rows/password-load.mjs';
import * as passwords from './rows/password.mjs';
import * as secrets from './rows/secret.mjs';
import * as tokens from './rows/token.mjs';
import * as cached from './rows/token-cache.mjs';
import * as revocation from './rows/revocation.mjs';

const { values, positionals } = parseArgs({
  options: { quick: { type: 'boolean', default: false } },
  allowPositionals: true,
});

console.log(`Node ${process.version}, ${cpus().length} × ${cpus()[0].model}\n`);

const subjects = [passwords, load, tokens, cached, revocation, limits, secrets];
const rows = subjects.flatMap((subject) => subject.rows);
const chosen = rows.filter(({ name }) => positionals.every((word) => name.includes(word)));
if (chosen.length === 0) {
  console.error(`No row matches; there are:\n${rows.map(({ name }) => `  ${name}`).join('\n')}`);
  process.exit(1);
}

for (const row of chosen) {
  console.log(describe(row));
  if (row.observe) {
    console.log(await row.observe({ quick: values.quick }));
    continue;
  }
  const contestants = await row.prepare();
  console.log(report(await measure(contestants, { ...row, quick: values.quick }), row));
}
