'use strict';

// The events of refused tokens. Anyone can write a subject into a token, so an event names the
// subject only if the signature had been verified before the token was refused.

const { native } = require('../native.js');
const { CHANNELS, publish } = require('./publish.js');

const REFUSED = CHANNELS['token.refused'];
/** The longest token that is hashed, in characters: that of the option `maxTokenLength`. */
const MAX_TOKEN = 2 ** 20;

/** Publishes a refused token. `status` is that of a verifier, which decides about the claims. */
function publishRefusal(rejection, token, status) {
  if (!REFUSED.hasSubscribers) return;
  // A missing claim is not read from Object.prototype.
  const own = (name) => (Object.hasOwn(rejection, name) ? rejection[name] : undefined);
  const members = { code: rejection.code, claim: own('claim'), reason: own('reason') };
  // The native part refuses other values, and a text that is too long is not read.
  const isText = typeof token === 'string' && token.length <= MAX_TOKEN;
  const ids = { token: isText ? token : undefined };
  if (status !== undefined && isVerifiedBy(status)) Object.assign(ids, claimedIds(token));
  publish(REFUSED, members, ids);
}

const verified = new Map();

/** Whether a verifier that gives this status has verified the signature before. */
function isVerifiedBy(status) {
  let known = verified.get(status);
  if (known === undefined) {
    known = native.jwtRejectionFollowsSignature(status);
    verified.set(status, known);
  }
  return known;
}

/** The ids in the claims of a token whose signature is right. */
function claimedIds(token) {
  let claims;
  try {
    const [, payload] = token.split('.', 2);
    claims = { __proto__: null, ...JSON.parse(Buffer.from(payload, 'base64url').toString()) };
  } catch {
    // The stack has no room to read deep claims. No event may fail.
    return {};
  }
  const [subject, session, tokenId] = [claims.sub, claims.sid, claims.jti].map(textOrNothing);
  return { subject, session, tokenId };
}

function textOrNothing(claim) {
  return typeof claim === 'string' ? claim : undefined;
}

module.exports = { claimedIds, publishRefusal };
