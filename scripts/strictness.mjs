// Writes docs/strictness.md: the inputs that this package refuses and others accept. The rows are
// the classes of the differential tests and the tables beside them, so the tests show that each
// holds:
//
// - __test__/helpers/token-differences.js: tokens that jose accepts;
// - src/jwt/tests/differential/classes.rs: tokens that the jsonwebtoken crate accepts;
// - the table of docs/migrating.md: which of jsonwebtoken, jose and fast-jwt accept a token;
// - __test__/helpers/strictness.js: keys, options, passwords and digests.
//
// It fails if a class has no row, or a row has nothing to do.
//
//   node scripts/strictness.mjs            writes the page
//   node scripts/strictness.mjs --check    fails if it is stale

import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

import { main, root } from './lib/run.mjs';
import { strictnessPage } from './lib/strictness.mjs';

const require = createRequire(import.meta.url);
const PAGE = path.join(root, 'docs', 'strictness.md');

await main(async () => {
  const text = strictnessPage({
    jose: require('../__test__/helpers/token-differences.js').STRICTER,
    ...require('../__test__/helpers/strictness.js'),
    classes: readFileSync(path.join(root, 'src/jwt/tests/differential/classes.rs'), 'utf8'),
    guide: readFileSync(path.join(root, 'docs/migrating.md'), 'utf8'),
  });
  if (!process.argv.includes('--check')) {
    writeFileSync(PAGE, text);
  } else if (readFileSync(PAGE, 'utf8') !== text) {
    console.error('docs/strictness.md is stale: run `node scripts/strictness.mjs` and commit the result');
    process.exitCode = 1;
  }
});
