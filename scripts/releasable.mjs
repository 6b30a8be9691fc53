// `npm run releasable -- [triple…]`: builds native parts as they are released, in place of those in
// npm/. Without a triple it is the one of this machine. Those for Linux are built on any Linux,
// those for macOS and Windows on their own system. lib/release-build.mjs has the rest.

import { copyFileSync, readFileSync } from 'node:fs';
import path from 'node:path';

import { buildRelease } from './lib/release-build.mjs';
import { main, root } from './lib/run.mjs';
import { hostTriple, platformOf, requireTools } from './lib/toolchain.mjs';
import { chosen, commandLine } from './lib/usage.mjs';

await main(async () => {
  requireTools();
  const { targets } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')).napi;
  const { positionals } = commandLine({ allowPositionals: true });
  const wanted = positionals.length > 0 ? positionals : [hostTriple()];
  chosen('target', wanted, targets);
  for (const triple of wanted) {
    const platform = platformOf(triple);
    const target = path.join(root, 'npm', platform, `nodesec.${platform}.node`);
    copyFileSync(await buildRelease(triple), target);
    console.log(path.relative(root, target));
  }
});
