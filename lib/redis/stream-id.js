'use strict';

// Ids of the entries of a stream: milliseconds and a sequence number, both up to 64 bits.

const START = Object.freeze({ ms: 0n, seq: 0n });

/** Reads an id, such as `1700000000000-0`. */
function parseId(text) {
  const [ms, seq = '0'] = `${text}`.split('-');
  return { ms: BigInt(ms), seq: BigInt(seq) };
}

function textOf({ ms, seq }) {
  return `${ms}-${seq}`;
}

/** Whether the first id is later than the second one. */
function isLater(id, other) {
  return id.ms === other.ms ? id.seq > other.seq : id.ms > other.ms;
}

module.exports = { START, isLater, parseId, textOf };
