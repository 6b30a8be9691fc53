'use strict';

const { native, settled } = require('./native.js');
const { Uncloneable } = require('./uncloneable.js');

/** The promises of revocations on a store, which the native part settles by their tickets. */
class Outbox extends Uncloneable {
  /** Ticket → the functions that settle its promise. */
  #waiting = new Map();
  #isListening = false;
  #hasTurn = false;

  constructor() {
    super();
    native.outboxAttach(this);
  }

  /** A promise of the result of a call. */
  promise(ticket) {
    const promise = new Promise((resolve, reject) => this.#waiting.set(ticket, { resolve, reject }));
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
    const { resolve, reject } = this.#waiting.get(ticket);
    this.#waiting.delete(ticket);
    try {
      resolve(settled(outcome));
    } catch (error) {
      reject(error);
    }
  }
}

module.exports = { Outbox };
