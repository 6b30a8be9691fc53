'use strict';

// Every error that a client sees is a status and `{ error, message? }` in this service's own words.
// Errors of the module and of Express go to the log at most.

class HttpError extends Error {
  constructor(status, error, { message, headers } = {}) {
    super(message ?? error);
    this.status = status;
    this.headers = headers ?? {};
    this.body = { error, message };
  }
}

/** The errors of Express and its parser for a request that they cannot read, by status. */
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
  'ERR_STORE_BUSY',
]);

/** A store that cannot read or write, so that somebody must look after it. */
const STORE_FAILED = /^ERR_(STORE_|REVOCATION_STORE$)/;

function notFound() {
  throw new HttpError(404, 'not_found');
}

// Express recognises an error handler by its four parameters.
function handleErrors(error, req, res, next) {
  // The client has hung up: there is nobody to answer.
  if (res.closed) return;
  if (res.headersSent) return next(error);
  const { status, body, headers } = error instanceof HttpError ? error : translate(error);
  res.set(headers).status(status).json(body);
}

function translate(error) {
  if (error.status in UNREADABLE) return new HttpError(error.status, UNREADABLE[error.status]);
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

module.exports = { HttpError, handleErrors, notFound };
