'use strict';

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, test } = require('node:test');

const script = path.join(__dirname, '..', '..', 'scripts', 'columns.mjs');
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'nodesec-columns-'));
after(() => fs.rmSync(folder, { recursive: true }));

const words = (length) => 'word '.repeat(length).slice(0, length - 1).concat('.');

/** The numbers of the lines that the check refuses, in a file with these lines. */
function refused(name, ...lines) {
  const file = path.join(folder, name);
  fs.writeFileSync(file, lines.join('\n'));
  const { status, stderr } = spawnSync(process.execPath, [script, file], { encoding: 'utf8' });
  const found = stderr.split('\n').filter(Boolean);
  assert.equal(status, found.length > 0 ? 1 : 0, stderr);
  return found.map((line) => Number(line.slice(file.length + 1).split(':')[0]));
}

test('a comment of 101 columns is refused, one of 100 is not', () => {
  assert.deepEqual(refused('a.rs', `/// ${words(96)}`, `//! ${words(97)}`, `// ${words(98)}`), [2, 3]);
  assert.deepEqual(refused('a.mjs', `/** ${words(97)}`, ` * ${words(97)}`, ` * ${words(98)}`, ' */'), [1, 3]);
  assert.deepEqual(refused('a.js', `call(); // ${words(90)}`, `call('// ${words(97)}');`), [1]);
});

test('a line of code may be longer', () => {
  assert.deepEqual(refused('a.js', `call(${words(97)})`, `const url = 'https://${words(97)}';`), []);
});

test('a line of Markdown of 101 columns is refused, one of 100 is not', () => {
  assert.deepEqual(refused('a.md', words(100), words(101), '', `- ${words(99)}`), [2, 4]);
});

test('tables, blocks of code and the targets of links may be wider', () => {
  const url = `https://example.org/${'path/'.repeat(30)}`;
  const lines = [`| ${words(99)} |`, '```', words(101), '```', `[text](${url})`, `See ${url}`];
  assert.deepEqual(refused('a.md', ...lines, words(101)), [7]);
  assert.deepEqual(refused('a.rs', ...lines.map((line) => `/// ${line}`)), []);
});
