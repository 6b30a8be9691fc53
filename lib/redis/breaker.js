'use strict';

// Stops asking a server that does not answer, and finds out when it does again.

/** The failures in a row after which nobody waits for the server. */
const MOST_FAILURES = 5;
/** The time between two questions whether it answers again, in milliseconds. */
const PROBE_MS = 250;

class Breaker {
  #probe;
  #changed;
  #failures = 0;
  /** Why calls fail, from the first failure until the first answer. */
  #reason;
  #nextProbe = 0;
  #isProbing = false;

  /**
   * `probe(key)` asks the server, and tells `answered` or `failed`. It returns undefined if it does
   * not ask with the key of this call. Without it, a call asks: one for each probe.
   * `changed(reason)` is called when calls begin to fail, when the reason changes, and with
   * undefined when the server answers again.
   */
  constructor(probe, changed) {
    this.#probe = probe;
    this.#changed = changed;
  }

  get reason() {
    return this.#reason;
  }

  /** Whether to go on without the server. A call may make it ask again, without a wait. */
  isOpen(key) {
    if (this.#failures < MOST_FAILURES) return false;
    if (!this.#isProbing && performance.now() >= this.#nextProbe) {
      if (this.#probe === undefined) {
        this.#nextProbe = performance.now() + PROBE_MS;
        return false;
      }
      const probed = this.#probe(key);
      if (probed === undefined) return true;
      this.#isProbing = true;
      probed.finally(() => {
        this.#isProbing = false;
        this.#nextProbe = performance.now() + PROBE_MS;
      });
    }
    return true;
  }

  answered() {
    this.#failures = 0;
    this.#become(undefined);
  }

  /** The server has answered, and refuses a key for a reason of that key. */
  refused(reason) {
    this.#failures = 0;
    this.#become(reason);
  }

  failed(reason) {
    this.#failures += 1;
    this.#become(reason);
  }

  #become(reason) {
    if (reason === this.#reason) return;
    this.#reason = reason;
    this.#changed(reason);
  }
}

module.exports = { Breaker };
