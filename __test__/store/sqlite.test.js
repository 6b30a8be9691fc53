'use strict';

// Other copies of SQLite beside ours in one process. Needs Linux, Node 24 and nm.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const { cpSync, mkdtempSync, rmSync } = require('node:fs');
const { tmpdir } = require('node:os');
const path = require('node:path');
const { test } = require('node:test');

const { SecretBuffer } = require('@nodesec/native');
const { coded } = require('../helpers/outcome.js');
const { missing, node } = require('../helpers/peers.js');
const { StoreProcess } = require('../helpers/store-process.js');
const { REVOKED, StoreService, storeKey, storePath } = require('../helpers/store-service.js');

const onLinux = process.platform === 'linux' ? test : () => {};

const ROOT = path.join(__dirname, '..', '..');

onLinux('a store that another copy of the module has open is ERR_STORE_OPEN until that closes it', async (t) => {
  const copy = installAgain(t);
  const at = storePath(t);
  const key = copy.SecretBuffer.from(Buffer.alloc(32, 9));
  const first = await copy.Store.open(at, { key });
  await assert.rejects(StoreService.open(at), coded('ERR_STORE_OPEN'));
  // The refusal has not touched the lock of the other copy: another process finds it.
  const list = new copy.RevocationList({ store: first });
  await list.revokeSession('first', Math.floor(Date.now() / 1000) + 3600);
  await first.close();
  const service = await StoreService.open(at);
  assert.equal(service.judge('first'), REVOKED);
  await assert.rejects(copy.Store.open(at, { key }), { code: 'ERR_STORE_OPEN' });
  await service.close();
  await (await copy.Store.open(at, { key })).close();
  key.dispose();
});

onLinux('the native part shows no function of SQLite', async (t) => {
  const { builtBinary } = await import('../../scripts/lib/ensure.mjs');
  const { error, status, stdout } = spawnSync('nm', ['-D', builtBinary()], { encoding: 'utf8' });
  if (error !== undefined) {
    missing(t, 'nm', 'install binutils');
    return;
  }
  assert.equal(status, 0);
  assert.match(stdout, /napi_register_module/);
  assert.doesNotMatch(stdout, /sqlite3/i);
});

onLinux('node:sqlite has other databases open in one process with a store that threads use', async (t) => {
  const binary = node(t, 24);
  if (binary === undefined) return;
  const at = storePath(t);
  const program = `
    const { DatabaseSync } = require('node:sqlite');
    const { StoreService, idsOf } = require('./__test__/helpers/store-service.js');
    const [at] = process.argv.slice(1);
    const insert = (database, count) => {
      database.exec('BEGIN IMMEDIATE');
      database.prepare('INSERT INTO t VALUES (?)').run(count);
      database.exec('COMMIT');
    };
    (async () => {
      const service = await StoreService.open(at);
      for (let count = 0; count < 50; count += 1) {
        const database = new DatabaseSync(at + '-other');
        database.exec('PRAGMA journal_mode=WAL; CREATE TABLE IF NOT EXISTS t(n)');
        const revoking = service.revoke(...idsOf('r' + count, 10));
        insert(database, count);
        await revoking;
        if (service.judgeAll(idsOf('r' + count, 10)).join() !== '${REVOKED}') throw new Error('lost');
        database.close();
      }
      const database = new DatabaseSync(at + '-other');
      console.log(database.prepare('SELECT count(*) AS rows FROM t').get().rows);
      console.log(service.judgeAll(idsOf('r7', 10)).join(), service.stats().entries);
      await service.close();
    })();
  `;
  const args = ['--no-warnings', '--eval', program, at];
  const { status, stdout, stderr } = spawnSync(binary, args, { cwd: ROOT, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  assert.deepEqual(stdout.trim().split('\n'), ['50', `${REVOKED} 500`]);
});

onLinux('a process in which node:sqlite has opened the database of a store is refused', async (t) => {
  const binary = node(t, 24);
  if (binary === undefined) return;
  const at = storePath(t);
  const holder = new StoreProcess(t);
  await holder.call('open', at);
  await holder.call('revoke', 'before');
  const program = `
    const { DatabaseSync } = require('node:sqlite');
    const { StoreService } = require('./__test__/helpers/store-service.js');
    const [at] = process.argv.slice(1);
    const database = new DatabaseSync(at + '/store.db');
    database.prepare('SELECT count(*) FROM sqlite_schema').get();
    StoreService.open(at).catch(({ code, message }) => {
      console.log(code, /another copy of this module or by other code/.test(message));
      database.close();
      return StoreService.open(at);
    }).then(async (service) => {
      console.log(service.judge('before'));
      await service.close();
    });
  `;
  const args = ['--no-warnings', '--eval', program, at];
  const { status, stdout, stderr } = spawnSync(binary, args, { cwd: ROOT, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  assert.deepEqual(stdout.trim().split('\n'), ['ERR_STORE_OPEN true', REVOKED]);
  await holder.call('revoke', 'after');
});

/** Loads a second installation of the package, with a native part of its own. */
function installAgain(t) {
  const folder = mkdtempSync(path.join(tmpdir(), 'nodesec-copy-'));
  for (const part of ['index.js', 'lib', 'npm', 'package.json']) {
    cpSync(path.join(ROOT, part), path.join(folder, part), { recursive: true });
  }
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const copy = require(folder);
  assert.notEqual(copy.SecretBuffer, SecretBuffer);
  assert.ok(storeKey() instanceof SecretBuffer);
  return copy;
}
