'use strict';

// A deadline for calls, with one timer for all of them, since all have the same time to wait.

/** The result of a call that got none within the deadline. */
const TOO_LATE = Symbol('too late');

class Deadline {
  #ms;
  /** Calls that wait, the oldest first: resolve by when it is too late. */
  #waiting = new Map();
  #timer;

  constructor(ms) {
    this.#ms = ms;
  }

  /** Resolves as `promise` does, or to TOO_LATE. */
  wait(promise) {
    return new Promise((resolve, reject) => {
      this.#waiting.set(resolve, performance.now() + this.#ms);
      const settle = (settled) => (value) => {
        this.#waiting.delete(resolve);
        settled(value);
      };
      promise.then(settle(resolve), settle(reject));
      if (this.#timer === undefined) this.#timer = setTimeout(() => this.#look(), this.#ms);
    });
  }

  #look() {
    // A busy event loop comes here before it reads answers that have long arrived. They are read
    // first.
    setImmediate(() => {
      const now = performance.now();
      for (const [resolve, end] of this.#waiting) {
        if (end > now) {
          this.#timer = setTimeout(() => this.#look(), end - now);
          return;
        }
        this.#waiting.delete(resolve);
        resolve(TOO_LATE);
      }
      this.#timer = undefined;
    });
  }
}

module.exports = { Deadline, TOO_LATE };
