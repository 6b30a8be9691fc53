'use strict';

const assert = require('node:assert/strict');
const { readFileSync, readdirSync } = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');

const root = path.join(__dirname, '..', '..');
const read = (name) => readFileSync(path.join(root, name), 'utf8');

test('every code of tokens and keys is documented, and tested', () => {
  const codes = read('src/error.rs').match(/\bERR_(JWT|KEYRING)_[A-Z_]+/g);
  const tests = readdirSync(path.join(root, '__test__'), { recursive: true }).filter((name) =>
    name.endsWith('.test.js'),
  );
  const tested = tests.map((name) => read(path.join('__test__', name))).join('\n');
  const documented = read('index.d.ts');
  assert.ok(codes.length > 10);
  for (const code of codes) {
    assert.match(documented, new RegExp(`['\`]${code}['\`]`), code);
    assert.match(tested, new RegExp(`\\b${code}\\b`), code);
  }
});
