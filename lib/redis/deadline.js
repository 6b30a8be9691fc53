'use strict';

// A deadline for calls, with one timer for all of them, since all have the same time to wait.

class Deadline {
  #ms;
  #expire;
  /** The calls that wait, the oldest first. */
  #waiting = new Set();
  #timer;

  /** `expire(call)` is called for each call that does not end in time. */
  constructor(ms, expire) {
    this.#ms = ms;
    this.#expire = expire;
  }

  /** Begins a call, an object. Sets its `until`. */
  begin(call) {
    call.until = performance.now() + this.#ms;
    this.#waiting.add(call);
    if (this.#timer === undefined) this.#timer = setTimeout(() => this.#look(), this.#ms);
  }

  /** Ends a call. Returns whether it is in time. */
  end(call) {
    return this.#waiting.delete(call);
  }

  #look() {
    // A busy event loop comes here before it reads answers that have long arrived. They are read
    // first.
    setImmediate(() => {
      const now = performance.now();
      this.#timer = undefined;
      for (const call of this.#waiting) {
        if (call.until > now) {
          this.#timer = setTimeout(() => this.#look(), call.until - now);
          return;
        }
        this.#waiting.delete(call);
        this.#expire(call);
      }
    });
  }
}

module.exports = { Deadline };
