'use strict';

// Every line of the checklist in docs/hardening.md names a file and a test that exist.

const assert = require('node:assert/strict');
const { existsSync, readFileSync } = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');

const ROOT = path.join(__dirname, '..', '..');
const text = readFileSync(path.join(ROOT, 'docs', 'hardening.md'), 'utf8');
const rows = [...text.matchAll(/^\| ([^|]+) \| ([^|]+) \| `(hardened[.a-z]*)`: ([^|]+) \|$/gm)];

test('each line of the checklist names a file of the example that exists', () => {
  assert.ok(rows.length >= 40, `${rows.length} lines`);
  for (const [, line, files] of rows) {
    const names = [...files.matchAll(/`([^`]+)`/g)];
    assert.ok(names.length > 0, line);
    for (const [, name] of names) {
      assert.ok(existsSync(path.join(ROOT, 'examples', 'hardened-service', name)), name);
    }
  }
});

test('each line of the checklist names a test that exists', () => {
  for (const [, , , suite, name] of rows) {
    const source = readFileSync(path.join(ROOT, '__test__', 'service', `${suite}.test.js`), 'utf8');
    // Of `is refused for ${name}, with one record` the case stands elsewhere in the file.
    const [, stem = name, kind = ''] = /^(is refused for )(.+), with one record$/.exec(name) ?? [];
    assert.ok(source.includes(stem), `${suite}: ${name}`);
    assert.ok(source.includes(kind), `${suite}: ${name}`);
  }
});

test('no row of the checklist is without a test', () => {
  const tables = text.split(/^\| line \| file \| test \|\n\|---\|---\|---\|\n/m).slice(1);
  const lines = tables.flatMap((table) => table.split('\n\n')[0].trim().split('\n'));
  assert.equal(lines.length, rows.length);
});
