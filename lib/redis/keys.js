'use strict';

// The names of a limiter's keys in Redis.

const { hash } = require('node:crypto');
const { isUtf8 } = require('node:buffer');

const { makeError } = require('../errors.js');

/** The version of the values, which limit-script.js describes. */
const VERSION = 1;
/** The longest key that is remembered as it is, in characters. */
const MAX_TEXT = 256;
/** The most names that are remembered, of some 200 bytes. */
const MOST_NAMES = 5000;
/** No well-formed text has this character. */
const NO_TEXT = '\ud800';

/** By connection: the numbers of the limits by the space of their keys. */
const spaces = new WeakMap();

/** The keys of limits with these names below a prefix. */
class KeySpace {
  #space;
  #connection;
  /** By text: the names of keys that came lately. A hash takes a tenth of a call's time. */
  #names = new Map();

  constructor(connection, prefix, quotas) {
    const names = digest(JSON.stringify(quotas.policies.map(({ name }) => name))).slice(0, 8);
    this.#space = `${prefix}:${VERSION}:${names}`;
    this.#connection = connection;
    this.#claim(quotas);
  }

  /**
   * The key of Redis: the tag in braces gives all keys of one client to one node of a cluster.
   * `text` is `textOf(key)`.
   */
  of(key, text) {
    const known = this.#names.get(text);
    if (known !== undefined) return known;
    const name = `${this.#space}:{${digest(key)}}`;
    // Many keys at once cost no more than without this memory.
    if (this.#names.size >= MOST_NAMES) this.#names.clear();
    this.#names.set(text, name);
    return name;
  }

  /** A key for probes, on the node of a key. */
  probe(key) {
    return `${this.#space}:probe:${key.slice(key.lastIndexOf('{'))}`;
  }

  setLimits(quotas) {
    spaces.get(this.#connection).set(this.#space, numbers(quotas));
  }

  /** Two limiters of one space count together, which is right only if their limits are the same. */
  #claim(quotas) {
    const claimed = spaces.get(this.#connection) ?? new Map();
    spaces.set(this.#connection, claimed);
    const known = claimed.get(this.#space) ?? numbers(quotas);
    if (known !== numbers(quotas)) {
      throw makeError(
        'ERR_INVALID_ARG_VALUE',
        'prefix is that of a limiter with other limits, with which this one would count together: ' +
          'pass another prefix',
      );
    }
    claimed.set(this.#space, known);
  }
}

function numbers({ policies, isStrict }) {
  return JSON.stringify([policies, isStrict]);
}

/** 128 bits of the hash of a key: no key is stored, and none has to fit the syntax of Redis. */
function digest(key) {
  return hash('sha256', key, 'base64url').slice(0, 22);
}

/** A key as text, the same for a text and its bytes, for maps in memory. */
function textOf(key) {
  if (typeof key === 'string') return key.length <= MAX_TEXT ? key : NO_TEXT + digest(key);
  const bytes = Buffer.from(key.buffer, key.byteOffset, key.byteLength);
  return isUtf8(bytes) ? textOf(bytes.toString()) : NO_TEXT + digest(bytes);
}

module.exports = { KeySpace, textOf };
