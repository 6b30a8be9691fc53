// npm run prove: plants secrets in processes of every backend, reads the memory of these processes
// by every reader, and prints which readers found secrets. If a result differs from
// prove/claims.mjs, or a control is not found, the script ends with status 1. Linux only; needs
// gdb, and the right to trace a child.
//
//   npm run prove                      prints the table
//   npm run prove -- --write           prints it and writes it into SECURITY.md
//   npm run prove -- --check           prints it and fails if the table in SECURITY.md differs
//   npm run prove -- --without gcore   leaves out a reader or a backend that this machine lacks
//   npm run prove -- --places          prints where in a process secrets were found


import { ensureBuilt, ensureDependencies } from './lib/ensure.mjs';
import { loadExample } from './lib/example.mjs';
import { main } from './lib/run.mjs';
import { requireTools } from './lib/toolchain.mjs';
import { commandLine } from './lib/usage.mjs';
import { examine } from './prove/examine.mjs';
import { READERS } from './prove/readers.mjs';
import { BACKENDS, CLAIMS } from './prove/claims.mjs';
import { document, isDocumented, render } from './prove/table.mjs';

await main(async () => {
  const options = wanted();
  const isIn = (name) => !options.without.some((without) => name.startsWith(without));
  const backends = BACKENDS.filter(isIn);
  const claims = CLAIMS.filter(({ reader }) => isIn(reader));
  const missing = Object.entries(READERS)
    .filter(([name]) => isIn(name))
    .map(([name, { missing }]) => [name, missing?.()])
    .filter(([, problem]) => problem !== undefined);
  if (missing.length > 0) {
    for (const [name, problem] of missing) console.error(`Cannot read by "${name}": ${problem}`);
    throw new Error('Mend that, or leave the reader out by --without <name>.');
  }

  requireTools();
  await ensureDependencies();
  await ensureBuilt();
  const native = await loadExample('prove');
  const { problems, found } = await examine(native, claims, backends, options);
  const table = render(found, backends);
  console.log(`\n${table}`);
  report(table, problems, options);
});

function wanted() {
  const { values } = commandLine({
    options: {
      write: { type: 'boolean', default: false },
      check: { type: 'boolean', default: false },
      places: { type: 'boolean', default: false },
      without: { type: 'string', multiple: true, default: [] },
    },
  });
  if ((values.write || values.check) && values.without.length > 0) {
    throw new Error('The documented table has every reader and backend: no --without with it.');
  }
  return values;
}

function report(table, problems, { write, check }) {
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) throw new Error(`${problems.length} of the claims do not hold.`);
  console.log('Every control was found, and everything is as claimed.');
  if (write) document(table);
  if (check && !isDocumented(table)) {
    throw new Error('SECURITY.md has another table: run npm run prove -- --write');
  }
}
