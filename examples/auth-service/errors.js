'use strict';

// Every error that a client sees is a status and `{ error, message? }` in this service's own words.
// Errors of the module and of the framework go to the log at most.

const { WebError } = require('@nodesec/native');

class HttpError extends Error {
  constructor(status, error, { message, headers } = {}) {
    super(message ?? error);
    this.status = status;
    this.headers = headers ?? {};
    this.body = { error, message };
  }
}

/** The errors of the framework for a request that it cannot read, by status. */
const UNREADABLE = {
  400: 'malformed_request',
  413: 'body_too_large',
  415: 'unsupported_encoding',
};

/** The codes of errors that mean that the service is at a limit of its own. */
const BUSY = new Set([
  'ERR_PASSWORD_BUSY',
  'ERR_PASSWORD_MEMORY',
  'ERR_PASSWORD_THREADS',
  'ERR_SESSION_FULL',
  'ERR_SESSION_STORE',
  'ERR_STORE_BUSY',
]);

/** A store or a server that cannot read or write, so that somebody must look after it. */
const STORE_FAILED = /^ERR_(STORE_|(KEYRING|REVOCATION)_STORE$|REVOCATION_STALE$)/;

/** The answer to any error. */
function answerTo(error) {
  if (error instanceof HttpError) return error;
  if (error instanceof WebError && error.status < 500) return refusal(error);
  // Nobody knows whether the token is good: the client must not throw it away.
  if (error.code === 'ERR_WEB_UNAVAILABLE') {
    return new HttpError(503, 'unavailable', { headers: error.headers });
  }
  const status = error.status ?? error.statusCode;
  if (status in UNREADABLE) return new HttpError(status, UNREADABLE[status]);
  if (BUSY.has(error.code)) {
    const seconds = Math.ceil((error.retryAfterMs ?? 5_000) / 1000);
    return new HttpError(503, 'busy', { headers: { 'Retry-After': String(seconds) } });
  }
  if (STORE_FAILED.test(error.code)) {
    console.error(error);
    return new HttpError(503, 'unavailable');
  }
  // input.js checks all values of a request, so even an ArgumentError of the module is a mistake of
  // this service and not of the client.
  console.error(error);
  return new HttpError(500, 'internal');
}

/** A request that the middleware has refused. Its cause is for logs, not for the client. */
function refusal({ status, headers, cause }) {
  if (status !== 401) return new HttpError(status, UNREADABLE[status] ?? 'forbidden', { headers });
  return new HttpError(401, cause === undefined ? 'missing_token' : 'invalid_token', { headers });
}

module.exports = { HttpError, answerTo };
