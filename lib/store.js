'use strict';

const { CHANNELS, publish } = require('./audit/publish.js');
const { attach, construct } = require('./construct.js');
const { makeError } = require('./errors.js');
const { native, snapshot } = require('./native.js');
const { permittedFolder } = require('./permission.js');
const { Uncloneable } = require('./uncloneable.js');

const LOST = CHANNELS['store.lost'];

/** The file systems about which this thread has warned. */
const warned = new Set();

class Store extends Uncloneable {
  constructor(options) {
    super();
    attach(this, options, () => {
      throw makeError('ERR_INVALID_ARG_VALUE', 'Store cannot be constructed: use Store.open');
    });
  }

  static async open(path, options) {
    return openStore(path, snapshot(options), false);
  }

  stats() {
    const { lostAt, ...stats } = { __proto__: null, ...native.storeStats(this) };
    return { ...stats, lostAt: lostAt === undefined ? undefined : new Date(lostAt) };
  }

  async backup(path) {
    await native.storeBackup(this, permittedFolder(path));
  }

  async close() {
    await native.storeClose(this);
  }
}

/** Opens a store. With `ofList` the options are those of `RevocationList.open`. */
async function openStore(path, options, ofList) {
  const carrier = await native.storeOpen(permittedFolder(path), options, ofList);
  return construct(Store, (store) => {
    // With the null prototype, a missing member is not read from Object.prototype.
    const { filesystem, lostAt } = { __proto__: null, ...native.storeFromCarrier(store, carrier) };
    warn(filesystem);
    if (lostAt !== undefined && LOST.hasSubscribers) publish(LOST, { lostAt });
  });
}

/** Warns of a file system that only `allowFilesystem` permits. */
function warn(filesystem) {
  if (filesystem === undefined || warned.has(filesystem)) return;
  warned.add(filesystem);
  process.emitWarning(
    `a store is on the file system ${filesystem}: if another machine uses it too, revocations are lost`,
    { code: 'NODESEC_STORE_FILESYSTEM' },
  );
}

module.exports = { Store, openStore };
