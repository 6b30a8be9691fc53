'use strict';

// Asks a server within a deadline, and not at all while it does not answer. No call rejects.

const { CHANNELS, publish } = require('../audit/publish.js');
const { Breaker } = require('./breaker.js');
const { reasonOf } = require('./client.js');
const { Deadline } = require('./deadline.js');

const [DEGRADED, RECOVERED] = [CHANNELS['limit.degraded'], CHANNELS['limit.recovered']];

/** The answers that say nothing about other keys. */
const OF_ONE_KEY = new Set(['FORMAT', 'WRONGTYPE']);

class LimitStore {
  #connection;
  #deadline;
  #breaker;
  #onStoreError;
  /** The key of the last call that failed. */
  #failedKey;

  /**
   * `probe(key)` gives the script, a key on the same node and the arguments that tell whether the
   * server answers and takes what is written.
   */
  constructor(connection, { deadlineMs, onStoreError, probe }) {
    this.#connection = connection;
    this.#deadline = new Deadline(deadlineMs, (call) => this.#fail(call, 'deadline'));
    this.#onStoreError = onStoreError;
    // In a cluster the node of one key may be away for long, so that calls of all keys ask.
    this.#breaker = new Breaker(
      connection.isCluster ? undefined : () => this.#ask(...probe(this.#failedKey), () => {}),
      (reason) => this.#publish(reason),
    );
  }

  /** Why the server does not decide; undefined if it does. */
  get reason() {
    return this.#breaker.reason;
  }

  /** Runs a script on a key. Resolves to `read(reply)`, or to undefined without a reply in time. */
  run(script, key, args, read) {
    return this.#breaker.isOpen() ? Promise.resolve(undefined) : this.#ask(script, key, args, read);
  }

  #ask(script, key, args, read) {
    return new Promise((resolve) => {
      const call = { key, read, resolve, until: 0 };
      this.#deadline.begin(call);
      this.#connection.script(script, key, args).then(
        (reply) => this.#answer(call, reply),
        (error) => this.#refuse(call, error),
      );
    });
  }

  #answer(call, reply) {
    let result;
    try {
      result = call.read(reply);
    } catch (error) {
      this.#refuse(call, error);
      return;
    }
    if (!this.#deadline.end(call)) return;
    this.#breaker.answered();
    call.resolve(result);
  }

  #refuse(call, error) {
    if (!this.#deadline.end(call)) return;
    const reason = reasonOf(error);
    if (!OF_ONE_KEY.has(reason)) {
      this.#fail(call, reason);
      return;
    }
    this.#breaker.refused(reason);
    call.resolve(undefined);
  }

  #fail({ key, resolve }, reason) {
    this.#failedKey = key;
    this.#breaker.failed(reason);
    resolve(undefined);
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
