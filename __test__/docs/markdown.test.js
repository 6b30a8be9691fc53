'use strict';

// Every `js` block of the Markdown that git tracks runs by itself and prints what its comments say.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const peers = require('../helpers/peers.js');
const { assertPrints, markdownFiles, markdownSnippets } = require('../helpers/snippets.js');

const snippets = markdownFiles().flatMap(markdownSnippets);

test('the README has a snippet for each capability, of at most fifteen lines', () => {
  const capabilities = ['Passwords', 'Tokens', 'Sessions', 'Rate limits', 'Express and Fastify', 'Secrets', 'Errors'];
  for (const capability of capabilities) {
    const own = snippets.filter(({ name }) => name.startsWith(`README.md, ${capability},`));
    assert.ok(own.length > 0, capability);
    for (const { name, code } of own) assert.ok(code.trim().split('\n').length <= 15, name);
  }
});

for (const { name, code } of snippets) {
  // One shows what Node 24 brought.
  const needs24 = /import \{ argon2, .*\} from 'node:crypto'/.test(code);
  test(`a snippet prints what it says: ${name}`, (t) => {
    const node = needs24 ? peers.node24(t) : process.execPath;
    if (node === undefined) return;
    const args = ['--no-warnings', '--input-type=module', '--eval', code];
    const statements = assertPrints(code, args, { node });
    assert.ok(statements > 0, 'it prints nothing that could be wrong');
  });
}
