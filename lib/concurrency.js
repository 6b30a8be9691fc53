'use strict';

const { checkText, declareOptions, integer, required, wrongType } = require('./options.js');
const { Uncloneable } = require('./uncloneable.js');

const MOST = 1e9;
const MAX_KEY = 8192;

const read = declareOptions('ConcurrencyLimiter', {
  max: required(integer(1, MOST)),
  perKey: integer(1, MOST),
});

class ConcurrencyLimiter extends Uncloneable {
  #max;
  #perKey;
  #active = 0;
  /** Leases by key, only with `perKey` and only of keys that have some. */
  #byKey = new Map();
  #refused = 0;

  constructor(options) {
    super();
    const { max, perKey } = read(options);
    this.#max = max;
    this.#perKey = perKey;
  }

  acquire(key) {
    if (!this.peek(key).allowed) {
      this.#refused += 1;
      return null;
    }
    this.#active += 1;
    if (this.#perKey === undefined) return new Lease(() => this.#release());
    this.#byKey.set(key, (this.#byKey.get(key) ?? 0) + 1);
    return new Lease(() => this.#release(key));
  }

  peek(key) {
    const total = { limit: this.#max, remaining: this.#max - this.#active, scope: 'total' };
    if (key !== undefined) checkText(key, 'key', MAX_KEY);
    if (this.#perKey === undefined) return { allowed: total.remaining > 0, ...total };
    if (key === undefined) throw wrongType('key', 'a string, because the limiter has perKey');
    const remaining = this.#perKey - (this.#byKey.get(key) ?? 0);
    const own = { limit: this.#perKey, remaining, scope: 'key' };
    const tightest = total.remaining < own.remaining ? total : own;
    return { allowed: tightest.remaining > 0, ...tightest };
  }

  stats() {
    return { max: this.#max, active: this.#active, keys: this.#byKey.size, refused: this.#refused };
  }

  #release(key) {
    this.#active -= 1;
    if (key === undefined) return;
    const left = this.#byKey.get(key) - 1;
    if (left > 0) this.#byKey.set(key, left);
    else this.#byKey.delete(key);
  }
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
