'use strict';

// The errors of a list on a server, and their reasons.

const { makeError, withCause } = require('../errors.js');
const { reasonOf } = require('./client.js');
const { NotPrimary } = require('./revocation-log.js');
const { Silence } = require('./within.js');

/** The error for a row of a later release than this one. */
class LaterRelease extends Error {
  reason = 'a later release';
}

/** The reason of an error, in one or two words. */
function reasonFor(error) {
  if (error instanceof Silence) return 'no answer';
  if (error instanceof LaterRelease || error instanceof NotPrimary) return error.reason;
  return error?.code?.startsWith?.('ERR_') ? error.code : reasonOf(error);
}

/** The error of a list that cannot be opened. */
function unread(cause) {
  const reason = reasonFor(cause);
  const message =
    `the revocations cannot be read from the server (${reason}): the list refuses every token; ` +
    'correct the cause, and open it again';
  return withCause(makeError('ERR_REVOCATION_STORE', message), cause);
}

module.exports = { LaterRelease, reasonFor, unread };
