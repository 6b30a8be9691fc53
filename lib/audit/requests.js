'use strict';

// The events of requests that the middleware refuses, or whose ids it replaces.

const { CHANNELS, publish } = require('./publish.js');

const REFUSED = CHANNELS['request.refused'];
const MALFORMED = CHANNELS['request.malformed'];
const REPLACED = CHANNELS['correlation.replaced'];

/**
 * Publishes a refused request. `kind` names the cause. `claims` are those of a verified token that
 * does not let this request in.
 */
function publishRefused(kind, { origin, claims } = {}) {
  if (!REFUSED.hasSubscribers) return;
  // With the null prototype, a missing claim is not read from Object.prototype.
  const { sub: subject, sid: session, jti: tokenId } = { __proto__: null, ...claims };
  publish(REFUSED, { kind, origin }, { subject: idOf(subject), session: idOf(session), tokenId: idOf(tokenId) });
}

/** Publishes that a request has another id than the one in its header. */
function publishReplaced(header, fault) {
  if (REPLACED.hasSubscribers) publish(REPLACED, { header, fault });
}

/** Publishes a request that Node has refused; `code` is that of its parser. */
function publishMalformed(code) {
  if (MALFORMED.hasSubscribers) publish(MALFORMED, { code });
}

function idOf(claim) {
  return typeof claim === 'string' ? claim : undefined;
}

module.exports = { publishMalformed, publishRefused, publishReplaced };
