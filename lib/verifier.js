'use strict';

// A verified token is its payload as text, and one that is refused is a number: what that stands for
// is asked once.

const { makeError } = require('./errors.js');
const native = require('./load.js');
const { refresherOf } = require('./remote-jwks.js');

/** The most tokens of one `verifyMany`. */
const MAX_TOKENS = 10_000;

class JwtVerifier {
  #verify;
  /** What fetches the keys, when they are somebody else's. */
  #refresher;
  #headers = new HeaderCache();
  #rejections = new Map();

  constructor(options) {
    this.#refresher = refresherOf(native.verifierAttach(this, options));
    this.#verify = native.verifierBind(this);
  }

  verify(token) {
    return this.#claims(this.#answer(token));
  }

  tryVerify(token) {
    return this.#result(token, this.#answer(token));
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
    this.#refresher?.use();
    const requests = this.#refresher?.requests;
    const answers = await native.verifierVerifyMany(this, given);
    const waiting = answers.map((answer) => this.#missing(answer, requests));
    if (waiting.some(Boolean)) {
      await Promise.all(waiting);
      const again = given.filter((_, index) => waiting[index]);
      const later = (await native.verifierVerifyMany(this, again)).values();
      answers.forEach((_, index) => {
        if (waiting[index]) answers[index] = later.next().value;
      });
    }
    return answers.map((answer, index) => this.#result(given[index], answer));
  }

  /** What the native part says of a token now. */
  #answer(token) {
    if (this.#refresher === undefined) return this.#verify(token);
    this.#refresher.use();
    const answer = this.#verify(token);
    this.#missing(answer);
    return answer;
  }

  /** What it says when all that it needs is there, or cannot be had. */
  async #verifyAsync(token) {
    const answer = this.#answer(token);
    const waiting = this.#missing(answer);
    if (waiting === undefined) return answer;
    await waiting;
    return this.#answer(token);
  }

  /** The request for a key that an answer says is not at hand, when there is one. */
  #missing(answer, requests) {
    if (typeof answer === 'string' || this.#refresher === undefined) return undefined;
    return this.#refresher.need(this.#rejection(answer).code, requests);
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
