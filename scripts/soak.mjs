// npm run soak: calls every export in turn for some minutes, and fails if the process then has more
// memory, descriptors, threads, handles or secrets than after the first fifth of the time. Linux
// only, because it reads /proc.
//
//   npm run soak -- --minutes 10

import path from 'node:path';

import { ensureBuilt, ensureDependencies } from './lib/ensure.mjs';
import { main, root, run } from './lib/run.mjs';
import { commandLine, decimalNumber } from './lib/usage.mjs';

await main(async () => {
  const { values } = commandLine({ options: { minutes: { type: 'string', default: '10' } } });
  // A week at most.
  const minutes = decimalNumber('minutes', values.minutes, { from: 0.1, to: 10_080 });
  await ensureDependencies();
  await ensureBuilt();
  const file = path.join(root, '__test__', 'fuzz', 'soak.js');
  // Warnings are expected: some rows turn protection off, which says so.
  const env = { ...process.env, NODE_NO_WARNINGS: '1' };
  await run(process.execPath, ['--expose-gc', file, `${minutes * 60}`], { env });
});
