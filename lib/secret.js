'use strict';

const path = require('node:path');
const { inspect, types } = require('node:util');
const { isMainThread } = require('node:worker_threads');

const { attach, construct } = require('./construct.js');
const { makeError } = require('./errors.js');
const native = require('./load.js');
const { Uncloneable } = require('./uncloneable.js');

const { get: byteLengthOf } = Object.getOwnPropertyDescriptor(ArrayBuffer.prototype, 'byteLength');
const { then } = Promise.prototype;

// The bytes live natively; the object has no property that could be printed or copied.
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
    assertMayRead(file);
    return construct(SecretBuffer, (secret) => native.secretFromFile(secret, file, options));
  }

  static fromEnv(name, options) {
    if (!isMainThread) {
      throw makeError(
        'ERR_SECRET_ENV',
        'fromEnv cannot run in a worker thread, which has only a copy of the environment: call it in the main thread and share() the secret',
      );
    }
    let isWiped;
    const secret = construct(SecretBuffer, (own) => {
      isWiped = native.secretFromEnv(own, name, options);
    });
    // `process.env` reads the environment itself, unless somebody has replaced it with a copy. One
    // that cannot be changed keeps its value: the secret is had all the same.
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
      // It may well be rejected for want of the bytes. What is no promise is left alone: there are
      // queries that are sent when their `then` is called.
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
    // Bound when it is first needed: most secrets are never compared.
    // What is no SecretBuffer is refused there.
    if (!(#equals in Object(this))) return native.secretBind(this);
    this.#equals ??= native.secretBind(this);
    return this.#equals(other);
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
    // The prototype, say, or a proxy: a line of a log is no place to fail.
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
    // A proxy that objects.
  }
}

/** Native code is not under Node's permission model, unless it asks. */
function assertMayRead(file) {
  if (typeof file !== 'string' || process.permission === undefined) return;
  if (process.permission.has('fs.read', path.resolve(file))) return;
  const error = makeError(
    'ERR_ACCESS_DENIED',
    'the permission model does not let this process read the file: start Node with --allow-fs-read for it',
  );
  throw Object.assign(error, { permission: 'FileSystemRead', resource: file });
}

/** A copy of a secret's bytes, on loan to `fn`. */
function lend(secret, fn) {
  if (typeof fn !== 'function') {
    throw makeError('ERR_INVALID_ARG_TYPE', 'fn must be a function');
  }
  // Memory of its own: Buffers share theirs with each other.
  const bytes = new Uint8Array(secret.byteLength);
  native.secretCopyInto(secret, bytes);
  const { buffer, byteLength } = bytes;
  // Detached memory has no length: the callee has moved the bytes elsewhere. The engine is asked,
  // not a property that the callee may have put there.
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
