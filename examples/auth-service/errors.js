'use strict';

// Every error that a client sees is a status and `{ error, message? }` of our own words. What the
// module or Express throws goes to the log at most.

class HttpError extends Error {
  constructor(status, error, { message, headers } = {}) {
    super(message ?? error);
    this.status = status;
    this.headers = headers ?? {};
    this.body = { error, message };
  }
}

/** What Express and its parser throw for a request that they cannot read. */
const UNREADABLE = {
  400: 'malformed_request',
  413: 'body_too_large',
  415: 'unsupported_encoding',
};

/** The service, not the request, is at its limits. */
const BUSY = new Set([
  'ERR_PASSWORD_BUSY',
  'ERR_PASSWORD_MEMORY',
  'ERR_PASSWORD_THREADS',
  'ERR_SESSION_FULL',
]);

function notFound() {
  throw new HttpError(404, 'not_found');
}

// Express knows an error handler by its four parameters.
function handleErrors(error, req, res, next) {
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
  // All values of a request are checked in input.js, so that even an ArgumentError of the module
  // is our mistake and not the client's.
  console.error(error);
  return new HttpError(500, 'internal');
}

module.exports = { HttpError, handleErrors, notFound };
