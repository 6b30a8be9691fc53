'use strict';

// The permission models of Node and Deno, which do not cover native code.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const { existsSync, mkdirSync } = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');

const { LOADING, ROOT, runDeno } = require('../helpers/deno.js');
const peers = require('../helpers/peers.js');
const { storePath } = require('../helpers/store-service.js');

/** Opens the store, revokes, makes a backup, and prints what comes of it. */
const USE = `
  const told = ({ name, code, permission, resource, message }) =>
    console.log(JSON.stringify({ name, code, permission, resource, message }));
  (async () => {
    const key = native.SecretBuffer.from(new Uint8Array(32).fill(9));
    const store = await native.Store.open(at, { key });
    const list = new native.RevocationList({ store });
    await list.revokeSession('one', Date.now() / 1000 + 60);
    console.log(list.isRevoked({ sid: 'one' }));
    await store.backup(at + '-copy').catch(told);
    await store.close();
  })().catch(told);
`;

const isNode = process.versions.bun === undefined && process.versions.deno === undefined;
const runtimes = {
  ...(isNode && { 'this Node': () => process.execPath }),
  'Node 24': (t) => peers.node(t, 24),
};

for (const [name, find] of Object.entries(runtimes)) {
  test(`${name} opens a store only with the permission to read and write it`, (t) => {
    const binary = find(t);
    if (binary === undefined) return;
    const at = storePath(t);
    const copy = `${at}-copy`;
    const [read, write] = ['read', 'write'].map((verb) => (file) => `--allow-fs-${verb}=${file}`);
    const program = `const native = require('.'); const [at] = process.argv.slice(1); ${USE}`;
    const isModern = spawnSync(binary, ['--permission', '--version']).status === 0;
    const run = (...flags) => {
      const model = isModern ? '--permission' : '--experimental-permission';
      const args = ['--no-warnings', model, '--allow-addons', read(`${ROOT}/*`), ...flags];
      return lines(spawnSync(binary, [...args, '--eval', program, at], { cwd: ROOT, encoding: 'utf8' }));
    };
    const denied = (permission, resource) => (line) => {
      const { name, message, ...error } = JSON.parse(line);
      assert.equal(name, 'StoreError');
      assert.deepEqual(error, { code: 'ERR_ACCESS_DENIED', permission, resource });
      assert.match(message, permission === 'FileSystemRead' ? /--allow-fs-read/ : /--allow-fs-write/);
    };
    const check = (output, expected) => {
      assert.equal(output.length, expected.length, output.join('\n'));
      expected.forEach((fits, index) => fits(output[index]));
    };
    const revoked = (line) => assert.equal(line, 'true');
    check(run(), [denied('FileSystemRead', at)]);
    check(run(read(`${at}/*`)), [denied('FileSystemWrite', at)]);
    check(run(write(`${at}/*`)), [denied('FileSystemRead', at)]);
    // One of the files is not enough.
    check(run(read(`${at}/*`), write(`${at}/store.db`)), [denied('FileSystemWrite', at)]);
    assert.ok(!existsSync(at));
    mkdirSync(at, { mode: 0o700 });
    check(run(read(`${at}/*`), write(`${at}/*`)), [revoked, denied('FileSystemRead', copy)]);
    assert.ok(!existsSync(copy));
    const all = `${path.dirname(at)}/*`;
    check(run(read(all), write(all)), [revoked]);
    assert.ok(existsSync(path.join(copy, 'store.db')));
  });
}

test('Deno opens a store only with the permission to read and write it', (t) => {
  const binary = peers.deno(t);
  if (binary === undefined) return;
  const at = storePath(t);
  const program = `
    const native = load();
    const at = ${JSON.stringify(at)};
    ${USE}
  `;
  const run = (...flags) => {
    const { status, reported, stderr } = runDeno(binary, [...LOADING, ...flags], program);
    assert.equal(status, 0, stderr);
    return reported;
  };
  for (const [flags, permission] of [
    [[], 'read'],
    [[`--allow-read=${at}`], 'write'],
    [[`--allow-write=${at}`], 'read'],
  ]) {
    const output = run(...flags);
    assert.equal(output.length, 1, JSON.stringify(output));
    const [{ name, code, permission: missed, message }] = output;
    assert.deepEqual([name, code, missed], ['StoreError', 'ERR_ACCESS_DENIED', permission]);
    assert.match(message, new RegExp(`--allow-${permission}`));
    assert.match(message, new RegExp(permission));
  }
  assert.ok(!existsSync(at));
  const folder = path.dirname(at);
  assert.deepEqual(run(`--allow-read=${folder}`, `--allow-write=${folder}`), [true]);
});

function lines({ status, stdout, stderr }) {
  assert.equal(status, 0, stderr);
  return stdout.trim().split('\n');
}
