'use strict';

// Reads credentials of a request (RFC 6750 section 2.1, RFC 6265 section 4.2).

const { publishRefused } = require('../audit/requests.js');
const { wrongType } = require('../options.js');
const { challengeOf } = require('./challenge.js');

/** A scheme alone, so that no character of a longer name follows, and then a token. */
const IS_SCHEME = /^(bearer|dpop)(?![\w!#$%&'*+.^`|~-])/i;
const CREDENTIALS = /^[a-z]+ +([\w.~+/-]+=*)$/i;
/**
 * Spaces before a cookie. A cookie whose name begins with any other space, such as U+00A0, has
 * another name: for a browser it has no prefix, and so any subdomain can set it.
 */
const SPACE = /^[ \t]+/;

/**
 * The token of the header `Authorization`. Undefined if there is none or it has another scheme;
 * throws a 400 for one that is malformed or comes twice.
 */
function readBearer(headers) {
  return readCredentials(headers, ['bearer'])?.token;
}

/**
 * The scheme, in lower case, and the token of the header `Authorization`. Undefined if there is
 * none or it has none of the schemes; throws a 400 for one that is malformed or comes twice, with
 * the schemes of `challenged`.
 */
function readCredentials(headers, schemes, challenged) {
  const value = single(headers, 'authorization', { challenged });
  const scheme = IS_SCHEME.exec(value ?? '')?.[1].toLowerCase();
  if (!schemes.includes(scheme)) return undefined;
  const token = CREDENTIALS.exec(value)?.[1];
  if (token === undefined) throw malformed('credentials-malformed', challenged);
  return { scheme, token };
}

/**
 * As {@link readBearer}, for services that accept proofs, too: `{ scheme, token }`, where the
 * scheme is `Bearer` or `DPoP`.
 */
function readAuthorization(headers) {
  const found = readCredentials(headers, ['bearer', 'dpop'], ['DPoP', 'Bearer']);
  return found && { scheme: found.scheme === 'dpop' ? 'DPoP' : 'Bearer', token: found.token };
}

/** The value of the header `DPoP`, undefined if there is none or several. */
function readProof(headers) {
  const value = valueOf(headers, 'dpop');
  const only = Array.isArray(value) && value.length === 1 ? value[0] : value;
  return typeof only === 'string' ? only : undefined;
}

/** The value of a cookie; throws a 400 if it comes twice. */
function readCookie(headers, name, challenged) {
  const value = single(headers, 'cookie', { joint: '; ', challenged });
  if (value === undefined || !value.includes(name)) return undefined;
  const found = value
    .split(';')
    .map((pair) => pair.replace(SPACE, ''))
    .filter((pair) => pair.startsWith(`${name}=`));
  // A neighbour that sets cookies for the parent domain could otherwise choose which one is read.
  if (found.length > 1) throw malformed('cookie-repeated', challenged);
  return found[0]?.slice(name.length + 1);
}

/**
 * The answer to credentials that are no single token; the audit trail has the fault as `kind`.
 * `schemes` are those that the service takes.
 */
function malformed(kind, schemes = ['Bearer']) {
  publishRefused(kind);
  return challengeOf({ error: 'invalid_request' }, { schemes });
}

/** The value of a header. It must not come twice, unless `joint` says how values are joined. */
function single(headers, name, { joint, challenged }) {
  const value = valueOf(headers, name);
  const text = Array.isArray(value) ? only(value, joint, challenged) : value;
  if (text === undefined || typeof text === 'string') return text;
  throw wrongType(`headers.${name}`, 'a string');
}

function only(values, joint, challenged) {
  if (joint !== undefined) return values.join(joint);
  if (values.length > 1) throw malformed('credentials-repeated', challenged);
  return values[0];
}

function valueOf(headers, name) {
  if (headers === null || typeof headers !== 'object') {
    throw wrongType('headers', "a request's headers");
  }
  if (typeof headers.get === 'function') return headers.get(name) ?? undefined;
  return Object.hasOwn(headers, name) ? headers[name] : undefined;
}

module.exports = { malformed, readAuthorization, readBearer, readCookie, readCredentials, readProof };
