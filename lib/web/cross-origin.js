'use strict';

// Refuses requests that a page of another origin has a browser send, after the rules of Go's
// net/http.CrossOriginProtection.

const { publishRefused } = require('../audit/requests.js');
const { makeError } = require('../errors.js');
const { boolean, callback, declareOptions } = require('../options.js');
const { isRepeated } = require('./headers.js');
const { isHost, originOf, origins } = require('./origins.js');
const { refusal } = require('./refusal.js');

/** Methods that change nothing (RFC 9110 section 9.2.1). */
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);
/** An upgrade that is not subject to CORS. Its method is safe, and its connection is not. */
const WEBSOCKET = /(?:^|[\s,])websocket(?:$|[\s,/])/i;
/** The headers that decide. */
const DECISIVE = ['host', 'origin', 'sec-fetch-site'];
const REMEDY =
  'a page of another origin may have caused the request: if the origin is yours, add it to trustedOrigins';

const KINDS = { trustedOrigins: origins, bypass: callback, strict: boolean };

/** Requests of Node that have passed, so that they are not checked again with other options. */
const passed = new WeakSet();

/**
 * Declares the options of `of`. Returns a function of them that makes the check of a request:
 * `(raw, request, host)`, where `raw` is Node's request, `request` the framework's, and `host` the
 * host that the client has asked. The check rejects with the answer.
 */
function declareCrossOrigin(of) {
  const read = declareOptions(of, KINDS);
  return (options) => protectionOf(read(options));
}

function protectionOf({ trustedOrigins = new Set(), bypass, strict = false }) {
  return async (raw, request, host) => {
    if (isUnsafe(raw)) {
      assertDistinct(raw);
      const isAllowed = isOwn(raw.headers, host, strict) || trustedOrigins.has(raw.headers.origin);
      if (!isAllowed && (await bypass?.(request)) !== true) throw foreign(raw.headers.origin);
    }
    passed.add(raw);
  };
}

const byDefault = protectionOf({});

/** Checks a request, unless a middleware with the application's own options has let it pass. */
async function protect(raw, request, host) {
  if (!passed.has(raw)) await byDefault(raw, request, host);
}

function isUnsafe({ method, headers }) {
  return !SAFE.has(method) || WEBSOCKET.test(headers.upgrade ?? '');
}

/** Throws a 400 if a header comes twice: of two values, a proxy may have judged the other one. */
function assertDistinct({ headers, rawHeaders }) {
  const authority = headers[':authority'];
  const isTwofold = authority !== undefined && headers.host !== undefined && headers.host !== authority;
  if (!isTwofold && !DECISIVE.some((name) => isRepeated(rawHeaders, name))) return;
  publishRefused('header-repeated');
  throw refusal(400);
}

/** Whether a request comes from a page of the host, or from no page at all. */
function isOwn({ origin, 'sec-fetch-site': site }, host, strict) {
  if (site !== undefined) return site === 'same-origin' || site === 'none';
  if (origin === undefined) return !strict;
  const own = originOf(origin);
  if (own === undefined || !isHost(host)) return false;
  const { protocol, host: ofOrigin } = new URL(own);
  const url = `${protocol}//${host}`;
  // The URL has no port if it is that of the scheme.
  return URL.canParse(url) && new URL(url).host === ofOrigin;
}

function foreign(origin) {
  publishRefused('cross-origin', { origin: origin === undefined ? undefined : originOf(origin) });
  return refusal(403, {}, makeError('ERR_WEB_FORBIDDEN', REMEDY));
}

module.exports = { declareCrossOrigin, protect };
