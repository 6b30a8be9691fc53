'use strict';

// Verifies the token in a cookie once for middleware that runs one right after the other: that of
// sessions finds the sender, and that of authentication demands one.

// Taken here: a test may replace the global function, and verifications would then stay.
const { setImmediate } = require('node:timers');

/** The last verification of each request of Node. */
const verifications = new WeakMap();

/**
 * Verifies the token of a request, unless this turn of the event loop has done so. Resolves to
 * `{ result, told }`, where `told` has the kinds of its refusals that the audit trail has already.
 *
 * Later turns verify again, because the token may have expired or may be revoked since.
 */
async function verifiedOnce(raw, verifier, token) {
  const last = verifications.get(raw);
  if (last?.verifier === verifier && last.token === token) return last;
  const made = { verifier, token, result: await verifier.tryVerifyAsync(token), told: new Set() };
  verifications.set(raw, made);
  setImmediate(() => verifications.delete(raw));
  return made;
}

module.exports = { verifiedOnce };
