'use strict';

// Asks a server within a deadline, and not at all while it does not answer. No call rejects.

const { CHANNELS, publish } = require('../audit/publish.js');
const { Breaker } = require('./breaker.js');
const { reasonOf } = require('./client.js');
const { Deadline, TOO_LATE } = require('./deadline.js');

const [DEGRADED, RECOVERED] = [CHANNELS['limit.degraded'], CHANNELS['limit.recovered']];

class LimitStore {
  #connection;
  #script;
  #deadline;
  #breaker;
  #onStoreError;
  /** The keys and the arguments that ask the server whether it answers. */
  #probe;

  constructor(connection, script, deadlineMs, onStoreError) {
    this.#connection = connection;
    this.#script = script;
    this.#deadline = new Deadline(deadlineMs);
    this.#onStoreError = onStoreError;
    this.#breaker = new Breaker(
      () => this.#ask(...this.#probe),
      (reason) => this.#publish(reason),
    );
  }

  /** Why the server does not decide; undefined if it does. */
  get reason() {
    return this.#breaker.reason;
  }

  /**
   * Runs the script on a key and resolves to `read(reply)`, or to undefined if no reply came in
   * time. `probe` is `[key, args]` of a script that writes on the same node.
   */
  async run(key, args, read, probe) {
    if (this.#breaker.isOpen()) return undefined;
    return this.#ask(key, args, read, probe);
  }

  async #ask(key, args, read = Boolean, probe = this.#probe) {
    let reason = 'deadline';
    try {
      const reply = await this.#deadline.wait(this.#connection.script(this.#script, [key], args));
      if (reply !== TOO_LATE) {
        const result = read(reply);
        this.#breaker.answered();
        return result;
      }
    } catch (error) {
      reason = reasonOf(error);
    }
    this.#probe = probe;
    this.#breaker.failed(reason);
    return undefined;
  }

  #publish(reason) {
    if (reason === undefined) {
      if (RECOVERED.hasSubscribers) publish(RECOVERED, {});
    } else if (DEGRADED.hasSubscribers) {
      publish(DEGRADED, { reason, onStoreError: this.#onStoreError });
    }
  }
}

module.exports = { LimitStore };
