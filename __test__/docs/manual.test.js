'use strict';

// Every example of index.d.ts compiles under strict TypeScript, runs by itself, and prints what its
// comments say.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const { mkdirSync, mkdtempSync, rmSync, writeFileSync } = require('node:fs');
const path = require('node:path');
const { after, test } = require('node:test');

const { assertPrints, manualExamples, root } = require('../helpers/snippets.js');

const examples = manualExamples();
// Inside the package, so that its own name resolves.
mkdirSync(path.join(root, 'target'), { recursive: true });
const folder = mkdtempSync(path.join(root, 'target', 'manual-'));
after(() => rmSync(folder, { recursive: true }));

test('the manual has an example for every class and for most functions', () => {
  assert.ok(examples.length > 40, `${examples.length}`);
});

test('the examples compile under strict TypeScript', () => {
  for (const [index, { code }] of examples.entries()) {
    // A file without imports is a module as well.
    writeFileSync(path.join(folder, `${index}.mts`), `${code}export {};\n`);
  }
  const config = {
    extends: '../../__test__/types/tsconfig.json',
    compilerOptions: { noEmit: false, outDir: 'js', rootDir: '.' },
    include: ['*.mts'],
  };
  writeFileSync(path.join(folder, 'tsconfig.json'), JSON.stringify(config));
  const tsc = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const { status, stdout } = spawnSync(process.execPath, [tsc, '-p', folder], { encoding: 'utf8' });
  assert.equal(stdout, '');
  assert.equal(status, 0);
});

for (const [index, { name, code }] of examples.entries()) {
  test(`an example prints what it says: ${name}`, () => {
    assertPrints(code, [path.join(folder, 'js', `${index}.mjs`)]);
  });
}
