'use strict';

// Asks a server within a deadline, and not at all while it does not answer. The nodes of a cluster
// are servers of their own. No call rejects.

const { CHANNELS, publish } = require('../audit/publish.js');
const { reasonOf } = require('./client.js');
const { Deadline, TimedCall } = require('./deadline.js');
const { NodeBreakers } = require('./node-breakers.js');

const [DEGRADED, RECOVERED] = [CHANNELS['limit.degraded'], CHANNELS['limit.recovered']];

/** The answers that say nothing about other keys. */
const OF_ONE_KEY = new Set(['FORMAT', 'WRONGTYPE']);

class Call extends TimedCall {
  constructor(node, key, read, otherwise, resolve, reject) {
    super();
    this.node = node;
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
  #breakers;
  #probeOf;
  #onStoreError;

  /**
   * `probe(key)` gives the script, a key on the same node and the arguments that tell whether the
   * server answers and takes what is written.
   */
  constructor(connection, { deadlineMs, onStoreError, probe }) {
    this.#connection = connection;
    this.#deadline = new Deadline(deadlineMs, (call) => this.#fail(call, 'deadline'));
    this.#onStoreError = onStoreError;
    this.#probeOf = probe;
    this.#breakers = new NodeBreakers({
      has: (node, key) => connection.nodeOf(key) === node || connection.hasSlots(node),
      probe: (key, settled) => this.#probe(key, settled),
      refresh: (key) => connection.refreshSlots(key),
      changed: (reason) => this.#publish(reason),
    });
  }

  /** The reason why the server, or one of its nodes, does not decide; undefined if all do. */
  get reason() {
    return this.#breakers.reason;
  }

  /**
   * Runs a script on a key. Resolves to `read(reply)`, or to `otherwise()` without a reply in time.
   */
  run(script, key, args, read, otherwise) {
    const node = this.#connection.nodeOf(key);
    if (this.#breakers.isOpen(node, key)) return Promise.resolve(otherwise());
    return this.#ask(node, key, this.#connection.script(script, key, args), read, otherwise);
  }

  #probe(key, settled) {
    const [script, name, args] = this.#probeOf(key);
    const reply = this.#connection.script(script, name, args);
    reply.then(settled, settled);
    return this.#ask(this.#connection.nodeOf(key), key, reply, () => {}, () => {});
  }

  #ask(node, key, sent, read, otherwise) {
    return new Promise((resolve, reject) => {
      const call = new Call(node, key, read, otherwise, resolve, reject);
      this.#deadline.begin(call);
      sent.then(
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
    this.#breakers.answered(call.node);
    call.resolve(result);
  }

  #refuse(call, error) {
    if (!this.#deadline.end(call)) return;
    const reason = reasonOf(error);
    if (!OF_ONE_KEY.has(reason)) {
      this.#fail(call, reason);
      return;
    }
    this.#breakers.refused(call.node, call.key, reason);
    withoutServer(call);
  }

  #fail(call, reason) {
    this.#breakers.failed(call.node, call.key, reason);
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
