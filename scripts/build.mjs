// npm run build: checks that the machine has the tools, then compiles the native part.

import { build, ensureDependencies } from './lib/ensure.mjs';
import { main } from './lib/run.mjs';
import { requireTools } from './lib/toolchain.mjs';

await main(async () => {
  // Checked before the installation, which takes a while and is of no use without the tools.
  requireTools();
  await ensureDependencies();
  await build();
});
