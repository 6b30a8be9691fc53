'use strict';

const { inspect } = require('node:util');
const workerThreads = require('node:worker_threads');

const { makeError } = require('./errors.js');
const native = require('./load.js');

/** Handed to the constructor by the static methods only. */
const OWN = Symbol('own');

// The bytes live natively; the object has no property that could be printed or copied.
class SecretBuffer {
  #equals;

  constructor(own, fill) {
    if (own !== OWN) {
      throw makeError(
        'ERR_INVALID_ARG_VALUE',
        'SecretBuffer is not constructed: use SecretBuffer.random, .from or .fromString',
      );
    }
    fill(this);
    this.#equals = native.secretBind(this);
    // From Node 22.10 on; before, a clone is an empty object.
    workerThreads.markAsUncloneable?.(this);
  }

  static random(bytes) {
    return new SecretBuffer(OWN, (secret) => native.secretRandom(secret, bytes));
  }

  static from(data, options) {
    return new SecretBuffer(OWN, (secret) => native.secretFrom(secret, data, options));
  }

  static fromString(text, encoding) {
    return new SecretBuffer(OWN, (secret) => native.secretFromString(secret, text, encoding));
  }

  get byteLength() {
    return native.secretLen(this);
  }

  get disposed() {
    return native.secretIsDisposed(this);
  }

  use(fn) {
    if (typeof fn !== 'function') {
      throw makeError('ERR_INVALID_ARG_TYPE', 'fn must be a function');
    }
    // Memory of its own: Buffers share theirs with each other.
    const bytes = new Uint8Array(this.byteLength);
    native.secretCopyInto(this, bytes);
    const { buffer, byteLength } = bytes;
    let result;
    try {
      result = fn(bytes);
    } finally {
      // A view over detached memory has no length: the callee has moved the bytes elsewhere.
      if (byteLength > 0 && buffer.byteLength === byteLength) native.wipe(bytes);
    }
    if (buffer.byteLength !== byteLength) {
      throw makeError(
        'ERR_SECRET_ESCAPED',
        'the bytes lent by use() were transferred elsewhere and could not be wiped: copy what must outlive the call',
      );
    }
    if (typeof result?.then === 'function') {
      result.then(undefined, () => {});
      throw makeError(
        'ERR_INVALID_RETURN_VALUE',
        'the function given to use() returned a promise: the bytes are wiped when it returns, so it must be synchronous',
      );
    }
    return result;
  }

  equals(other) {
    return this.#equals(other);
  }

  dispose() {
    native.secretDispose(this);
  }

  [Symbol.dispose]() {
    this.dispose();
  }

  toString() {
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

const secureHeap = Object.freeze({
  configure(options) {
    native.secureHeapConfigure(options);
  },

  status() {
    return native.secureHeapStatus();
  },

  verify() {
    native.secureHeapVerify();
  },
});

function timingSafeEqual(a, b) {
  return native.timingSafeEqual(a, b);
}

module.exports = { SecretBuffer, secureHeap, timingSafeEqual };
