'use strict';

// src/error.rs holds every code: of the native part and of lib/, as the types and the pages say.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const { readFileSync, readdirSync } = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');

const native = require('@nodesec/native');
const { makeError } = require('../../lib/errors.js');

const root = path.join(__dirname, '..', '..');
const read = (name) => readFileSync(path.join(root, name), 'utf8');
const codes = [...read('src/error.rs').matchAll(/^ {4}\w+ = "(\w+)",$/gm)].map(([, code]) => code);

/** The text of every file of a folder whose name matches. */
function textOf(folder, pattern) {
  return readdirSync(path.join(root, folder), { recursive: true })
    .filter((name) => pattern.test(name))
    .map((name) => read(path.join(folder, name)))
    .join('\n');
}

test('every code is tested, and documented in the manual', () => {
  const tests = textOf('__test__', /\.test\.m?js$/) + textOf('src', /\.rs$/);
  const documented = read('index.d.ts');
  // No test can make the system's random generator fail, nor find a defect that it has not mended.
  const untested = ['ERR_INTERNAL', 'ERR_RANDOM'];
  assert.ok(codes.length > 50);
  for (const code of codes) {
    if (!untested.includes(code)) assert.match(tests, new RegExp(`['"\`]${code}\\b`), code);
    assert.match(documented, new RegExp(`'${code}'`), code);
  }
});

test('lib throws no code that src/error.rs does not hold', () => {
  const thrown = textOf('lib', /\.js$/).match(/'(?:ERR_[A-Z_]+[A-Z]|ABORT_ERR)'/g);
  // lib/load.js looks at this one, which is Node's.
  const foreign = ['ERR_DLOPEN_DISABLED'];
  for (const code of new Set(thrown.map((text) => text.slice(1, -1)))) {
    if (!foreign.includes(code)) assert.ok(codes.includes(code), code);
  }
});

test('the pages and the types of codes are those of src/error.rs', () => {
  const { status, stderr } = spawnSync(process.execPath, ['scripts/errors.mjs', '--check'], {
    cwd: root,
    encoding: 'utf8',
  });
  assert.equal(stderr, '');
  assert.equal(status, 0);
});

test('each code is in the union of the class that is thrown with it', () => {
  const manual = read('index.d.ts');
  for (const code of codes) {
    const error = makeError(code, 'a message');
    const name = error.constructor.name;
    assert.ok(error instanceof native[name], code);
    const [, union] = new RegExp(`export type ${name}Code =([^]*?);\\n`).exec(manual);
    assert.match(union, new RegExp(`'${code}'`), code);
  }
});

test('the codes of rejections are those that a verifier gives', () => {
  const [, union] = /export type JwtRejectionCode =([^]*?);\n/.exec(read('index.d.ts'));
  const { jwtRejection } = require('../../lib/load.js');
  const given = new Set();
  for (let status = 0; status <= 0xffff; status += 1) {
    const rejection = jwtRejection(status);
    if (rejection) given.add(rejection.code);
  }
  for (const reason of [1, 2, 3]) given.add(jwtRejection(2 | (1 << 8) | (reason << 16)).code);
  assert.deepEqual([...given].sort(), union.match(/\w+_\w+/g).sort());
});
