'use strict';

// Remembers denials of the server until their time is over. Until then the same or a higher cost is
// denied in any case: units come back by time only, unless another process gives them back.

class Denials {
  #maxKeys;
  /** By key: `{ cost, at, until, state }`, in milliseconds; the oldest first. */
  #byKey = new Map();

  constructor(maxKeys) {
    this.#maxKeys = maxKeys;
  }

  get size() {
    return this.#byKey.size;
  }

  /** The denial that holds for a cost at a time. */
  find(key, cost, now) {
    const denial = this.#byKey.get(key);
    if (denial === undefined) return undefined;
    if (now >= denial.until) {
      this.#byKey.delete(key);
      return undefined;
    }
    return cost >= denial.cost ? denial : undefined;
  }

  add(key, cost, at, until, state) {
    if (this.#maxKeys === 0) return;
    this.#byKey.delete(key);
    if (this.#byKey.size >= this.#maxKeys) {
      const [oldest] = this.#byKey.keys();
      this.#byKey.delete(oldest);
    }
    this.#byKey.set(key, { cost, at, until, state });
  }

  forget(key) {
    this.#byKey.delete(key);
  }

  clear() {
    this.#byKey.clear();
  }
}

module.exports = { Denials };
