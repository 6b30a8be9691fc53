'use strict';

// Every snippet of the Markdown files and of the manual compiles under strict TypeScript, with the
// oldest version that the package supports and with the newest.

const assert = require('node:assert/strict');
const { rmSync } = require('node:fs');
const { test } = require('node:test');

const peers = require('../helpers/peers.js');
const { manualExamples, markdownFiles, markdownSnippets } = require('../helpers/snippets.js');
const { compile } = require('../helpers/typescript.js');

const snippets = [...markdownFiles().flatMap(markdownSnippets), ...manualExamples()];

function assertCompiles(tsc) {
  const { folder, complaints } = compile(snippets, tsc);
  rmSync(folder, { recursive: true });
  assert.equal(complaints, '');
}

test('every snippet compiles with TypeScript 7', () => {
  assertCompiles();
});

test('every snippet compiles with TypeScript 5.4', (t) => {
  const tsc = peers.typescript54(t);
  if (tsc !== undefined) assertCompiles(tsc);
});
