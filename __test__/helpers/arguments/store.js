'use strict';

const { mkdtempSync, rmSync } = require('node:fs');
const { tmpdir } = require('node:os');
const path = require('node:path');
const { after, before } = require('node:test');

const { SecretBuffer, Store } = require('@nodesec/native');
const { boolean, instance, integer, name, options, secretly, word } = require('../hostile.js');

const folder = mkdtempSync(path.join(tmpdir(), 'nodesec-arguments-'));
const key = () => SecretBuffer.from(Buffer.alloc(32, 7));
/** A store, and another one on the same directory, which may be closed. */
let opened;
let spare;
/** A store whose list has a clock. */
let clocked;
let copies = 0;

const storePath = () => path.join(folder, 'store');
const storeOptions = () => ({
  key: key(),
  busyMs: 2000,
  onStoreError: 'deny',
  durability: 'power-loss',
  allowFilesystem: false,
});
const open = () => Store.open(storePath(), storeOptions());
const openedStore = () => opened;
const clockedStore = () => clocked;

before(async () => {
  [opened, spare] = [await open(), await open()];
  clocked = await Store.open(path.join(folder, 'clocked'), storeOptions());
});
after(async () => {
  await opened.close();
  await clocked.close();
  // Windows does not allow the removal of a file that is mapped.
  if (process.platform !== 'win32') rmSync(folder, { recursive: true, force: true });
});

const storeKinds = {
  key: secretly(instance(SecretBuffer, key)),
  busyMs: integer,
  onStoreError: word,
  durability: word,
  allowFilesystem: boolean,
};
const store = instance(Store, openedStore);

module.exports = {
  clockedStore,
  openedStore,
  store,
  storeKinds,
  storeOptions,
  storePath,
  rows: {
    'new Store': { refused: true },
    'Store.open': { args: () => [storePath(), storeOptions()], kinds: [name, options(storeKinds)] },
    'Store.prototype.stats': { on: openedStore, args: () => [], kinds: [] },
    'Store.prototype.backup': {
      on: openedStore,
      args: () => [path.join(folder, `copy-${(copies += 1)}`)],
      kinds: [name],
    },
    'Store.prototype.close': { on: () => spare, args: () => [], kinds: [] },
  },
};
