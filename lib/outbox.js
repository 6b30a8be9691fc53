'use strict';

const { native } = require('./native.js');
const { Uncloneable } = require('./uncloneable.js');

// Fake timers of tests replace it.
const { nextTick } = process;

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

  /** A promise of the outcome of a call. */
  promise(ticket) {
    const promise = new Promise((resolve, reject) => {
      this.#waiting.set(ticket, { resolve, reject });
    });
    if (!this.#isListening) this.#listen();
    if (!this.#hasTurn) {
      // After the microtasks, in which the other callers of the last transaction revoke again.
      nextTick(() => {
        this.#hasTurn = false;
        native.outboxEndTurn(this);
      });
      this.#hasTurn = true;
    }
    return promise;
  }

  /** Settles promises until none waits. Meanwhile the process does not end by itself. */
  async #listen() {
    this.#isListening = true;
    try {
      while (this.#waiting.size > 0) {
        const { tickets, outcomes } = await native.outboxResults(this);
        tickets.forEach((ticket, index) => {
          this.#waiting.get(ticket)?.resolve(outcomes[index]);
          this.#waiting.delete(ticket);
        });
      }
    } catch (error) {
      // There is no memory or no stack for the results.
      this.#waiting.forEach(({ reject }) => reject(error));
      this.#waiting.clear();
    }
    this.#isListening = false;
  }
}

module.exports = { Outbox };
