// npm run build: checks what the machine has, then compiles the native part.

import { build, ensureDependencies } from './lib/ensure.mjs';
import { main } from './lib/run.mjs';
import { requireTools } from './lib/toolchain.mjs';

await main(async () => {
  // Before the installation, which takes a while and would be of no use.
  requireTools();
  await ensureDependencies();
  await build();
});
