// npm run build: checks what the machine has, then compiles the native part.

import { build, ensureDependencies } from './lib/ensure.mjs';
import { main } from './lib/run.mjs';

await main(async () => {
  await ensureDependencies();
  await build();
});
