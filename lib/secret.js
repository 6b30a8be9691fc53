'use strict';

const { inspect, types } = require('node:util');
const { isMainThread } = require('node:worker_threads');

const { attach, construct } = require('./construct.js');
const { makeError } = require('./errors.js');
const { native, settled } = require('./native.js');
const { assertMayReadVariable, permittedPath } = require('./permission.js');
const { moveOffHeap } = require('./small-array.js');
const { Uncloneable } = require('./uncloneable.js');

const { get: byteLengthOf } = Object.getOwnPropertyDescriptor(ArrayBuffer.prototype, 'byteLength');
const { then } = Promise.prototype;

// The bytes are in native memory; the object has no property that could be printed or copied.
class SecretBuffer extends Uncloneable {
  #equals;

  constructor(given) {
    super();
    attach(this, given, () => {
      throw makeError(
        'ERR_INVALID_ARG_VALUE',
        'SecretBuffer cannot be constructed: use one of its static methods, such as SecretBuffer.random',
      );
    });
  }

  static random(bytes) {
    return construct(SecretBuffer, (secret) => native.secretRandom(secret, bytes));
  }

  static from(data, options) {
    return construct(SecretBuffer, (secret) => native.secretFrom(secret, data, options));
  }

  static fromString(text, encoding) {
    return construct(SecretBuffer, (secret) => native.secretFromString(secret, text, encoding));
  }

  static fromFile(file, options) {
    const permitted = permittedPath(file);
    return construct(SecretBuffer, (secret) => native.secretFromFile(secret, permitted, options));
  }

  static fromEnv(name, options) {
    if (!isMainThread) {
      throw makeError(
        'ERR_SECRET_ENV',
        'fromEnv cannot run in a worker thread, which has only a copy of the environment: call it in the main thread and share() the secret',
      );
    }
    assertMayReadVariable(name);
    let isWiped;
    const secret = construct(SecretBuffer, (own) => {
      isWiped = native.secretFromEnv(own, name, options);
    });
    // `process.env` reads the environment itself, unless the application has replaced it with a
    // copy. A copy that cannot be changed keeps the value, and the secret is returned all the same.
    if (isWiped) forgetVariable(name);
    return secret;
  }

  static unseal(sealed, key, options) {
    return construct(SecretBuffer, (secret) => native.secretUnseal(secret, sealed, key, options));
  }

  static adopt(ticket) {
    return construct(SecretBuffer, (secret) => native.secretAdopt(secret, ticket));
  }

  get byteLength() {
    return native.secretLen(this);
  }

  get disposed() {
    return native.secretIsDisposed(this);
  }

  use(fn) {
    const loan = lend(this, fn);
    let result;
    try {
      result = fn(loan.bytes);
    } finally {
      loan.wipe();
    }
    loan.assertReturned();
    if (typeof result?.then === 'function') {
      // The promise may reject because the bytes are wiped, and that rejection is handled here. A
      // thenable that is no promise is left alone: some query builders send their query when `then`
      // is called.
      if (types.isPromise(result)) then.call(result, undefined, () => {});
      throw makeError(
        'ERR_INVALID_RETURN_VALUE',
        'the function given to use() must not return a promise: the bytes are wiped when it returns; use useAsync()',
      );
    }
    return result;
  }

  async useAsync(fn) {
    const loan = lend(this, fn);
    let result;
    try {
      result = await fn(loan.bytes);
    } finally {
      loan.wipe();
    }
    loan.assertReturned();
    return result;
  }

  clone() {
    return construct(SecretBuffer, (copy) => native.secretClone(copy, this));
  }

  equals(other) {
    // Bound at the first call, because most secrets are never compared. If `this` is no
    // SecretBuffer, `secretBind` throws.
    if (!(#equals in Object(this))) return settled(native.secretBind(this)(other));
    this.#equals ??= native.secretBind(this);
    moveOffHeap(other);
    return settled(this.#equals(other));
  }

  seal(key, options) {
    return native.secretSeal(this, key, options);
  }

  share() {
    return native.secretShare(this);
  }

  dispose() {
    native.secretDispose(this);
  }

  [Symbol.dispose]() {
    this.dispose();
  }

  toString() {
    // `this` may be the prototype or a proxy: logging it must not throw.
    if (!(#equals in Object(this))) return '[SecretBuffer]';
    return this.disposed ? '[SecretBuffer disposed]' : `[SecretBuffer ${this.byteLength} bytes]`;
  }

  toJSON() {
    return this.toString();
  }

  [inspect.custom]() {
    return this.toString();
  }

  get [Symbol.toStringTag]() {
    return 'SecretBuffer';
  }
}

/** A secret that the native part has made. */
function secretFromCarrier(carrier) {
  return construct(SecretBuffer, (secret) => native.secretFromCarrier(secret, carrier));
}

function forgetVariable(name) {
  try {
    Reflect.deleteProperty(process.env, name);
  } catch {
    // `process.env` may be a proxy that refuses the deletion.
  }
}

/**
 * Copies a secret's bytes for `fn`. Returns the copy, with functions to wipe it and to check that
 * it was not transferred elsewhere.
 */
function lend(secret, fn) {
  if (typeof fn !== 'function') {
    throw makeError('ERR_INVALID_ARG_TYPE', 'fn must be a function');
  }
  // Not a Buffer: Buffers share their memory with each other.
  const bytes = new Uint8Array(secret.byteLength);
  native.secretCopyInto(secret, bytes);
  const { buffer, byteLength } = bytes;
  // If the callee has transferred the bytes elsewhere, the buffer is detached and its length is 0.
  // The engine's own getter is called, because the callee may have defined a property of that name.
  const isAway = () => byteLengthOf.call(buffer) !== byteLength;
  return {
    bytes,
    wipe() {
      if (byteLength > 0 && !isAway()) native.wipe(bytes);
    },
    assertReturned() {
      if (!isAway()) return;
      throw makeError(
        'ERR_SECRET_ESCAPED',
        'the bytes on loan were transferred elsewhere and could not be wiped: copy them if they must outlive the call',
      );
    },
  };
}

function timingSafeEqual(a, b) {
  return native.timingSafeEqual(a, b);
}

module.exports = { SecretBuffer, secretFromCarrier, timingSafeEqual };
