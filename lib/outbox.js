'use strict';

const { native, settled } = require('./native.js');
const { Uncloneable } = require('./uncloneable.js');

/** The promises of revocations on a store, which the native part settles by their tickets. */
class Outbox extends Uncloneable {
  /** The number by which the native part knows it on this thread. */
  number;
  /** Ticket → the functions that settle its promise. */
  #waiting = new Map();
  #isListening = false;
  #hasTurn = false;

  constructor() {
    super();
    this.number = native.outboxAttach(this);
  }

  /** A promise of the result of a call. Runs `then` before a promise is fulfilled. */
  promise(ticket, then) {
    const promise = new Promise((resolve, reject) => {
      this.#waiting.set(ticket, { resolve, reject, then });
    });
    if (!this.#isListening) this.#listen();
    if (!this.#hasTurn) {
      this.#hasTurn = true;
      // After the microtasks, in which the other callers of the last transaction revoke again.
      process.nextTick(() => {
        this.#hasTurn = false;
        native.outboxEndTurn(this);
      });
    }
    return promise;
  }

  /** Settles promises until none waits. Meanwhile the process does not end by itself. */
  async #listen() {
    this.#isListening = true;
    while (this.#waiting.size > 0) {
      const { tickets, outcomes } = await native.outboxResults(this);
      tickets.forEach((ticket, index) => this.#settle(ticket, outcomes[index]));
    }
    this.#isListening = false;
  }

  #settle(ticket, outcome) {
    const { resolve, reject, then } = this.#waiting.get(ticket);
    this.#waiting.delete(ticket);
    try {
      settled(outcome);
      then();
      resolve();
    } catch (error) {
      reject(error);
    }
  }
}

module.exports = { Outbox };
