'use strict';

const { isUtf8 } = require('node:buffer');
const { isSharedArrayBuffer, isUint8Array } = require('node:util').types;

const { CHANNELS, publish } = require('./audit/publish.js');
const { makeError } = require('./errors.js');
const { checkText, declareOptions, integer, required, wrongType } = require('./options.js');
const { Uncloneable } = require('./uncloneable.js');

const MOST = 1e9;
const MAX_KEY = 8192;
const DENIED = CHANNELS['limit.denied'];

/** Not the properties of an object, which its owner may have defined. */
const TypedArrayPrototype = Object.getPrototypeOf(Uint8Array.prototype);
const [byteLengthOf, bufferOf] = ['byteLength', 'buffer'].map(
  (name) => Object.getOwnPropertyDescriptor(TypedArrayPrototype, name).get,
);

const read = declareOptions('ConcurrencyLimiter', {
  max: required(integer(1, MOST)),
  perKey: integer(1, MOST),
});

class ConcurrencyLimiter extends Uncloneable {
  #max;
  #perKey;
  #active = 0;
  /** Leases by the text of the key, only with `perKey` and only of keys that have some. */
  #byKey = new Map();
  #refused = 0;

  constructor(options) {
    super();
    const { max, perKey } = read(options);
    this.#max = max;
    this.#perKey = perKey;
  }

  acquire(key) {
    const name = this.#name(key);
    const { allowed, limit, scope } = this.#look(name);
    if (!allowed) {
      this.#refused += 1;
      if (DENIED.hasSubscribers) publish(DENIED, { limit, scope }, { limitKey: key });
      return null;
    }
    this.#active += 1;
    if (this.#perKey === undefined) return new Lease(() => this.#release());
    this.#byKey.set(name, (this.#byKey.get(name) ?? 0) + 1);
    return new Lease(() => this.#release(name));
  }

  peek(key) {
    return this.#look(this.#name(key));
  }

  stats() {
    return { max: this.#max, active: this.#active, keys: this.#byKey.size, refused: this.#refused };
  }

  #name(key) {
    if (key !== undefined) return nameOf(key);
    if (this.#perKey === undefined) return undefined;
    throw wrongType('key', 'a string or a Uint8Array, because the limiter has perKey');
  }

  #look(name) {
    const total = { limit: this.#max, remaining: this.#max - this.#active, scope: 'total' };
    if (this.#perKey === undefined) return { allowed: total.remaining > 0, ...total };
    const remaining = this.#perKey - (this.#byKey.get(name) ?? 0);
    const own = { limit: this.#perKey, remaining, scope: 'key' };
    const tightest = total.remaining < own.remaining ? total : own;
    return { allowed: tightest.remaining > 0, ...tightest };
  }

  #release(name) {
    this.#active -= 1;
    if (name === undefined) return;
    const left = this.#byKey.get(name) - 1;
    if (left > 0) this.#byKey.set(name, left);
    else this.#byKey.delete(name);
  }
}

/** The text under which a key is counted. As for a RateLimiter, text is its bytes in UTF-8. */
function nameOf(key) {
  if (!isUint8Array(key)) {
    if (typeof key !== 'string') throw wrongType('key', 'a string or a Uint8Array');
    checkText(key, 'key', MAX_KEY);
    return key;
  }
  if (isSharedArrayBuffer(bufferOf.call(key))) {
    throw makeError('ERR_INVALID_ARG_VALUE', 'key must not be memory that threads share: copy it');
  }
  const length = byteLengthOf.call(key);
  if (length === 0 || length > MAX_KEY) {
    throw makeError('ERR_OUT_OF_RANGE', `key must be 1 to ${MAX_KEY} bytes long`);
  }
  const bytes = Buffer.from(new Uint8Array(key).buffer);
  // Text that is a key is well-formed, so it never begins with half a surrogate pair.
  return isUtf8(bytes) ? bytes.toString() : `\ud800${bytes.toString('latin1')}`;
}

/** One place of a ConcurrencyLimiter. */
class Lease extends Uncloneable {
  #give;

  constructor(give) {
    super();
    this.#give = give;
  }

  release() {
    this.#give?.();
    this.#give = undefined;
  }

  [Symbol.dispose]() {
    this.release();
  }
}

module.exports = { ConcurrencyLimiter };
