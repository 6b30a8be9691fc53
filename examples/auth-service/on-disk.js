'use strict';

// Keys, sessions, revocations and limits on the disk of one machine: a login outlives a restart,
// and so does a logout.

const { KeyRing, RevocationList, Sessions, Store } = require('@nodesec/native');

const { createLimiters } = require('./limiters.js');

/** `isWorker` is for one of several processes, which share the limits. */
async function onDisk({ masterKey, places, isWorker, keyOptions, listOptions }) {
  // A login, a refresh and a logout are on the disk before their promises resolve, so an answer
  // that was given holds after a crash and after the loss of power. If the store cannot be read, no
  // token is accepted.
  const store = await Store.open(places.store, { key: masterKey });
  return {
    store,
    keys: await KeyRing.open(store, keyOptions),
    limiters: createLimiters(isWorker ? places.limits : undefined),
    revocations: new RevocationList({ ...listOptions, store }),
    createSessions: (options) => new Sessions({ ...options, store }),
    close: () => store.close(),
  };
}

module.exports = { onDisk };
