// `npm run containers`: hadolint reads the Dockerfile of examples/hardened-service. With Docker,
// the image is also built, from the packed tarballs, and started.

import { spawnSync } from 'node:child_process';
import path from 'node:path';

import { installPython } from './lib/locked.mjs';
import { checks } from './lib/peers.mjs';
import { main, root, run } from './lib/run.mjs';

const FILE = path.join('examples', 'hardened-service', 'container', 'Dockerfile');
const TAG = 'nodesec-hardened-service';

await main(async () => {
  await installPython('checks', checks);
  await run(path.join(checks, 'bin', 'hadolint'), ['--failure-threshold', 'style', FILE]);
  console.log('Containers: hadolint found nothing.');
  if (spawnSync('docker', ['version']).status !== 0) {
    console.log('Containers: there is no Docker here, so the image was not built.');
    return;
  }
  await run('npm', ['run', 'pack:all', '--', path.join(root, 'dist')]);
  await run('docker', ['build', '--file', FILE, '--tag', TAG, '.']);
  // Without its folders, a service names the option that is missing.
  const started = spawnSync('docker', ['run', '--rm', '--read-only', TAG, '/app/examples/hardened-service/trail-server.js']);
  if (!`${started.stderr}`.includes('--data is missing')) {
    throw new Error(`the image does not start: ${started.stderr}`);
  }
});
