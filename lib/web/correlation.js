'use strict';

// Gives each request the ids under which the audit trail has it.

const { isCorrelationId, within } = require('../audit/correlation.js');
const { publishReplaced } = require('../audit/requests.js');
const { uuidv7 } = require('../id.js');
const { boolean, declareOptions, text } = require('../options.js');
const { TOKEN } = require('./headers.js');
const { watchMalformed } = require('./malformed.js');

const TRACEPARENT = 'traceparent';
/** W3C Trace Context, section 3.2: version, trace, parent, flags, and more in later versions. */
const TRACE = /^(?!ff)([\da-f]{2})-(?!0{32})([\da-f]{32})-(?!0{16})[\da-f]{16}-[\da-f]{2}(-[^,]*)?$/;
const MAX_TRACE = 512;
const MAX_ID = 64;

const KINDS = {
  header: text(64, TOKEN, 'the name of a header'),
  inbound: boolean,
  respond: boolean,
};

/** By request of Node: its ids. A second middleware enters the same. */
const known = new WeakMap();

/**
 * Declares the options of `of`. Returns a function of them that makes `(raw, rawResponse, answer,
 * next)`, which calls `next` with the ids of a request: those of its headers if they are valid.
 * `answer(name, value)` sets a field of the response.
 */
function declareCorrelation(of) {
  const read = declareOptions(of, KINDS);
  return (options) => {
    const { header = 'X-Request-Id', inbound = true, respond = true } = read(options);
    const name = header.toLowerCase();
    return (raw, rawResponse, answer, next) => {
      const before = known.get(raw);
      if (before !== undefined) return within(before, next);
      if (raw.httpVersionMajor === 1) watchMalformed(raw.socket?.server);
      const { ids, faults } = idsOf(inbound ? raw.headers : {}, name);
      known.set(raw, ids);
      bind(raw, ids);
      bind(rawResponse, ids);
      return within(ids, () => {
        for (const [field, fault] of faults) publishReplaced(field, fault);
        if (respond && !rawResponse.headersSent) answer(header, ids.correlationId);
        next();
      });
    };
  };
}

/** Enters the ids of a request again. */
function reenter(raw, next) {
  const ids = known.get(raw);
  return ids === undefined ? next() : within(ids, next);
}

function idsOf(headers, name) {
  const faults = [];
  const take = (field, longest, read) => {
    const value = headers[field];
    if (value === undefined) return undefined;
    const id = value.length <= longest ? read(value) : undefined;
    if (id === undefined) faults.push([field, value.length > longest ? 'too-long' : 'malformed']);
    return id;
  };
  const traceId = take(TRACEPARENT, MAX_TRACE, traceOf);
  const given = name === TRACEPARENT ? undefined : take(name, MAX_ID, correlationOf);
  const ids = { __proto__: null, correlationId: given ?? traceId ?? uuidv7(), traceId };
  return { ids: Object.freeze(ids), faults };
}

function traceOf(value) {
  const [, version, trace, more] = TRACE.exec(value) ?? [];
  return version === '00' && more !== undefined ? undefined : trace;
}

function correlationOf(value) {
  return isCorrelationId(value) ? value : undefined;
}

/**
 * Has the listeners of a stream run with the ids of a request. Node emits the events of a body with
 * the ids of the connection's parser, so that without this the parser of the body, and all that
 * comes after it, would lose them.
 */
function bind(stream, ids) {
  const { emit } = stream;
  const value = function boundEmit(...args) {
    return within(ids, () => emit.apply(this, args));
  };
  Object.defineProperty(stream, 'emit', { __proto__: null, value, configurable: true, writable: true });
}

module.exports = { declareCorrelation, reenter };
