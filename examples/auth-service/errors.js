'use strict';

// Every error that a client sees is a status and `{ error, message? }` in this service's own words.
// Errors of the module and of the framework go to the log at most.

const { WebError } = require('@nodesec/native');
const { statusOf } = require('@nodesec/native/web');

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

/** Errors that mean that the service is at a limit of its own: nobody has to look after it. */
const BUSY = new Set([
  'ERR_PASSWORD_BUSY',
  'ERR_PASSWORD_MEMORY',
  'ERR_PASSWORD_THREADS',
  'ERR_SESSION_FULL',
  'ERR_SESSION_STORE',
  'ERR_STORE_BUSY',
]);

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
  if (statusOf(error) === 503) {
    const isBusy = BUSY.has(error.code);
    if (!isBusy) console.error(error);
    const seconds = Math.ceil((error.retryAfterMs ?? 5_000) / 1000);
    const headers = { 'Retry-After': String(seconds) };
    return new HttpError(503, isBusy ? 'busy' : 'unavailable', { headers });
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
