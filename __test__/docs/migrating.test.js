'use strict';

// Every snippet of docs/migrating.md runs, by itself, and prints what its comments say.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const { readFileSync } = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');

const peers = require('../helpers/peers.js');

const root = path.join(__dirname, '..', '..');
const guide = readFileSync(path.join(root, 'docs', 'migrating.md'), 'utf8');
const snippets = [...guide.matchAll(/## ([^\n]+)\n|```js\n([^]*?)```/g)];

let title;
let number;
for (const [, heading, code] of snippets) {
  if (heading !== undefined) {
    [title, number] = [heading, 0];
    continue;
  }
  number = (number ?? 0) + 1;
  const name = `${title ?? 'the beginning'}, snippet ${number}`;
  // The one that shows what Node 24 brought.
  const needs24 = /import \{ argon2, .*\} from 'node:crypto'/.test(code);
  test(`a snippet prints what it says: ${name}`, (t) => {
    const node = needs24 ? peers.node24(t) : process.execPath;
    if (node === undefined) return;
    const { status, stdout, stderr } = spawnSync(
      node,
      ['--no-warnings', '--input-type=module', '--eval', code],
      { cwd: root, encoding: 'utf8' },
    );
    assert.equal(stderr, '');
    assert.equal(status, 0);
    const said = [...code.matchAll(/^console\.log\(.*\); \/\/ (.*)$/gm)].map(([, text]) => text);
    assert.ok(said.length > 0);
    assert.deepEqual(stdout.trimEnd().split('\n'), said);
  });
}

test('there is a section for each package, with both sides', () => {
  const sections = guide.split(/^## /m).slice(1);
  const hashes = ['npm `argon2`', '`@node-rs/argon2`', 'bcrypt', '`node:crypto`'];
  for (const name of [...hashes, 'jsonwebtoken', 'jose', 'fast-jwt']) {
    const section = sections.find((text) => text.startsWith(`From ${name}\n`));
    assert.match(section, /^Before[^]*```js[^]*^After:[^]*```js/m);
  }
});
