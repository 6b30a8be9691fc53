// `npm run deny`: cargo-deny compares the crates with deny.toml: licences, bans, sources. With
// `npm run deny -- advisories` it asks the database of RustSec, which needs the network.

import path from 'node:path';

import { installPython } from './lib/locked.mjs';
import { checks } from './lib/peers.mjs';
import { main, run } from './lib/run.mjs';

await main(async () => {
  await installPython('checks', checks);
  const named = process.argv.slice(2);
  const rules = named.length > 0 ? named : ['bans', 'licenses', 'sources'];
  // A warning is a rule that nobody keeps.
  const strict = ['--deny', 'warnings', '--allow', 'duplicate'];
  const cargoDeny = path.join(checks, 'bin', 'cargo-deny');
  await run(cargoDeny, ['--locked', 'check', ...strict, '--hide-inclusion-graph', ...rules]);
});
