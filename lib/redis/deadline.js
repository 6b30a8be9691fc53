'use strict';

// A deadline for calls, with one timer for all of them, since all have the same time to wait.

const { afterReading } = require('./after-reading.js');

/** A call that may expire. Those that wait are a list, the oldest first. */
class TimedCall {
  /** When it expires, in milliseconds of the monotonic clock. */
  until = 0;
  waits = false;
  earlier;
  later;
}

class Deadline {
  #ms;
  #expire;
  #oldest;
  #newest;
  #timer;

  /** `expire(call)` is called for each call that does not end in time. */
  constructor(ms, expire) {
    this.#ms = ms;
    this.#expire = expire;
  }

  /** Begins a call, a `TimedCall`. */
  begin(call) {
    call.until = performance.now() + this.#ms;
    call.waits = true;
    call.earlier = this.#newest;
    if (this.#newest === undefined) this.#oldest = call;
    else this.#newest.later = call;
    this.#newest = call;
    if (this.#timer === undefined) this.#timer = setTimeout(() => this.#look(), this.#ms);
  }

  /** Ends a call. Returns whether it is in time. */
  end(call) {
    if (!call.waits) return false;
    call.waits = false;
    const { earlier, later } = call;
    if (earlier === undefined) this.#oldest = later;
    else earlier.later = later;
    if (later === undefined) this.#newest = earlier;
    else later.earlier = earlier;
    call.earlier = undefined;
    call.later = undefined;
    return true;
  }

  #look() {
    afterReading(() => {
      const now = performance.now();
      this.#timer = undefined;
      while (this.#oldest !== undefined) {
        const call = this.#oldest;
        if (call.until > now) {
          this.#timer = setTimeout(() => this.#look(), call.until - now);
          return;
        }
        this.end(call);
        this.#expire(call);
      }
    });
  }
}

module.exports = { Deadline, TimedCall };
