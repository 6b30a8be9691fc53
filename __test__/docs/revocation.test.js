'use strict';

// Provokes failures of the table in docs/revocation.md, and compares the codes with those of the
// table.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const { tmpdir } = require('node:os');
const path = require('node:path');
const { test } = require('node:test');
const { setTimeout: pause } = require('node:timers/promises');

const {
  JwtIssuer, JwtKey, JwtVerifier, RevocationList, SecretBuffer, Store,
} = require('@nodesec/native');

const ROOT = path.join(__dirname, '..', '..');
const EXPIRES = Math.floor(Date.now() / 1000) + 3600;
const key = SecretBuffer.from(Buffer.alloc(32, 9));
const keys = JwtKey.fromSecret(Buffer.alloc(32, 7), { alg: 'HS256' });
const issuer = new JwtIssuer({ keys, issuer: 'id', expiresIn: '1h' });

/** The row of a failure: the cells for opening, revoking and verifying. */
function row(failure) {
  const page = fs.readFileSync(path.join(ROOT, 'docs', 'revocation.md'), 'utf8');
  const line = page.split('\n').find((text) => text.startsWith(`| ${failure}`));
  assert.ok(line, failure);
  const [, , open, revoke, verify] = line.split('|').map((cell) => cell.trim());
  return { open, revoke, verify };
}

/** A directory with a store that has one revocation, and the objects that use it. */
async function storeOf(t, options) {
  const folder = fs.mkdtempSync(path.join(tmpdir(), 'nodesec-failures-'));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  const at = path.join(folder, 'store');
  const store = await Store.open(at, { key });
  t.after(() => store.close());
  const list = new RevocationList({ store, ...options });
  const verifier = new JwtVerifier({ keys, issuer: 'id', audience: false, revocations: list });
  const token = issuer.sign({ sub: 'ada', sid: 'revoked' });
  await list.revokeSession('revoked', EXPIRES);
  return { folder, at, store, list, judge: () => verifier.tryVerify(token).code };
}

async function codeOf(promise) {
  const { code } = await promise.then(() => ({ code: 'none' }), (error) => error);
  return code;
}

const open = (at, options) =>
  codeOf(Store.open(at, { key, ...options }).then((store) => store.close()));

/** Checks the code against a cell. The token is revoked, so an answer that is correct is a code. */
function holds(cell, code) {
  if (cell === 'answer correctly') assert.equal(code, 'ERR_JWT_REVOKED');
  else assert.ok(cell.includes(`\`${code}\``), `${code} is not in "${cell}"`);
}

test('a changed, a cut and a missing file have the code of the table', async (t) => {
  const expected = row('a file is changed, cut or missing');
  const damages = [
    (file, bytes) => fs.writeFileSync(file, bytes.map((byte) => ~byte)),
    (file, bytes) => fs.truncateSync(file, bytes.length / 2),
    (file) => fs.rmSync(file),
  ];
  for (const damage of damages) {
    for (const name of ['store.db', 'epoch']) {
      // A backup has no other files, in which the rows might be, too.
      const { folder, store } = await storeOf(t);
      const backup = path.join(folder, 'backup');
      await store.backup(backup);
      const file = path.join(backup, name);
      damage(file, fs.readFileSync(file));
      holds(expected.open, await open(backup));
    }
  }
});

test('an older database beside a newer epoch has the code of the table', async (t) => {
  const { folder, list, store } = await storeOf(t);
  const [older, newer] = ['older', 'newer'].map((name) => path.join(folder, name));
  await store.backup(older);
  await list.revokeSession('later', EXPIRES);
  await store.backup(newer);
  fs.cpSync(path.join(older, 'store.db'), path.join(newer, 'store.db'));
  holds(row('an older database beside a newer epoch').open, await open(newer));
  fs.cpSync(path.join(older, 'epoch'), path.join(newer, 'epoch'));
  assert.equal(await open(newer), 'none');
});

test('a store whose directory was moved away has the codes of the table', async (t) => {
  if (process.platform === 'win32') return;
  const { at, judge, list } = await storeOf(t);
  fs.renameSync(at, `${at} moved`);
  while (judge() === 'ERR_JWT_REVOKED') await pause(10);
  const { revoke, verify } = row('the directory is moved, deleted or replaced');
  holds(verify, judge());
  holds(revoke, await codeOf(list.revokeSession('later', EXPIRES)));
});

test('another key, a directory that is open to others and a closed store have their codes', async (t) => {
  const { at, judge, list, store } = await storeOf(t);
  await store.close();
  const closed = row('the store is closed');
  holds(closed.verify, judge());
  holds(closed.revoke, await codeOf(list.revokeSession('later', EXPIRES)));
  holds(row('another key').open, await open(at, { key: SecretBuffer.random(32) }));
  if (process.platform === 'win32') return;
  fs.chmodSync(at, 0o750);
  holds(row('the directory belongs to another user, is open to others').open, await open(at));
});

test('a full list has the code of the table and answers', async (t) => {
  const { judge, list } = await storeOf(t, { maxEntries: 1 });
  const { revoke, verify } = row('the list has `maxEntries` entries');
  holds(revoke, await codeOf(list.revokeSession('later', EXPIRES)));
  holds(verify, judge());
});

test("without a flag of Node's permission model a store has the code of the table", async (t) => {
  const { folder } = await storeOf(t);
  const flag = process.allowedNodeEnvironmentFlags.has('--permission')
    ? '--permission' : '--experimental-permission';
  const at = path.join(folder, 'store of a process with few rights');
  const script = `
    const { SecretBuffer, Store } = require('@nodesec/native');
    Store.open(${JSON.stringify(at)}, { key: SecretBuffer.random(32) })
      .then((store) => store.close())
      .then(() => console.log('opened'), (error) => console.log(error.code));`;
  const run = (...flags) => {
    const args = ['--no-warnings', flag, '--allow-addons', '--allow-fs-read=*', ...flags];
    const options = { cwd: ROOT, encoding: 'utf8' };
    return spawnSync(process.execPath, [...args, '--eval', script], options).stdout.trim();
  };
  holds(row("Node's permission model").open, run());
  assert.equal(run(`--allow-fs-write=${at}*`), 'opened');
});
