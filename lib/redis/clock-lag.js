'use strict';

// How far the clock of the server was behind when it gave entries of a stream their ids. An id has
// the time of the server, and a row shows the earliest time at which it was made.

/** The characters of a row, with and without the mark of a key. */
const [MARKED, PLAIN] = [64, 40];
/** The characters of a row that have its version and its kind, and the low 48 bits of its value. */
const [KIND_AT, VALUE_AT] = [[0, 4], [24, 32]];
/** Added to a kind for one issuer. */
const SCOPED = 128;
/** Kinds by the unit of their value, in milliseconds: src/revocation/list/state.rs. */
const ID = 0;
const ISSUE = new Map([[2, 1000], [5, 1], [6, 1000], [7, 1]]);

class ClockLag {
  #rowLength;
  #isOwn;
  #ms = 0;

  /** `isOwn(row)`: whether a row is genuine. */
  constructor(hasKey, isOwn) {
    this.#rowLength = hasKey ? MARKED : PLAIN;
    this.#isOwn = isOwn;
  }

  /** The largest lag of the entries that were read, in milliseconds. */
  get ms() {
    return this.#ms;
  }

  /** Notes entries, `{ id, text }`. `life` is the longest time for which a row is needed. */
  read(entries, life) {
    for (const { id, text } of entries) {
      for (let at = 0; at + this.#rowLength <= text.length; at += this.#rowLength) {
        const row = text.slice(at, at + this.#rowLength);
        const lag = madeAt(row, life) - Number(id.ms);
        if (lag > this.#ms && this.#isOwn(row)) this.#ms = lag;
      }
    }
  }
}

/** The earliest time at which a row was made, in milliseconds since 1970; 0 if it is not known. */
function madeAt(row, life) {
  const kind = bytesOf(row, KIND_AT)[1] % SCOPED;
  const unit = kind === ID ? 1000 : ISSUE.get(kind);
  const value = bytesOf(row, VALUE_AT);
  if (unit === undefined || value.length !== 6) return 0;
  return unit * value.readUIntLE(0, 6) - (kind === ID ? life : 0);
}

function bytesOf(row, [from, to]) {
  return Buffer.from(row.slice(from, to), 'base64url');
}

module.exports = { ClockLag };
