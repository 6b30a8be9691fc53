'use strict';

// The events of key rings. This thread's watcher collects the changes of its rings.

const { native } = require('../native.js');
const { Uncloneable } = require('../uncloneable.js');
const { outside } = require('./correlation.js');
const { CHANNELS, publish } = require('./publish.js');

/** The channel of a change, by the state that a key has entered. */
const BY_STATE = new Map([
  ['active', CHANNELS['key.rotated']],
  ['retired', CHANNELS['key.retired']],
  ['revoked', CHANNELS['key.revoked']],
  [undefined, CHANNELS['key.removed']],
]);

class Watcher extends Uncloneable {
  constructor() {
    super();
    // A ring's own rotation belongs to no request, also if one has made the first ring.
    native.keyWatcherAttach(this, () => outside(publishKeyChanges));
  }
}

/** Made for the first ring, because most threads have none. */
let watcher;

/** Publishes the changes of a ring from now on. */
function watchKeys(ring) {
  watcher ??= new Watcher();
  native.keyWatcherWatch(watcher, ring);
}

/** Publishes the changes that are waiting. */
function publishKeyChanges() {
  if (watcher === undefined) return;
  for (const change of native.keyWatcherTake(watcher)) {
    // With the null prototype, a missing state is not read from Object.prototype.
    const { kid, alg, from, to } = { __proto__: null, ...change };
    const isNew = from === undefined && to !== undefined;
    const channel = isNew ? CHANNELS['key.added'] : BY_STATE.get(to);
    if (channel?.hasSubscribers) publish(channel, { kid, alg, state: to, from });
  }
}

module.exports = { publishKeyChanges, watchKeys };
