// Runs benchmarks side by side. The contestants of a row take turns in one process, after their
// results have been checked against each other. Compare the ratios within a run, not figures of
// different runs. The rows of passwords under load are different: each peer runs in a process of
// its own.
//
//   npm run bench                            every row; about 20 minutes
//   npm run bench -- --quick                 with fewer rounds; about four minutes
//   npm run bench -- --quick verify HS256    rows whose names contain all these words
//   npm run bench -- nothing                 lists the rows
//
// The token rows also need cargo, because their limit is an example of the crate.

import { cpus } from 'node:os';
import { parseArgs } from 'node:util';

import { measure } from './lib/measure.mjs';
import { describe, report } from './lib/report.mjs';
import * as audit from './rows/audit.mjs';
import * as dpop from './rows/dpop.mjs';
import * as limits from './rows/limiter.mjs';
import * as load from './rows/password-load.mjs';
import * as passwords from './rows/password.mjs';
import * as redis from './rows/redis.mjs';
import * as redisLists from './rows/redis-revocations.mjs';
import * as redisSessions from './rows/redis-sessions.mjs';
import * as secrets from './rows/secret.mjs';
import * as sessions from './rows/sessions.mjs';
import * as stores from './rows/store.mjs';
import * as tokens from './rows/token.mjs';
import * as cached from './rows/token-cache.mjs';
import * as revocation from './rows/revocation.mjs';
import * as web from './rows/web.mjs';

const { values, positionals } = parseArgs({
  options: { quick: { type: 'boolean', default: false } },
  allowPositionals: true,
});

console.log(`Node ${process.version}, ${cpus().length} × ${cpus()[0].model}\n`);

const subjects = [
  passwords, load, tokens, cached, revocation, stores, sessions, limits, redis, redisLists, redisSessions,
  secrets, audit, web, dpop,
];
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

// Servers and connections of rows are still there, and end with this process.
process.exit();
