'use strict';

// The flags of Deno that the package and its files need, and objects that Deno has finalized.
// Secrets and stores have suites of their own: secret/deno and store/permission.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const { existsSync, mkdtempSync, rmSync, writeFileSync } = require('node:fs');
const { tmpdir } = require('node:os');
const path = require('node:path');
const { test } = require('node:test');

const { LOADING, ROOT, runDeno } = require('../helpers/deno.js');
const { deno } = require('../helpers/peers.js');

test('in Deno the flags that an error of the loader names are the ones that are needed', (t) => {
  const binary = deno(t);
  if (binary === undefined) return;
  const program = `
    try {
      const { SecretBuffer, hash } = load();
      report([SecretBuffer.random(32).byteLength, (await hash('password', { profile: 'test' })).slice(0, 9)]);
    } catch ({ name, code, message }) {
      report({ name, code, message });
    }`;
  const read = `--allow-read=${ROOT}`;
  const denied = runDeno(binary, [read], program);
  const [{ name, code, message }] = denied.reported;
  assert.deepEqual([name, code], ['BindingError', 'ERR_BINDING_PERMISSION']);
  const named = message.match(/--allow-\w+(?:=\w+)?/g);
  const { reported, stderr } = runDeno(binary, [read, ...named], program);
  assert.deepEqual(reported, [[32, '$argon2id']], stderr);
});

test('a process of Deno that may not read NODE_ENV counts as one in production', (t) => {
  const binary = deno(t);
  if (binary === undefined) return;
  const program = `
    const { JwtKey, JwtVerifier, hash } = load();
    const options = { keys: JwtKey.fromSecret(new Uint8Array(32), { alg: 'HS256' }), issuer: 'a', audience: 'b' };
    for (const test of [
      () => hash('password', { profile: 'test' }),
      async () => void new JwtVerifier({ ...options, clock: () => new Date() }),
    ]) report(await test().then(() => 'allowed', ({ code }) => code));`;
  const run = (NODE_ENV, ...flags) =>
    runDeno(binary, ['--allow-ffi', `--allow-read=${ROOT}`, ...flags], program, { NODE_ENV }).reported;
  const refused = ['ERR_PASSWORD_PROFILE', 'ERR_INVALID_ARG_VALUE'];
  assert.deepEqual(run('test'), refused);
  assert.deepEqual(run('production', '--allow-env=NODE_ENV'), refused);
  assert.deepEqual(run('test', '--allow-env=NODE_ENV'), ['allowed', 'allowed']);
});

const FILES = {
  'a limiter of the machine': { use: '{ limit: 1, windowMs: 1000 }', Class: 'RateLimiter', failure: 'LimitError' },
  'a replay cache of the machine': { use: '{ maxEntries: 100 }', Class: 'DpopReplayCache', failure: 'DpopError' },
};

