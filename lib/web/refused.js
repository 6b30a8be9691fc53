'use strict';

// Verifies a refused token once for middleware that runs one right after the other: that of
// sessions finds the sender, and that of authentication demands one. So the audit trail has one
// record of it.

// Taken here, because a test may replace the global function, and then nothing was forgotten.
const { setImmediate } = require('node:timers');

/** The last refusal of each request of Node. */
const refusals = new WeakMap();

/**
 * Verifies the token of a request, unless it has been refused since the event loop went round.
 * A token that was accepted is verified again, because it may be revoked by now.
 */
async function refusedOnce(raw, verifier, token) {
  const last = refusals.get(raw);
  if (last?.verifier === verifier && last.token === token) return last.result;
  const result = await verifier.tryVerifyAsync(token);
  if (!result.ok) {
    refusals.set(raw, { verifier, token, result });
    setImmediate(() => refusals.delete(raw));
  }
  return result;
}

module.exports = { refusedOnce };
