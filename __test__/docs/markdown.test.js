'use strict';

// Every `js` block of the Markdown that git tracks runs by itself and prints what its comments say.

const assert = require('node:assert/strict');
const { mkdirSync, mkdtempSync, rmSync, writeFileSync } = require('node:fs');
const path = require('node:path');
const { after, test } = require('node:test');

const peers = require('../helpers/peers.js');
const { assertPrints, markdownFiles, markdownSnippets } = require('../helpers/snippets.js');

// Below the package, which the snippets import by its name. Not all runtimes evaluate an ES module
// that is an argument.
const target = path.join(__dirname, '..', '..', 'target');
mkdirSync(target, { recursive: true });
const folder = mkdtempSync(path.join(target, 'markdown-'));
after(() => rmSync(folder, { recursive: true }));

const snippets = markdownFiles().flatMap(markdownSnippets);

test('the README has a snippet for each capability, of at most fifteen lines', () => {
  const capabilities = ['Passwords', 'Tokens', 'Sessions', 'Rate limits', 'Express and Fastify', 'Secrets', 'Errors'];
  for (const capability of capabilities) {
    const own = snippets.filter(({ name }) => name.startsWith(`README.md, ${capability},`));
    assert.ok(own.length > 0, capability);
    for (const { name, code } of own) assert.ok(code.trim().split('\n').length <= 15, name);
  }
});

for (const [index, { name, code }] of snippets.entries()) {
  // One shows what Node 24 brought.
  const needs24 = /import \{ argon2, .*\} from 'node:crypto'/.test(code);
  test(`a snippet prints what it says: ${name}`, (t) => {
    const node = needs24 ? peers.node24(t) : process.execPath;
    if (node === undefined) return;
    const file = path.join(folder, `${index}.mjs`);
    writeFileSync(file, code);
    const statements = assertPrints(code, [file], { node, env: { NODE_NO_WARNINGS: '1' } });
    assert.ok(statements > 0, 'it prints nothing that could be wrong');
  });
}
