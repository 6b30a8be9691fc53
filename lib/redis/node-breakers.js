'use strict';

// A breaker for each node that does not answer, so that the other nodes of a cluster go on.

const { Breaker } = require('./breaker.js');

class NodeBreakers {
  #nodeOf;
  #probe;
  #changed;
  /** By the name of each node that fails: its breaker, and the key of the last call that failed. */
  #failing = new Map();
  #reason;

  /**
   * `nodeOf(key)` gives the name of the node that has a key now. `probe(key)` asks that node, and
   * tells `answered` or `failed`. `changed(reason)` is called when the first node fails, when the
   * reason of the first one changes, and with undefined when no node fails any more.
   */
  constructor({ nodeOf, probe, changed }) {
    this.#nodeOf = nodeOf;
    this.#probe = probe;
    this.#changed = changed;
  }

  /** The reason of the first node that fails; undefined if none fails. */
  get reason() {
    if (this.#failing.size > 0) this.#tell();
    return this.#reason;
  }

  /** Whether calls go on without a node. May ask the node again, for which no call waits. */
  isOpen(node) {
    return this.#failing.get(node)?.breaker.isOpen() === true;
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
      entry = { key };
      entry.breaker = new Breaker(() => this.#probe(entry.key), () => {});
      this.#failing.set(node, entry);
    }
    entry.key = key;
    return entry;
  }

  #tell() {
    // After a failover or a move of its slots, no call asks a node any more.
    for (const [node, { key }] of this.#failing) {
      if (this.#nodeOf(key) !== node) this.#failing.delete(node);
    }
    const [reason] = Array.from(this.#failing.values(), ({ breaker }) => breaker.reason);
    if (reason === this.#reason) return;
    this.#reason = reason;
    this.#changed(reason);
  }
}

module.exports = { NodeBreakers };
