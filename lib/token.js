'use strict';

// Claims pass between JavaScript and the native part as JSON text. JSON.stringify and JSON.parse
// run here; everything else is native.

const { addMembers, jsonText, makeError } = require('./errors.js');
const { isPlain, native } = require('./native.js');

/** The header and claims of an unverified token, for logs only. */
function unsafeDecode(token, options) {
  const [header, claims] = native.tokenDecode(token, options);
  return { header: JSON.parse(header), claims: JSON.parse(claims) };
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
  return claim === undefined ? error : addMembers(error, { claim, reason });
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
