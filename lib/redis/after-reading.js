'use strict';

/**
 * Calls a function when the answers that have arrived are read: a timer of a busy event loop comes
 * before them. Node reads them before the first immediate, Bun before the second.
 */
function afterReading(callback) {
  setImmediate(() => setImmediate(callback));
}

module.exports = { afterReading };
