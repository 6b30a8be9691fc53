'use strict';

// `npm run releasable`: refusals before anything is built, and the paths that a binary must not
// have.

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
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

test('the C compiler gets a folder with spaces and quotes as one flag', async () => {
  const { flagsOfC } = await import('../../scripts/lib/release-build.mjs');
  const checkout = `/home/ada/Ada's "own" $HOME check out`;
  const flags = flagsOfC([['/home/ada/.cargo', '/cargo'], [checkout, '/nodesec']]);
  const printed = execFileSync('sh', ['-c', String.raw`printf '%s\n' ${flags}`], { encoding: 'utf8' });
  const [cargo, own] = printed.trimEnd().split('\n');
  assert.equal(cargo, '-ffile-prefix-map=/home/ada/.cargo=/cargo');
  assert.equal(own, `-ffile-prefix-map=${checkout}=/nodesec`);
});

test('a folder that a build script would change on its way to the compiler is refused', async () => {
  const { flagsOfC } = await import('../../scripts/lib/release-build.mjs');
  for (const folder of [
    '/a  b', '/a\tb', '/a -Ob', '/a /Ob', '/a=b', `/a${path.delimiter}b`,
  ]) {
    const refused = { message: /^A release cannot be built in or below .+ Use a folder without = and/ };
    assert.throws(() => flagsOfC([[folder, '/nodesec']]), refused, folder);
  }
  assert.match(flagsOfC([['/a b/Own -name', '/nodesec']]), /b\/Own -name=/);
});

test('settings of the machine do not change a release', async () => {
  const { environment } = await import('../../scripts/lib/release-build.mjs');
  const { PATH } = process.env;
  const own = {
    AWS_LC_SYS_NO_ASM: '1',
    AWS_LC_SYS_USE_SYSTEM: '1',
    CARGO_BUILD_TARGET: 'other',
    CARGO_PROFILE_RELEASE_LTO: 'off',
    CFLAGS_x86_64_unknown_linux_gnu: '-O0',
    LIBSQLITE3_FLAGS: '-DOTHER',
    LIBSQLITE3_SYS_USE_PKG_CONFIG: '1',
    OPENSSL_DIR: '/usr',
    RUSTC_WRAPPER: 'sccache',
    RUSTFLAGS: '-Copt-level=0',
    SQLITE_MAX_COLUMN: '1',
  };
  for (const triple of ['x86_64-unknown-linux-gnu', 'x86_64-pc-windows-msvc']) {
    const clean = environment(triple, { PATH, CARGO_HOME: '/cargo-home' });
    assert.deepEqual(environment(triple, { PATH, CARGO_HOME: '/cargo-home', ...own }), clean);
    assert.equal(clean.PATH, PATH);
    assert.equal(clean.AWS_LC_SYS_USE_SYSTEM, '0');
  }
});

test('verify:build refuses a file that is not there before it builds', () => {
  const { status, printed } = script('verify-build.mjs', path.join(project.folder, 'none.tgz'));
  assert.equal(status, 1);
  assert.match(printed, /there is no file .*none\.tgz/);
});
