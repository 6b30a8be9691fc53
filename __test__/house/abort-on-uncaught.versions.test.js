'use strict';

// The table of arguments under --abort-on-uncaught-exception, as in abort-on-uncaught.test.js, in the
// other versions of Node that the package supports: each V8 predicts handlers in its own way.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const path = require('node:path');
const { test } = require('node:test');

const peers = require('../helpers/peers.js');

const root = path.join(__dirname, '..', '..');
const table = path.join('__test__', 'house', 'arguments.test.js');

for (const major of [22, 24, 26]) {
  test(`every wrong argument of every function is caught by try in Node ${major}`, (t) => {
    const node = peers.node(t, major);
    if (node === undefined) return;
    const { status, signal, stdout } = spawnSync(
      node,
      ['--abort-on-uncaught-exception', '--test', table],
      { cwd: root, encoding: 'utf8' },
    );
    assert.deepEqual([status, signal], [0, null], stdout.slice(-2000));
    assert.match(stdout, /pass [1-9]/);
  });
}
