'use strict';

// Answers of the middleware, as errors.

const { STATUS_CODES } = require('node:http');

const { WebError, addMembers, makeError, withCause } = require('../errors.js');

const CODES = {
  400: 'ERR_WEB_BAD_REQUEST',
  401: 'ERR_WEB_UNAUTHENTICATED',
  403: 'ERR_WEB_FORBIDDEN',
  429: 'ERR_WEB_LIMITED',
  500: 'ERR_WEB_MISCONFIGURED',
  503: 'ERR_WEB_UNAVAILABLE',
};

/** Returns the error with which a framework answers `status` and `headers`. */
function refusal(status, headers = {}, cause) {
  const message = STATUS_CODES[status];
  const error = new WebError(CODES[status], message);
  // Express sends the stack to the client unless NODE_ENV is production.
  const stack = { __proto__: null, value: `WebError: ${message}`, configurable: true, writable: true };
  Object.defineProperty(error, 'stack', stack);
  addMembers(error, { status, statusCode: status, headers: Object.freeze(headers), expose: true });
  return withCause(error, cause);
}

/** The answer if a setting of the service is wrong, which the client is not told. */
function misconfigured(message) {
  return refusal(500, {}, makeError('ERR_INVALID_ARG_VALUE', message));
}

/**
 * The error of a value that a callback has thrown. Express would go on to the next handler for
 * `undefined` and the like, and skip the route for `'route'`.
 */
function thrownError(thrown) {
  const isObject = (typeof thrown === 'object' && thrown !== null) || typeof thrown === 'function';
  return isObject ? thrown : refusal(500, {}, thrown);
}

/** The value of `Retry-After`: whole seconds, at least one. */
function seconds(ms) {
  return `${Math.max(1, Math.ceil(ms / 1000))}`;
}

module.exports = { misconfigured, refusal, seconds, thrownError };
