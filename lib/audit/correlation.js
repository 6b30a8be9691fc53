'use strict';

// The ids of the request, or of the job, to which the events of the audit trail belong.

const { AsyncLocalStorage } = require('node:async_hooks');

/**
 * A correlation id. It is shorter than any refresh token or JWT, so that neither gets into a record
 * by this way, and no character of it splits a header or a line of a log.
 */
const CORRELATION_ID = /^[\w.:+/=@-]{1,64}$/;

/** Without a call of {@link within} this costs nothing. */
const storage = new AsyncLocalStorage();

function isCorrelationId(text) {
  return CORRELATION_ID.test(text);
}

/** The ids of the moment, `{ correlationId, traceId }`, or undefined. */
function context() {
  return storage.getStore();
}

/** Calls `fn` with these ids, also for all that it starts. */
function within(ids, fn) {
  return storage.run(ids, fn);
}

/** Calls `fn` without ids, for work that only happens to run after the work of a request. */
function outside(fn) {
  return storage.run(undefined, fn);
}

module.exports = { context, isCorrelationId, outside, within };
