'use strict';

// Paths and options of `Store.open` and `RevocationList.open`, as a caller may give them.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { pathToFileURL } = require('node:url');
const { test } = require('node:test');

const { NodesecError, RevocationList, SecretBuffer, Sessions, Store } = require('@nodesec/native');
const { coded } = require('../helpers/outcome.js');
const { REVOKED, StoreService, storeKey, storePath } = require('../helpers/store-service.js');

const SOON = Math.floor(Date.now() / 1000) + 3600;
const openers = {
  'Store.open': (at, options) => Store.open(at, options),
  'RevocationList.open': (at, options) => RevocationList.open(at, options),
};

/** Paths that no store can have, with the codes of their errors. */
function absurdPaths(folder) {
  const file = path.join(folder, 'file');
  fs.writeFileSync(file, '');
  const types = [undefined, null, 42, NaN, true, 1n, Symbol('path'), {}, [folder], () => folder];
  return [
    ...types.map((value) => [value, 'ERR_INVALID_ARG_TYPE']),
    [Buffer.from(folder), 'ERR_INVALID_ARG_TYPE'],
    [pathToFileURL(folder), 'ERR_INVALID_ARG_TYPE'],
    [Object(folder), 'ERR_INVALID_ARG_TYPE'],
    [new Proxy({}, { get: () => assert.fail('a trap ran') }), 'ERR_INVALID_ARG_TYPE'],
    ['', /^ERR_(INVALID_ARG_VALUE|OUT_OF_RANGE)$/],
    ['\0', 'ERR_INVALID_ARG_VALUE'],
    [`${folder}/a\0b`, 'ERR_INVALID_ARG_VALUE'],
    [`${folder}/\ud800`, 'ERR_INVALID_ARG_VALUE'],
    ['a'.repeat(4097), /^ERR_(INVALID_ARG_VALUE|OUT_OF_RANGE)$/],
    ['a'.repeat(10_000_000), /^ERR_(INVALID_ARG_VALUE|OUT_OF_RANGE)$/],
    [path.join(folder, 'a'.repeat(300)), 'ERR_STORE_OPEN'],
    [path.join(folder, 'missing', 'store'), 'ERR_STORE_OPEN'],
    [file, 'ERR_STORE_OPEN'],
    [path.join(file, 'store'), 'ERR_STORE_OPEN'],
  ];
}

function assertCode(error, code, what) {
  assert.ok(error instanceof NodesecError, what);
  if (typeof code === 'string') assert.equal(error.code, code, what);
  else assert.match(error.code, code, what);
}

