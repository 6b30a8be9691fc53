'use strict';

// The keys of fingerprints of processes that have no key of the caller. The server has them, so
// that every process computes the same fingerprints. If the server has lost them, and a new process
// has drawn others, the older ones count: the entries of the older processes cannot be made anew.
//
// A record is: the version (1 byte), the time at which they were drawn (8 bytes, in milliseconds
// since 1970), the keys (112 bytes).

const { randomBytes } = require('node:crypto');

const VERSION = 1;
const HEAD = 9;
const KEYS = 112;

class FingerprintKeys {
  #log;
  /** The record that this process uses. */
  #own;

  constructor(log) {
    this.#log = log;
  }

  /**
   * The keys that all processes have, once the server has the right ones; undefined if they are
   * those that this process uses.
   */
  async agree() {
    await this.#log.addMeta('keys', this.#own ?? newRecord());
    const found = await this.#log.meta('keys');
    if (found === this.#own) return undefined;
    if (this.#own !== undefined && isOlder(this.#own, found)) {
      await this.#log.setMeta('keys', this.#own);
      return undefined;
    }
    return { record: found, keys: keysOf(found) };
  }

  /** Notes that this process uses a record. */
  use(record) {
    this.#own = record;
  }
}

function newRecord() {
  const head = Buffer.alloc(HEAD);
  head[0] = VERSION;
  head.writeBigUInt64BE(BigInt(Date.now()), 1);
  return Buffer.concat([head, randomBytes(KEYS)]).toString('base64url');
}

/** The keys of a record. The native part refuses those of another length. */
function keysOf(record) {
  const bytes = Buffer.from(record ?? '', 'base64url');
  return bytes[0] === VERSION ? bytes.subarray(HEAD) : Buffer.alloc(0);
}

/** Whether a record is older than another one, or the other one is none. */
function isOlder(record, other) {
  const [one, two] = [record, other ?? ''].map((text) => Buffer.from(text, 'base64url'));
  return two.length !== HEAD + KEYS || Buffer.compare(one.subarray(1), two.subarray(1)) < 0;
}

module.exports = { FingerprintKeys };
