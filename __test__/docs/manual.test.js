'use strict';

// Every example of the manuals compiles under strict TypeScript, runs by itself, and prints what
// its comments say.

const assert = require('node:assert/strict');
const { rmSync } = require('node:fs');
const path = require('node:path');
const { after, test } = require('node:test');

const { assertPrints, manualExamples } = require('../helpers/snippets.js');
const { compile } = require('../helpers/typescript.js');

const examples = manualExamples();
const { folder, complaints } = compile(examples);
after(() => rmSync(folder, { recursive: true }));

test('the manual has an example for every class and for most functions', () => {
  assert.ok(examples.length > 40, `${examples.length}`);
});

test('the examples compile under strict TypeScript', () => {
  assert.equal(complaints, '');
});

for (const [index, { name, code }] of examples.entries()) {
  test(`an example prints what it says: ${name}`, () => {
    assertPrints(code, [path.join(folder, 'js', `${index}.mjs`)]);
  });
}
