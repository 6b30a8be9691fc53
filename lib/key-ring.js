'use strict';

const { publishKeyChanges, watchKeys } = require('./audit/keys.js');
const { attach, construct } = require('./construct.js');
const { NativeEmitter } = require('./emitter.js');
const { native, snapshot } = require('./native.js');
const { Uncloneable } = require('./uncloneable.js');

/** For each ring without an active key, the promise of one. It occupies a thread while it lasts. */
const WAITING = new WeakMap();

class KeyRing extends Uncloneable {
  #events = new NativeEmitter(this, 'change', listen, native.keyringUnlisten);

  constructor(options) {
    super();
    attach(this, options, native.keyringAttach);
    watchKeys(this);
  }

  static shared(name, options) {
    return construct(KeyRing, (ring) => native.keyringShare(ring, name, options));
  }

  static async open(store, options) {
    const carrier = await native.keyringOpen(store, snapshot(options));
    return construct(KeyRing, (ring) => native.keyringFromCarrier(ring, carrier));
  }

  static unseal(sealed, key, options) {
    return construct(KeyRing, (ring) => native.keyringUnseal(ring, sealed, key, options));
  }

  add(key, options) {
    native.keyringAdd(this, key, options, false);
    publishKeyChanges();
  }

  async addAsync(key, options) {
    await native.keyringAdd(this, key, options, true);
    publishKeyChanges();
  }

  revoke(kid) {
    native.keyringRevoke(this, kid, false);
    publishKeyChanges();
  }

  async revokeAsync(kid) {
    await native.keyringRevoke(this, kid, true);
    publishKeyChanges();
  }

  async rotate(options) {
    const kid = await native.keyringRotate(this, options);
    publishKeyChanges();
    return { kid };
  }

  async configure(options) {
    await native.keyringConfigure(this, options);
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
    this.#events.on(event, listener);
    return this;
  }

  off(event, listener) {
    this.#events.off(event, listener);
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

function listen(ring, callback) {
  return native.keyringListen(ring, (changes) => callback(changes.map(change)));
}

function change({ at, ...rest }) {
  return { ...rest, at: new Date(at * 1000) };
}

module.exports = { KeyRing, whenReady };
