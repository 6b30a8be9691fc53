'use strict';

// Programs that run under --abort-on-uncaught-exception.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const path = require('node:path');

/** Runs a program under the flag, at the root of the checkout. */
function underFlag(node, ...args) {
  // With this variable of the runner of tests, a program that is a test itself would run no test.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  return spawnSync(node, ['--abort-on-uncaught-exception', ...args], {
    cwd: path.join(__dirname, '..', '..'),
    encoding: 'utf8',
    env,
  });
}

function assertTableOfArgumentsPasses(node) {
  assertPasses(node, 'arguments');
}

/** Asserts that a suite of `house` passes under the flag. */
function assertPasses(node, suite) {
  const file = path.join('__test__', 'house', `${suite}.test.js`);
  const { status, signal, stdout } = underFlag(node, '--test', '--test-reporter=tap', file);
  assert.deepEqual([status, signal], [0, null], stdout.slice(-2000));
  assert.match(stdout, /^# pass [1-9]/m);
}

module.exports = { assertPasses, assertTableOfArgumentsPasses, underFlag };
