'use strict';

// A deadline for calls, with one timer for all of them, since all have the same time to wait.

class Deadline {
  #ms;
  /** The calls that wait, the oldest first. */
  #waiting = new Set();
  #timer;

  constructor(ms) {
    this.#ms = ms;
  }

  /** Begins a call, whose `expire()` is called unless the call ends in time. */
  begin(expire) {
    const call = { until: performance.now() + this.#ms, expire };
    this.#waiting.add(call);
    if (this.#timer === undefined) this.#timer = setTimeout(() => this.#look(), this.#ms);
    return call;
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
        call.expire();
      }
    });
  }
}

module.exports = { Deadline };
