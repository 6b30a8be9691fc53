'use strict';

// Replies of all clients and protocols in one form: lib/redis/client.js describes it.

/** A reply of a client in the form that all clients share. */
function normalized(reply) {
  if (typeof reply === 'string') return Buffer.from(reply);
  if (typeof reply === 'boolean') return Number(reply);
  if (typeof reply !== 'object' || reply === null) return reply ?? null;
  if (reply instanceof Uint8Array) return Buffer.isBuffer(reply) ? reply : Buffer.from(reply);
  if (Array.isArray(reply)) return reply.every(isNumber) ? reply : reply.map(normalized);
  if (reply instanceof Map) return [...reply].map((pair) => pair.map(normalized));
  if (reply instanceof Set) return [...reply].map(normalized);
  return Object.entries(reply).map((pair) => pair.map(normalized));
}

function isNumber(value) {
  return typeof value === 'number';
}

/**
 * The pairs of a map: of HGETALL, which is flat in RESP2, and of XREAD, which is flat in some
 * clients of RESP3. None of null, XREAD's reply without entries.
 */
function pairsOf(reply) {
  if (reply === null) return [];
  if (reply.every((each) => Array.isArray(each))) return reply;
  return Array.from({ length: reply.length / 2 }, (_, at) => reply.slice(2 * at, 2 * at + 2));
}

module.exports = { normalized, pairsOf };
