// `npm run workflows`: actionlint and zizmor read the files of .github, or of a folder. actionlint
// looks for mistakes, zizmor for vulnerabilities. Neither uses the network.

import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';

import { ensureDependencies } from './lib/ensure.mjs';
import { installPython } from './lib/locked.mjs';
import { checks } from './lib/peers.mjs';
import { main, root, run } from './lib/run.mjs';

/** Findings that are no mistakes: this actionlint is older than the runners and the permission. */
const OUTDATED = [
  /^label "(?:macos-15|ubuntu-24\.04|ubuntu-24\.04-arm|windows-11-arm|windows-2025)" is unknown\./,
  /^unknown permission scope "attestations"\./,
];

await main(async () => {
  const folder = path.resolve(process.argv[2] ?? path.join(root, '.github'));
  await ensureDependencies();
  const faults = await mistakes(path.join(folder, 'workflows'));
  for (const fault of faults) console.error(fault);
  if (faults.length > 0) process.exitCode = 1;
  await installPython('checks', checks);
  const zizmor = path.join(checks, 'bin', 'zizmor');
  const strict = ['--offline', '--no-progress', '--persona', 'pedantic', '--no-config'];
  await run(zizmor, [...strict, folder]);
  if (faults.length === 0) console.log('Workflows: actionlint and zizmor found nothing.');
});

/** The findings of actionlint, as `file:line:column: message`. */
async function mistakes(folder) {
  // The package is installed only now.
  const { createLinter } = await import('actionlint');
  const lint = await createLinter();
  return readdirSync(folder).flatMap((name) => {
    const file = path.join(folder, name);
    return lint(readFileSync(file, 'utf8'), file)
      .filter(({ message }) => !OUTDATED.some((pattern) => pattern.test(message)))
      .map(({ line, column, message }) => `${name}:${line}:${column}: ${message}`);
  });
}