for (const [name, open] of Object.entries(openers)) {
  test(`${name} refuses paths that no store can have`, async (t) => {
    const folder = path.dirname(storePath(t));
    for (const [value, code] of absurdPaths(folder)) {
      const what = typeof value === 'string' ? value.slice(0, 50) : typeof value;
      const error = await open(value, { key: storeKey() }).then(
        () => assert.fail(what),
        (error) => error,
      );
      assertCode(error, code, what);
    }
    assert.deepEqual(fs.readdirSync(folder), ['file']);
  });

  test(`${name} refuses options that a store cannot have, and makes nothing`, async (t) => {
    const at = storePath(t);
    const disposed = storeKey();
    disposed.dispose();
    const detached = new Uint8Array(32).fill(1);
    structuredClone(detached.buffer, { transfer: [detached.buffer] });
    const key = storeKey();
    class Options {
      key = key;
    }
    const refused = [
      [undefined, 'ERR_MISSING_OPTION'],
      [{}, 'ERR_MISSING_OPTION'],
      [{ key: undefined }, 'ERR_MISSING_OPTION'],
      ...[null, 'options', 42, [], [key], () => {}, new Options(), Object.create({ key })].map(
        (options) => [options, 'ERR_INVALID_ARG_TYPE'],
      ),
      [{ key: Buffer.alloc(32, 1) }, 'ERR_INVALID_ARG_TYPE'],
      [{ key: detached }, 'ERR_INVALID_ARG_TYPE'],
      [{ key: 'k'.repeat(32) }, 'ERR_INVALID_ARG_TYPE'],
      [{ key: new Proxy(key, {}) }, 'ERR_INVALID_ARG_TYPE'],
      [{ key: Object.create(SecretBuffer.prototype) }, 'ERR_INVALID_ARG_TYPE'],
      [{ key: SecretBuffer.from(Buffer.alloc(31, 1)) }, /^ERR_(OUT_OF_RANGE|INVALID_ARG_VALUE)$/],
      [{ key: disposed }, /^ERR_SECRET/],
      ...[0, -1, 600_001, 2 ** 53, Infinity, NaN, 1.5].map((busyMs) => [
        { key, busyMs },
        /^ERR_(OUT_OF_RANGE|INVALID_ARG_VALUE|INVALID_ARG_TYPE)$/,
      ]),
      ...['5', 5n, null, {}, true].map((busyMs) => [{ key, busyMs }, 'ERR_INVALID_ARG_TYPE']),
      ...['', 'power', 'POWER-LOSS', 'a'.repeat(10_000_000)].map((durability) => [
        { key, durability },
        /^ERR_INVALID_ARG/,
      ]),
      [{ key, onStoreError: 'ignore' }, 'ERR_INVALID_ARG_VALUE'],
      [{ key, onStoreError: true }, 'ERR_INVALID_ARG_TYPE'],
      [{ key, allowFilesystem: 1 }, 'ERR_INVALID_ARG_TYPE'],
      [{ key, busy: 5 }, 'ERR_UNKNOWN_OPTION'],
      [{ key, store: 1 }, 'ERR_UNKNOWN_OPTION'],
    ];
    for (const [index, [options, code]] of refused.entries()) {
      const error = await open(at, options).then(
        () => assert.fail(`case ${index} opens`),
        (error) => error,
      );
      assertCode(error, code, `case ${index}: ${error.stack}`);
    }
    assert.ok(!fs.existsSync(at));
  });

  test(`${name} reads each option once, and passes on what a getter throws`, async (t) => {
    const at = storePath(t);
    const read = [];
    const members = { key: storeKey(), busyMs: 100, durability: 'process', onStoreError: 'deny' };
    const getters = {};
    for (const [member, value] of Object.entries(members)) {
      const get = () => {
        read.push(member);
        return value;
      };
      Object.defineProperty(getters, member, { get, enumerable: true });
    }
    await (await open(at, getters)).close();
    assert.deepEqual(read, Object.keys(members));
    read.length = 0;
    const get = (target, member) => {
      read.push(member);
      return target[member];
    };
    await (await open(at, new Proxy(members, { get }))).close();
    assert.deepEqual(read, Object.keys(members));
    const thrown = new RangeError('of the getter');
    const throwing = { key: storeKey(), get busyMs() { throw thrown; } };
    await assert.rejects(open(at, throwing), (error) => error === thrown);
  });
}

test('a second opener gives the same key and options, or is refused and changes nothing', async (t) => {
  const at = storePath(t);
  const service = await StoreService.open(at, { busyMs: 500 });
  await assert.rejects(Store.open(at, { key: storeKey(8), busyMs: 500 }), coded('ERR_STORE_KEY'));
  const key = storeKey();
  for (const options of [
    {},
    { busyMs: 501 },
    { busyMs: 500, durability: 'process' },
    { busyMs: 500, onStoreError: 'allow' },
    { busyMs: 500, allowFilesystem: true },
  ]) {
    await assert.rejects(Store.open(at, { key, ...options }), coded('ERR_INVALID_ARG_VALUE'));
  }
  assert.equal(service.stats().openers, 1);
  const relative = path.relative(process.cwd(), at);
  for (const same of [`${at}/`, `${at}/../store`, relative]) {
    const other = await Store.open(same, { key, busyMs: 500, durability: 'power-loss' });
    assert.equal(service.stats().openers, 2);
    await other.close();
  }
  key.dispose();
  await service.revoke('after');
  assert.equal(service.judge('after'), REVOKED);
  await service.close();
  await (await StoreService.open(at, { busyMs: 501, onStoreError: 'allow' })).close();
});

