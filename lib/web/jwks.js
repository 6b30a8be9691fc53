'use strict';

// The JWK Set of a key ring, as an answer to GET and HEAD (RFC 7517 section 5, RFC 9110 section
// 13).

const { declareOptions, having, required } = require('../options.js');
const { answerTo } = require('./status.js');

/** An entity tag, whose letter `W/` does not matter here. */
const TAGS = /(?:W\/)?("[\x21\x23-\x7e]*")/g;

/**
 * Declares the options of `of`, with `more` of the framework's. Returns a function of them that
 * gives `answer`, the answer to a request, and the values of `more`.
 */
function declareJwks(of, more = {}) {
  const read = declareOptions(of, { keys: required(having('jwks', 'a KeyRing')), ...more });
  return (options) => {
    const { keys, ...others } = read(options);
    const answer = ({ method, headers }) => {
      if (method !== 'GET' && method !== 'HEAD') {
        return { status: 405, headers: { Allow: 'GET, HEAD' }, body: '' };
      }
      const { body, etag, maxAge } = setOf(keys);
      const fields = { 'Cache-Control': `public, max-age=${maxAge}`, ETag: etag };
      if (isKnown(headers['if-none-match'], etag)) return { status: 304, headers: fields, body: '' };
      fields['Content-Type'] = 'application/jwk-set+json';
      fields['Content-Length'] = `${Buffer.byteLength(body)}`;
      return { status: 200, headers: fields, body };
    };
    return { answer, ...others };
  };
}

/** The set of `keys`; throws a 503 while the store of the ring cannot be read. */
function setOf(keys) {
  try {
    return keys.jwks();
  } catch (error) {
    throw answerTo(error);
  }
}

function isKnown(given, etag) {
  if (given === undefined) return false;
  if (given.trim() === '*') return true;
  return [...given.matchAll(TAGS)].some(([, tag]) => tag === etag);
}

module.exports = { declareJwks };
