'use strict';

// Claims pass between JavaScript and the native part as JSON text. JSON.stringify and JSON.parse
// run here; everything else is native.

const { jsonText, makeError } = require('./errors.js');
const { isPlain } = require('./native.js');

/** The maximum length of a token, in bytes, unless an option says otherwise. */
const MAX_TOKEN_LEN = 16 * 1024;

/** The header and claims of an unverified token: for logs and for choosing a verifier only. */
function unsafeDecode(token) {
  if (typeof token !== 'string') throw makeError('ERR_INVALID_ARG_TYPE', 'token must be a string');
  const segments = token.length > MAX_TOKEN_LEN ? [] : token.split('.', 4);
  try {
    if (segments.length !== 3) throw new SyntaxError();
    const [header, claims] = segments.slice(0, 2).map(decodeSegment);
    if (!isRecord(header) || !isRecord(claims)) throw new SyntaxError();
    return { header, claims };
  } catch {
    throw makeError('ERR_JWT_MALFORMED', 'this is not a well-formed token');
  }
}

function claimsText(claims) {
  if (claims === null || typeof claims !== 'object') {
    throw makeError('ERR_INVALID_ARG_TYPE', 'claims must be an object');
  }
  return jsonText(claims, 'ERR_JWT_CLAIM', 'claims must hold JSON values only');
}

/** The option `header` as JSON, or undefined. Only an own member is an option. */
function headerText(options) {
  if (!isRecord(options) || !Object.hasOwn(options, 'header')) return undefined;
  const { header } = options;
  if (header === undefined) return undefined;
  // JSON would have nothing of a Map, and not the getters of a class.
  if (!isRecord(header) || !isPlain(header)) {
    throw makeError('ERR_INVALID_ARG_TYPE', 'header must be a plain object');
  }
  return jsonText(header, 'ERR_INVALID_ARG_VALUE', 'header must hold JSON values only');
}

function decodeSegment(segment) {
  return JSON.parse(Buffer.from(segment, 'base64url').toString());
}

function rejectionError(rejection) {
  // With the null prototype, a missing claim is not read from Object.prototype.
  const { code, message, claim, reason } = { __proto__: null, ...rejection };
  const error = makeError(code, message);
  if (claim !== undefined) Object.assign(error, { claim, reason });
  return error;
}

function isRecord(value) {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

module.exports = {
  claimsText,
  decodeSegment,
  headerText,
  rejectionError,
  unsafeDecode,
};
