'use strict';

// The HTTP statuses for errors of this module.

const { isProxy } = require('node:util').types;

const { NodesecError, WebError } = require('../errors.js');
const { refusal, seconds } = require('./refusal.js');
const { STATUSES } = require('./statuses.js');

/** The time after which keys or a store may be there again. */
const RETRY_AFTER_MS = 5000;

function statusOf(error) {
  // A handler of errors may get any value that was thrown, and a proxy could throw again.
  if (isProxy(error) || !(error instanceof NodesecError)) return undefined;
  return STATUSES.get(error.code) ?? 500;
}

/** Whether the service cannot answer now, for a reason with this code. */
function isUnavailable(code) {
  return STATUSES.get(code) === 503;
}

/** The answer while the service cannot give one. */
function unavailable(cause) {
  return refusal(503, { 'Retry-After': seconds(cause?.retryAfterMs ?? RETRY_AFTER_MS) }, cause);
}

/**
 * The answer to an error that a call of this module has thrown; any other error as it is. A call of
 * the middleware's own that fails in another way is a mistake of the service.
 */
function answerTo(error) {
  if (!(error instanceof NodesecError) || error instanceof WebError) return error;
  return isUnavailable(error.code) ? unavailable(error) : refusal(500, {}, error);
}

module.exports = { answerTo, isUnavailable, statusOf, unavailable };