for (const [what, { use, Class, failure }] of Object.entries(FILES)) {
  test(`Deno opens the file of ${what} only with the permission to read and write it`, (t) => {
    const binary = deno(t);
    if (binary === undefined) return;
    const folder = mkdtempSync(path.join(tmpdir(), 'nodesec-deno-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const at = path.join(folder, 'file');
    const program = `
      try {
        load().${Class}.machine(${JSON.stringify(at)}, ${use});
        report('opened');
      } catch ({ name, code, permission, message }) {
        report({ name, code, permission, names: message.includes('--allow-' + permission) });
      }`;
    const run = (...flags) => {
      const { status, reported, stderr } = runDeno(binary, [...LOADING, ...flags], program);
      assert.equal(status, 0, stderr);
      return reported[0];
    };
    const denied = { name: failure, code: 'ERR_ACCESS_DENIED', names: true };
    assert.deepEqual(run(), { ...denied, permission: 'read' });
    assert.deepEqual(run(`--allow-read=${folder}`), { ...denied, permission: 'write' });
    assert.deepEqual(run(`--allow-write=${folder}`), { ...denied, permission: 'read' });
    // The file has another name before it is complete.
    const alone = run(`--allow-read=${at}`, `--allow-write=${at}`);
    assert.deepEqual(alone, { ...denied, permission: 'read' });
    assert.ok(!existsSync(at));
    assert.equal(run(`--allow-read=${folder}`, `--allow-write=${folder}`), 'opened');
  });
}

test('a limit on the size of files is an error in Deno, which leaves SIGXFSZ to end the process', (t) => {
  const binary = deno(t);
  if (binary === undefined || process.platform === 'win32') return;
  const folder = mkdtempSync(path.join(tmpdir(), 'nodesec-deno-'));
  t.after(() => rmSync(folder, { recursive: true }));
  // Deno itself writes files of code, which the limit would end.
  const cached = path.join(folder, 'cache');
  const options = JSON.stringify({ limit: 1, windowMs: 1000, maxKeys: 1_000_000 });
  const child = path.join(ROOT, '__test__', 'helpers', 'opening-child.js');
  const open = [binary, 'run', '--allow-all', child, path.join(folder, 'limits'), options, ''];
  const run = (limit) =>
    spawnSync('sh', ['-c', `ulimit -f ${limit}; exec "$@"`, 'sh', ...open], {
      encoding: 'utf8',
      env: { ...process.env, DENO_DIR: cached, DENO_NO_UPDATE_CHECK: '1' },
    });
  const { status, signal, stdout, stderr } = run(20_000);
  assert.deepEqual([status, signal], [0, null], stderr);
  assert.match(stdout, /^ERR_LIMIT_FILE .*leaves no room/);
  assert.equal(run('unlimited').stdout, '100000\n');
});

/** A module of tests that goes on to use a secret and a list after its tests. */
const GOES_ON = `
  const { test } = require('node:test');
  const { writeSync } = require('node:fs');
  const { RevocationList, SecretBuffer } = require(${JSON.stringify(ROOT)});
  const secret = SecretBuffer.random(32);
  const list = new RevocationList();
  const calls = [() => secret.equals(secret), () => list.isRevoked({ sid: 'one' })];
  const told = new Set();
  const tell = (what) => {
    if (!told.has(what)) writeSync(2, 'told ' + what + '\\n');
    told.add(what);
  };
  const use = () => {
    for (const call of calls) {
      try {
        call();
        tell('a result');
      } catch ({ code, message }) {
        tell(code + ' ' + message);
      }
    }
    setTimeout(use, 0);
  };
  test('the objects are used', use);
`;

test('a call on an object that Deno has finalized throws, and reads no freed memory', (t) => {
  const binary = deno(t);
  if (binary === undefined) return;
  const folder = mkdtempSync(path.join(tmpdir(), 'nodesec-deno-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = path.join(folder, 'late.test.cjs');
  writeFileSync(file, GOES_ON);
  const ended = (name) => `ERR_INVALID_THIS the ${name} was used after its environment had ended`;
  const told = new Set();
  // The module may end before it uses them again.
  for (let round = 0; round < 50 && told.size < 3; round += 1) {
    const args = ['test', '--allow-all', '--no-check', file];
    const { status, stdout, stderr } = spawnSync(binary, args, { encoding: 'utf8' });
    assert.equal(status, 0, stdout + stderr);
    for (const [, what] of `${stdout}${stderr}`.matchAll(/^told (.*)$/gm)) told.add(what);
  }
  assert.deepEqual([...told].sort(), [ended('RevocationList'), ended('SecretBuffer'), 'a result']);
});

/** A module of tests that ends while a thread changes a ring that both share. */
const CHANGES = `
  const { test } = require('node:test');
  const { Worker } = require('node:worker_threads');
  const source = \`
    const { KeyRing } = require(${JSON.stringify(ROOT)});
    const { parentPort } = require('node:worker_threads');
    const ring = KeyRing.shared('late', { alg: 'HS256' });
    const rotate = async () => {
      await ring.rotate({ force: true });
      setTimeout(rotate, 0);
    };
    rotate().then(() => parentPort.postMessage('ready'));
  \`;
  require(${JSON.stringify(ROOT)}).KeyRing.shared('late', { alg: 'HS256' });
  const worker = new Worker(source, { eval: true });
  test('the ring changes', () => new Promise((resolve) => worker.once('message', resolve)));
`;

test('a change of a ring in another thread is no error after the end of an environment in Deno', (t) => {
  const binary = deno(t);
  if (binary === undefined) return;
  const folder = mkdtempSync(path.join(tmpdir(), 'nodesec-deno-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = path.join(folder, 'changes.test.cjs');
  writeFileSync(file, CHANGES);
  for (let round = 0; round < 5; round += 1) {
    const args = ['test', '--allow-all', '--no-check', file];
    const { status, stdout, stderr } = spawnSync(binary, args, { encoding: 'utf8' });
    assert.equal(status, 0, stdout + stderr);
  }
});
