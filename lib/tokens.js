'use strict';

// Tokens cross the border as text: JSON.stringify and JSON.parse here, everything else there.

const { jsonText, makeError } = require('./errors.js');
const native = require('./load.js');

class JwtIssuer {
  #sign;

  constructor(options) {
    native.issuerAttach(this, options);
    this.#sign = native.issuerBind(this);
  }

  sign(claims, overrides) {
    const text = claimsText(claims);
    return overrides === undefined ? this.#sign(text) : native.issuerSign(this, text, overrides);
  }
}

class JwtVerifier {
  #verify;
  #headers = new HeaderCache();

  constructor(options) {
    native.verifierAttach(this, options);
    this.#verify = native.verifierBind(this);
  }

  verify(token) {
    const payload = this.#verify(token);
    if (typeof payload === 'string') return JSON.parse(payload);
    throw rejectionError(payload);
  }

  tryVerify(token) {
    const payload = this.#verify(token);
    if (typeof payload === 'string') {
      return { ok: true, claims: JSON.parse(payload), header: this.#headers.get(token) };
    }
    return { ok: false, ...rejection(payload) };
  }
}

/** The payload, as bytes, of a token that need not carry claims. */
function verifyJws(token, keys, options) {
  const payload = native.jwsVerify(token, keys, options);
  if (typeof payload !== 'number') return payload;
  throw rejectionError(payload);
}

/** The claims of a token that nobody has verified: for logs and for choosing a verifier only. */
function unsafeDecode(token) {
  if (typeof token !== 'string') throw makeError('ERR_INVALID_ARG_TYPE', 'token must be a string');
  const segments = token.split('.', 4);
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

function decodeSegment(segment) {
  return JSON.parse(Buffer.from(segment, 'base64url').toString());
}

/** Headers of verified tokens. They are few and shared by many tokens, so they are frozen. */
class HeaderCache {
  #known = new Map();

  get(token) {
    const segment = token.slice(0, token.indexOf('.'));
    let header = this.#known.get(segment);
    if (header === undefined) {
      header = deepFreeze(decodeSegment(segment));
      if (this.#known.size >= 64) this.#known.clear();
      this.#known.set(segment, header);
    }
    return header;
  }
}

function deepFreeze(value) {
  if (value !== null && typeof value === 'object') {
    Object.values(value).forEach(deepFreeze);
    Object.freeze(value);
  }
  return value;
}

const rejections = new Map();

/** What a native status stands for. */
function rejection(status) {
  let known = rejections.get(status);
  if (known === undefined) {
    known = Object.freeze(native.jwtRejection(status));
    rejections.set(status, known);
  }
  return known;
}

function rejectionError(status) {
  const { code, message, claim, reason } = rejection(status);
  const error = makeError(code, message);
  if (claim !== undefined) Object.assign(error, { claim, reason });
  return error;
}

module.exports = { JwtIssuer, JwtVerifier, claimsText, unsafeDecode, verifyJws };