test('RevocationList.open closes its store if the list cannot be made', async (t) => {
  const at = storePath(t);
  const key = storeKey();
  for (const options of [{ maxEntries: 0 }, { maxEntries: NaN }, { maxTokenTtl: 'soon' }, { onFull: 'no' }]) {
    await assert.rejects(RevocationList.open(at, { key, ...options }), { code: /^ERR_/ });
  }
  // The store would refuse other options if it were open.
  const list = await RevocationList.open(at, { key, busyMs: 77, maxEntries: 100 });
  await list.revokeSession('one', SOON);
  await assert.rejects(RevocationList.open(at, { key, busyMs: 77, maxEntries: 101 }), coded('ERR_INVALID_ARG_VALUE'));
  const same = await RevocationList.open(at, { key, busyMs: 77, maxEntries: 100 });
  assert.equal(same.isRevoked({ sid: 'one' }), true);
  await same.close();
  assert.equal(list.isRevoked({ sid: 'one' }), true);
  await list.close();
  assert.throws(() => list.isRevoked({ sid: 'one' }), coded('ERR_STORE_CLOSED'));
  await list.close();
});

test('a list takes an open store only, and leaves it open when it is closed itself', async (t) => {
  const at = storePath(t);
  const service = await StoreService.open(at);
  const { store } = service;
  for (const other of [null, {}, 'store', new Proxy(store, {}), Object.create(Store.prototype), Store]) {
    assert.throws(() => new RevocationList({ store: other }), coded('ERR_INVALID_ARG_TYPE'));
  }
  assert.throws(() => new RevocationList({ store, maxEntries: 7 }), coded('ERR_INVALID_ARG_VALUE'));
  assert.throws(() => new Store(), { code: /^ERR_/ });
  assert.throws(() => structuredClone(store), { name: 'DataCloneError' });
  const list = new RevocationList({ store });
  await list.revokeSession('one', SOON);
  await list.close();
  assert.equal(service.judge('one'), REVOKED);
  assert.equal(list.isRevoked({ sid: 'one' }), true);
  const other = await StoreService.open(at);
  await service.close();
  assert.throws(() => new RevocationList({ store }), coded('ERR_STORE_CLOSED'));
  assert.equal(other.judge('one'), REVOKED);
  await other.close();
  // Nothing is committed between this opening and the last close.
  const last = await StoreService.open(at);
  await last.close();
  assert.throws(() => new RevocationList({ store: last.store }), coded('ERR_STORE_CLOSED'));
  assert.throws(() => new RevocationList({ store }), coded('ERR_STORE_CLOSED'));
});

test('the lists, and the sessions, on a store have one clock, which is told by its function', async (t) => {
  const service = await StoreService.open(storePath(t));
  const { issuer, store, revocations } = service;
  let now = Date.now();
  const clock = () => new Date(now);
  for (const options of [{ clock }, { clock: () => new Date() }]) {
    assert.throws(() => new RevocationList({ store, ...options }), coded('ERR_INVALID_ARG_VALUE'));
  }
  const one = new Sessions({ issuer, store, revocations, clock });
  const other = new Sessions({ issuer, store, revocations, clock });
  for (const options of [{}, { clock: () => new Date(now) }]) {
    assert.throws(() => new Sessions({ issuer, store, revocations, ...options }), coded('ERR_INVALID_ARG_VALUE'));
  }
  await one.start('ada');
  now += 60_000;
  assert.equal((await other.list('ada')).length, 1);
  await service.close();
  const clocked = await StoreService.open(storePath(t), { clock });
  assert.ok(new RevocationList({ store: clocked.store, clock }));
  assert.throws(() => new RevocationList({ store: clocked.store }), coded('ERR_INVALID_ARG_VALUE'));
  await clocked.close();
});

if (process.platform !== 'win32') {
  test('a directory that is not private, or that a link names, is refused with a reason', async (t) => {
    const at = storePath(t);
    await (await StoreService.open(at)).close();
    fs.chmodSync(at, 0o750);
    await assert.rejects(StoreService.open(at), (error) => /chmod 700/.test(error.message) && coded('ERR_STORE_OPEN')(error));
    fs.chmodSync(at, 0o700);
    fs.symlinkSync(at, `${at}-link`);
    await assert.rejects(StoreService.open(`${at}-link`), coded('ERR_STORE_OPEN'));
    fs.renameSync(path.join(at, 'store.db'), path.join(at, 'moved'));
    fs.symlinkSync('moved', path.join(at, 'store.db'));
    await assert.rejects(StoreService.open(at), coded('ERR_STORE_OPEN'));
    for (const system of ['/', '/proc', '/dev/null']) {
      await assert.rejects(StoreService.open(system), { code: /^ERR_STORE_(OPEN|FILESYSTEM)$/ });
    }
  });
}
