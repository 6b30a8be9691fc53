'use strict';

const { EventEmitter } = require('node:events');

const { publishKeyChanges, watchKeys } = require('./audit/keys.js');
const { attach, construct } = require('./construct.js');
const { makeError } = require('./errors.js');
const { native } = require('./native.js');
const { Uncloneable } = require('./uncloneable.js');

/** For each ring without an active key, the promise of one. It occupies a thread while it lasts. */
const WAITING = new WeakMap();

class KeyRing extends Uncloneable {
  #events = new EventEmitter();
  #listening;

  constructor(options) {
    super();
    attach(this, options, native.keyringAttach);
    watchKeys(this);
  }

  static shared(name, options) {
    return construct(KeyRing, (ring) => native.keyringShare(ring, name, options));
  }

  static unseal(sealed, key, options) {
    return construct(KeyRing, (ring) => native.keyringUnseal(ring, sealed, key, options));
  }

  add(key, options) {
    native.keyringAdd(this, key, options);
    publishKeyChanges();
  }

  revoke(kid) {
    native.keyringRevoke(this, kid);
    publishKeyChanges();
  }

  async rotate(options) {
    const kid = await native.keyringRotate(this, options);
    publishKeyChanges();
    return { kid };
  }

  async ready() {
    await ready(this);
  }

  tick(now) {
    const changes = native.keyringTick(this, now);
    publishKeyChanges();
    return changes.map(change);
  }

  list() {
    return native
      .keyringList(this)
      .map(({ since, ...key }) => ({ ...key, since: new Date(since * 1000) }));
  }

  jwks() {
    return native.keyringJwks(this);
  }

  seal(key) {
    return native.keyringSeal(this, key);
  }

  on(event, listener) {
    const events = this.#events;
    checkListener(event, listener);
    // The callback must not refer to `this`: the native part holds the callback, and the ring could
    // then never be collected.
    this.#listening ??= native.keyringListen(this, (changes) => {
      for (const each of changes) tell(events.listeners('change'), change(each));
    });
    events.on(event, listener);
    return this;
  }

  off(event, listener) {
    const events = this.#events;
    checkListener(event, listener);
    events.off(event, listener);
    if (this.#listening !== undefined && events.listenerCount('change') === 0) {
      native.keyringUnlisten(this, this.#listening);
      this.#listening = undefined;
    }
    return this;
  }
}

async function ready(ring) {
  if (native.keyringSigns(ring)) return;
  if (!WAITING.has(ring)) {
    WAITING.set(ring, native.keyringWait(ring).finally(() => WAITING.delete(ring)));
  }
  await WAITING.get(ring);
}

/** Returns the result of `sign`. If the first key of the ring is still being made, waits for it. */
async function whenReady(ring, sign) {
  try {
    return await sign();
  } catch (error) {
    if (error?.code !== 'ERR_KEYRING_NO_ACTIVE_KEY') throw error;
    await ready(ring);
    return sign();
  }
}

/**
 * Calls each listener with the change. If one throws, the others are still called, and the error
 * becomes an uncaught exception because no caller could catch it.
 */
function tell(listeners, change) {
  for (const listener of listeners) {
    try {
      listener(change);
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  }
}

function change({ at, ...rest }) {
  return { ...rest, at: new Date(at * 1000) };
}

function checkListener(event, listener) {
  if (event !== 'change') {
    throw makeError('ERR_INVALID_ARG_VALUE', "event must be 'change', the only event");
  }
  if (typeof listener !== 'function') {
    throw makeError('ERR_INVALID_ARG_TYPE', 'listener must be a function');
  }
}

module.exports = { KeyRing, whenReady };
