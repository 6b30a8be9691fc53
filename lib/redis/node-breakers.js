'use strict';

// A breaker for each node that does not answer, so that the other nodes of a cluster go on.

const { Breaker } = require('./breaker.js');
const { slotOf } = require('./slot.js');

/** The time between two questions for the slots of a node that is silent, in milliseconds. */
const REFRESH_MS = 1000;

class NodeBreakers {
  #has;
  #probe;
  #refresh;
  #changed;
  /**
   * By the name of each node that fails: its breaker, the key of the last call that failed, and the
   * time of the next question for its slots.
   */
  #failing = new Map();
  /**
   * The nodes and slots of the probes that the client has no answer to, however late: another one
   * would wait behind them. A slot that is moving to a silent node keeps no other one from asking.
   */
  #waiting = new Set();
  #reason;

  /**
   * `has(node, key)` tells whether a node still has a key or any other one. `probe(key, settled)`
   * asks the node of a key, and tells `answered` or `failed`; it calls `settled()` when nothing is
   * on its way any more. `refresh(key)` has the client find the node of a key anew.
   * `changed(reason)` is called when the first node fails, when the reason of the first one
   * changes, and with undefined when no node fails any more.
   */
  constructor({ has, probe, refresh, changed }) {
    this.#has = has;
    this.#probe = probe;
    this.#refresh = refresh;
    this.#changed = changed;
  }

  /** The reason of the first node that fails; undefined if none fails. */
  get reason() {
    if (this.#failing.size > 0) this.#tell();
    return this.#reason;
  }

  /** Whether calls go on without a node. May ask the node with the key, for which no call waits. */
  isOpen(node, key) {
    return this.#failing.get(node)?.breaker.isOpen(key) === true;
  }

  answered(node) {
    if (this.#failing.size === 0) return;
    this.#failing.delete(node);
    this.#tell();
  }

  /** The node has answered, and refuses a key for a reason of that key. */
  refused(node, key, reason) {
    this.#entry(node, key).breaker.refused(reason);
    this.#tell();
  }

  failed(node, key, reason) {
    this.#entry(node, key).breaker.failed(reason);
    this.#tell();
  }

  #entry(node, key) {
    let entry = this.#failing.get(node);
    if (entry === undefined) {
      const breaker = new Breaker((asked) => this.#ask(node, asked), () => {});
      entry = { breaker, key, nextRefresh: 0 };
      this.#failing.set(node, entry);
    }
    entry.key = key;
    return entry;
  }

  #ask(node, key) {
    const entry = this.#failing.get(node);
    const now = performance.now();
    // A client of a cluster keeps a connection that is silent, and the slots with it.
    if (entry.breaker.reason === 'deadline' && now >= entry.nextRefresh) {
      entry.nextRefresh = now + REFRESH_MS;
      this.#refresh(key);
    }
    const place = `${node} ${slotOf(key)}`;
    if (this.#waiting.has(place)) return undefined;
    this.#waiting.add(place);
    return this.#probe(key, () => this.#waiting.delete(place));
  }

  #tell() {
    // After a failover or a move of all its slots, no call asks a node any more.
    for (const [node, { key }] of this.#failing) {
      if (!this.#has(node, key)) this.#failing.delete(node);
    }
    const [reason] = Array.from(this.#failing.values(), ({ breaker }) => breaker.reason);
    if (reason === this.#reason) return;
    this.#reason = reason;
    this.#changed(reason);
  }
}

module.exports = { NodeBreakers };
