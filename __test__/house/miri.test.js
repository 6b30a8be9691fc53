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

/** Runs `npm run miri` with this shell script as cargo. */
function miri(cargo, ...args) {
  fs.chmodSync(tools.write('cargo', `#!/bin/sh\n${cargo}\n`), 0o755);
  const script = path.join(checkout, 'scripts', 'miri.mjs');
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], {
    encoding: 'utf8',
    env: { PATH: tools.folder },
  });
  return { status, stdout, stderr };
}

test('without Miri no test runs, and the message says how to install it', () => {
  const { status, stdout, stderr } = miri('echo "no such component" >&2; exit 1');
  assert.equal(status, 1);
  assert.equal(stdout, '');
  assert.match(stderr, /^Miri is missing, and nothing was run\. Run: rustup .*--component miri,/);
});

test('with Miri, the tests run with strict provenance', () => {
  const { status, stdout } = miri('echo "$@ $MIRIFLAGS"; echo "test result: ok. 3 passed"');
  assert.equal(status, 0);
  assert.match(stdout, /^\+nightly miri test .*-- heap::model_tests .*-Zmiri-strict-provenance/m);
});

test('a run without a test ends with status 1', () => {
  const { status, stderr } = miri('echo "test result: ok. 0 passed"', 'heap::nothing');
  assert.equal(status, 1);
  assert.match(stderr, /no test is called heap::nothing/);
});
