// npm run build: checks that the machine has the tools, then compiles the native part.

import { build, ensureDependencies } from './lib/ensure.mjs';
import { main } from './lib/run.mjs';
import { requireTools } from './lib/toolchain.mjs';

await main(async () => {
  // Checked before the installation, which takes a minute and is useless without the tools.
  requireTools();
  await ensureDependencies();
  await build();
});
