'use strict';

// Tokens cross the border as text: JSON.stringify and JSON.parse here, everything else there.

const { jsonText, makeError } = require('./errors.js');
const native = require('./load.js');
const { refresherOf } = require('./key-set.js');
const { Uncloneable } = require('./uncloneable.js');
const { MAX_TOKEN_LEN, decodeSegment, rejectionError } = require('./verifier.js');

class JwtIssuer extends Uncloneable {
  #sign;

  constructor(options) {
    super();
    native.issuerAttach(this, options);
    this.#sign = native.issuerBind(this);
  }

  sign(claims, overrides) {
    const text = claimsText(claims);
    return overrides === undefined ? this.#sign(text) : native.issuerSign(this, text, overrides);
  }

  async signAsync(claims, overrides) {
    return native.issuerSignAsync(this, claimsText(claims), overrides);
  }
}

/** The payload, as bytes, of a token that need not carry claims. */
function verifyJws(token, keys, options) {
  const payload = native.jwsVerify(token, keys, options);
  const refresher = refresherOf(keys);
  refresher?.use();
  if (typeof payload !== 'number') return payload;
  const rejection = native.jwtRejection(payload);
  refresher?.need(rejection.code);
  throw rejectionError(rejection);
}

/** The claims of a token that nobody has verified: for logs and for choosing a verifier only. */
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
  return jsonText(claims, 'ERR_JWT_CLAIM', 'claims must be values that JSON can hold');
}

function isRecord(value) {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

module.exports = { JwtIssuer, claimsText, unsafeDecode, verifyJws };
