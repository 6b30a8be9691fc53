'use strict';

// `npm run releasable`: refusals before anything is built, and the paths that a binary must not
// have.

const assert = require('node:assert/strict');
const path = require('node:path');
const { after, test } = require('node:test');

const { Project, checkout } = require('../helpers/project.js');

const project = new Project();
after(() => project.remove());

/** Runs a script of the checkout. */
function script(name, ...args) {
  const { status, stdout, stderr } = project.node(path.join(checkout, 'scripts', name), ...args);
  return { status, printed: stdout + stderr };
}

test('a triple that is no target is refused with the list of targets', () => {
  const { status, printed } = script('releasable.mjs', 'riscv64gc-unknown-linux-gnu');
  assert.equal(status, 1);
  assert.match(printed, /No such target: riscv64gc-unknown-linux-gnu\. There are: x86_64-unknown-linux-gnu/);
});

test('a folder inside of the other is replaced by its own name, wherever cargo has its folder', async () => {
  const { replacedPaths } = await import('../../scripts/lib/release-build.mjs');
  // As compilers do: the last prefix that fits is replaced.
  const replaced = (file, places) => {
    const [from, to] = places.findLast(([prefix]) => file.startsWith(`${prefix}/`));
    return to + file.slice(from.length);
  };
  for (const [home, root] of [
    ['/home/ada/.cargo', '/home/ada/checkout'],
    ['/build/checkout/.cargo', '/build/checkout'],
    ['/data', '/data/checkouts/one'],
  ]) {
    const places = replacedPaths(home, root);
    assert.equal(replaced(`${home}/registry/src/ring/lib.rs`, places), '/cargo/registry/src/ring/lib.rs');
    assert.equal(replaced(`${root}/src/lib.rs`, places), '/nodesec/src/lib.rs');
  }
});

test('verify:build refuses a file that is not there before it builds', () => {
  const { status, printed } = script('verify-build.mjs', path.join(project.folder, 'none.tgz'));
  assert.equal(status, 1);
  assert.match(printed, /there is no file .*none\.tgz/);
});
