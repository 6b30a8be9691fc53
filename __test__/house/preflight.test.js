'use strict';

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { afterEach, beforeEach, test } = require('node:test');

const { Project, checkout } = require('../helpers/project.js');

let tools;
beforeEach(() => {
  tools = new Project();
});
afterEach(() => tools.remove());

/** Adds a program that answers `--version`, as the tools do that the build checks. */
function addTool(name, answer) {
  fs.chmodSync(tools.write(name, `#!/bin/sh\necho '${answer}'\n`), 0o755);
}

/** Builds on a machine that has only these tools. */
function build(env = {}) {
  const script = path.join(checkout, 'scripts', 'build.mjs');
  const { status, stdout, stderr } = spawnSync(process.execPath, [script], {
    encoding: 'utf8',
    env: { PATH: tools.folder, ...env },
  });
  assert.equal(status, 1);
  assert.equal(stdout, '');
  return stderr.trimEnd().split('\n').slice(1);
}

test('each missing tool is named with its fix', () => {
  const [rust, compiler, ...more] = build();
  assert.match(rust, /^Rust is missing\. Install 1\.\d+ or newer: https:/);
  assert.match(compiler, /^A C compiler is missing \(cc\)\. Run: /);
  assert.deepEqual(more, []);
});

test('a Rust that is too old is named with its version', () => {
  addTool('cargo', 'cargo 1.87.0 (99624be96 2025-05-06)');
  addTool('rustc', 'rustc 1.87.0 (17067e9ac 2025-05-09)');
  addTool('cc', 'cc 12.2.0');
  const expected = 'Rust 1.87.0 is too old, 1.89 is needed. Run: rustup update stable';
  assert.deepEqual(build(), [expected]);
});

test('the preflight looks for the C compiler that the environment names', () => {
  addTool('cargo', 'cargo 1.95.0');
  addTool('rustc', 'rustc 1.95.0');
  addTool('cc', 'cc 12.2.0');
  const [compiler, ...more] = build({ CC: 'no-such-compiler' });
  assert.match(compiler, /^A C compiler is missing \(no-such-compiler\)\. Run: /);
  assert.deepEqual(more, []);
});
