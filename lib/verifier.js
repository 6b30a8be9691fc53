'use strict';

// A verified token is its payload as text, and one that is refused is a number: what that stands for
// is asked once.

const { makeError } = require('./errors.js');
const native = require('./load.js');
const { Uncloneable } = require('./uncloneable.js');

/** The most tokens of one `verifyMany`. */
const MAX_TOKENS = 10_000;

class JwtVerifier extends Uncloneable {
  #verify;
  #headers = new HeaderCache();
  #rejections = new Map();

  constructor(options) {
    super();
    native.verifierAttach(this, options);
    this.#verify = native.verifierBind(this);
  }

  verify(token) {
    return this.#claims(this.#verify(token));
  }

  tryVerify(token) {
    return this.#result(token, this.#verify(token));
  }

  async verifyAsync(token) {
    return this.#claims(await this.#verifyAsync(token));
  }

  async tryVerifyAsync(token) {
    return this.#result(token, await this.#verifyAsync(token));
  }

  async verifyMany(tokens) {
    // A copy: the caller's array may change in the meantime. It need not be complete to be too long.
    const given = Array.isArray(tokens) ? tokens.slice(0, MAX_TOKENS + 1) : tokens;
    const answers = await native.verifierVerifyMany(this, given);
    return answers.map((answer, index) => this.#result(given[index], answer));
  }

  /** What the native part says of a token, when all that it needs is there. */
  async #verifyAsync(token) {
    return this.#verify(token);
  }

  #claims(answer) {
    if (typeof answer === 'string') return JSON.parse(answer);
    throw rejectionError(this.#rejection(answer));
  }

  #result(token, answer) {
    if (typeof answer === 'string') {
      return { ok: true, claims: JSON.parse(answer), header: this.#headers.get(token) };
    }
    return { ok: false, ...this.#rejection(answer) };
  }

  /** What a status stands for, which may be a claim that this verifier requires. */
  #rejection(status) {
    let known = this.#rejections.get(status);
    if (known === undefined) {
      known = Object.freeze(native.verifierRejection(this, status));
      this.#rejections.set(status, known);
    }
    return known;
  }
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

function decodeSegment(segment) {
  return JSON.parse(Buffer.from(segment, 'base64url').toString());
}

function rejectionError({ code, message, claim, reason }) {
  const error = makeError(code, message);
  if (claim !== undefined) Object.assign(error, { claim, reason });
  return error;
}

module.exports = { JwtVerifier, decodeSegment, rejectionError };
