'use strict';

// Asks a server within a deadline, and not at all while it does not answer. No call rejects.

const { CHANNELS, publish } = require('../audit/publish.js');
const { Breaker } = require('./breaker.js');
const { reasonOf } = require('./client.js');
const { Deadline, TimedCall } = require('./deadline.js');

const [DEGRADED, RECOVERED] = [CHANNELS['limit.degraded'], CHANNELS['limit.recovered']];

/** The answers that say nothing about other keys. */
const OF_ONE_KEY = new Set(['FORMAT', 'WRONGTYPE']);

class Call extends TimedCall {
  constructor(key, read, otherwise, resolve, reject) {
    super();
    this.key = key;
    this.read = read;
    this.otherwise = otherwise;
    this.resolve = resolve;
    this.reject = reject;
  }
}

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
      connection.isCluster ? undefined : () => this.#ask(...probe(this.#failedKey), () => {}, () => {}),
      (reason) => this.#publish(reason),
    );
  }

  /** Why the server does not decide; undefined if it does. */
  get reason() {
    return this.#breaker.reason;
  }

  /**
   * Runs a script on a key. Resolves to `read(reply)`, or to `otherwise()` without a reply in time.
   */
  run(script, key, args, read, otherwise) {
    if (this.#breaker.isOpen()) return Promise.resolve(otherwise());
    return this.#ask(script, key, args, read, otherwise);
  }

  #ask(script, key, args, read, otherwise) {
    return new Promise((resolve, reject) => {
      const call = new Call(key, read, otherwise, resolve, reject);
      this.#deadline.begin(call);
      this.#connection.script(script, key, args).then(
        (reply) => this.#answer(call, reply),
        (error) => this.#refuse(call, error),
      );
    });
  }

  #answer(call, reply) {
    // A reply that comes late changes nothing that is remembered of the key.
    if (!call.waits) return;
    let result;
    try {
      result = call.read(reply);
    } catch (error) {
      this.#refuse(call, error);
      return;
    }
    this.#deadline.end(call);
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
    withoutServer(call);
  }

  #fail(call, reason) {
    this.#failedKey = call.key;
    this.#breaker.failed(reason);
    withoutServer(call);
  }

  #publish(reason) {
    if (reason === undefined) {
      if (RECOVERED.hasSubscribers) publish(RECOVERED, {});
    } else if (DEGRADED.hasSubscribers) {
      publish(DEGRADED, { reason, onStoreError: this.#onStoreError });
    }
  }
}

/** Ends a call that the server has not answered. */
function withoutServer({ otherwise, reject, resolve }) {
  try {
    resolve(otherwise());
  } catch (error) {
    reject(error);
  }
}

module.exports = { LimitStore };
