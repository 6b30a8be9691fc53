'use strict';

// Publishes the revocations of this process.

const { native } = require('../native.js');
const { reasonOf } = require('./client.js');
const { Silence, within } = require('./within.js');

/** The rows of an entry. */
const ROWS = 64;
/** The entries that are on their way at once when rows are published again. */
const AT_ONCE = 16;
/** The longest time for which `close` waits for batches on their way, in milliseconds. */
const CLOSE_MS = 1000;

class TooFewReplicas extends Error {}

class RevocationPublisher {
  #list;
  #log;
  #connection;
  #close;
  #patience;
  #waitReplicas;
  /** The time before which entries of the stream are not needed, in milliseconds since 1970. */
  #least;
  /** Called with the reason of each failure. */
  #failed;
  /** Called with the id of each entry. */
  #hasId;
  published = 0;
  /** The batches that are on their way. */
  #sent = new Set();
  /** Whether the callers of the batches get their results without this object. */
  #isClosed = false;

  constructor({ list, log, connection, patience, waitReplicas, least, failed, published }) {
    this.#list = list;
    this.#log = log;
    this.#connection = connection;
    // Only a connection of our own has it.
    this.#close = connection.close?.bind(connection);
    this.#patience = patience;
    this.#waitReplicas = waitReplicas;
    this.#least = least;
    this.#failed = failed;
    this.#hasId = published;
  }

  /** Publishes the rows that callers wait for. It does not fail. */
  publish() {
    for (;;) {
      const batch = native.revocationRemoteTake(this.#list, ROWS, false);
      if (!batch) return;
      this.#publish(batch);
    }
  }

  /** Waits for the batches that are on their way, if the server answers soon. */
  async close() {
    await within(CLOSE_MS, Promise.all(this.#sent)).catch(() => {});
    this.#isClosed = true;
    this.#close?.();
  }

  /** Publishes some of the rows that the server may lack. Returns how many it has got. */
  async publishAgain() {
    const batches = [];
    while (batches.length < AT_ONCE) {
      const batch = native.revocationRemoteTake(this.#list, ROWS, true);
      if (!batch) break;
      batches.push(batch);
    }
    const counts = await Promise.all(batches.map((batch) => this.#publish(batch)));
    return counts.reduce((all, count) => all + count, 0);
  }

  /** The number of rows of a batch that the server has got: all or none. */
  async #publish(batch) {
    const sent = this.#send(batch);
    this.#sent.add(sent);
    const count = await sent;
    this.#sent.delete(sent);
    return count;
  }

  async #send({ number, rows, count, lasting }) {
    const length = rows.length / count;
    const row = (at) => rows.slice(at * length, (at + 1) * length);
    try {
      const id = await within(this.#patience, this.#add(rows, lasting.map(row)));
      if (this.#isClosed) return 0;
      this.#hasId(id);
      this.published += count;
      native.revocationRemoteSettle(this.#list, number);
      return count;
    } catch (error) {
      if (this.#isClosed) return 0;
      const reason = this.#reason(error);
      const message =
        `the server has not confirmed the revocation (${reason}): this process refuses the token, ` +
        'and publishes the revocation again when the server answers';
      native.revocationRemoteSettle(this.#list, number, message);
      this.#failed(reason);
      return 0;
    }
  }

  async #add(rows, lasting) {
    const connection = this.#connection;
    const id = await this.#log.add(connection, rows, lasting, this.#least());
    if (this.#waitReplicas === 0) return id;
    // On the same connection, because it waits for the writes of its connection.
    const args = ['WAIT', `${this.#waitReplicas}`, `${Math.floor(this.#patience / 2)}`];
    const replicas = await connection.command(args, { key: this.#log.key });
    if (replicas < this.#waitReplicas) throw new TooFewReplicas();
    return id;
  }

  #reason(error) {
    if (error instanceof TooFewReplicas) return `fewer than ${this.#waitReplicas} replicas`;
    const reason = error instanceof Silence ? 'no answer' : reasonOf(error);
    // A new connection may find the new primary.
    if (reason === 'no answer' || reason === 'READONLY') this.#connection.replace?.();
    return reason;
  }
}

module.exports = { RevocationPublisher };
