// Side-by-side benchmarks: `npm run bench` (add `-- --quick` for under two minutes, and names of
// rows to run only those). Every figure comes from contestants that take turns in one process,
// after their results have been checked against each other; compare ratios, not runs.

import { cpus } from 'node:os';
import { parseArgs } from 'node:util';

import { measure } from './lib/measure.mjs';
import { describe, report } from './lib/report.mjs';
import * as limits from './rows/limits.mjs';
import * as load from './rows/load.mjs';
import * as passwords from './rows/passwords.mjs';
import * as secrets from './rows/secrets.mjs';
import * as tokens from './rows/tokens.mjs';
import * as cached from './rows/tokens-cache.mjs';
import * as revocation from './rows/tokens-revocation.mjs';

const { values, positionals } = parseArgs({
  options: { quick: { type: 'boolean', default: false } },
  allowPositionals: true,
});

console.log(`Node ${process.version}, ${cpus().length} × ${cpus()[0].model}\n`);

const rows = [...passwords.rows, ...load.rows, ...tokens.rows, ...cached.rows, ...revocation.rows, ...limits.rows, ...secrets.rows];
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
