'use strict';

// A verified token is its payload as text, and one that is refused is a number: what that stands for
// is asked once. With a cache a token that is known is the number of a slot, and its claims are here.

const { jsonText, makeError } = require('./errors.js');
const native = require('./load.js');
const { refresherOf } = require('./remote-jwks.js');
const { Uncloneable } = require('./uncloneable.js');

/** The most tokens of one `verifyMany`. */
const MAX_TOKENS = 10_000;

/** Where the native part says for which slot a payload is. */
const slotOut = new Float64Array(1);

/** Handed to the constructor by the static methods only: how a kind of verifier is made. */
class Kind {
  constructor(attach) {
    this.attach = attach;
  }
}
const JWT = new Kind(native.verifierAttach);
const ACCESS_TOKEN = new Kind(native.verifierAttachAccessToken);

class JwtVerifier extends Uncloneable {
  #verify;
  /** What fetches the keys, when they are somebody else's. */
  #refresher;
  #headers = new HeaderCache();
  #rejections = new Map();
  /** With a cache: tokens and their claims, by slot. */
  #held;

  constructor(options, kind) {
    super();
    const { attach } = kind instanceof Kind ? kind : JWT;
    this.#refresher = refresherOf(attach(this, options));
    this.#verify = native.verifierBind(this);
    if (native.verifierRemembers(this)) this.#held = [];
  }

  static accessToken(options) {
    return new JwtVerifier(options, ACCESS_TOKEN);
  }

  static spiffe(options) {
    const bundle = bundleText(options?.bundle);
    const kind = new Kind((verifier) => native.verifierAttachSpiffe(verifier, options, bundle));
    return new JwtVerifier(options, kind);
  }

  verify(token) {
    const answer = this.#answer(token);
    if (typeof answer !== 'number') return answer;
    throw this.#error(answer);
  }

  tryVerify(token) {
    return this.#result(token, this.#answer(token));
  }

  async verifyAsync(token) {
    const answer = await this.#answerAsync(token);
    if (typeof answer !== 'number') return answer;
    throw this.#error(answer);
  }

  async tryVerifyAsync(token) {
    return this.#result(token, await this.#answerAsync(token));
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
    return answers.map((answer, index) => this.#result(given[index], this.#parsed(answer)));
  }

  /** The claims of a token, or the status of its rejection. Has what is missing fetched. */
  #answer(token) {
    this.#refresher?.use();
    const answer = this.#held === undefined ? this.#parsed(this.#verify(token)) : this.#recall(token);
    this.#missing(answer);
    return answer;
  }

  /** As `#answer`, when all that the native part needs is there, or cannot be had. */
  async #answerAsync(token) {
    const answer = this.#answer(token);
    const waiting = this.#missing(answer);
    if (waiting === undefined) return answer;
    await waiting;
    return this.#answer(token);
  }

  /** The request for a key that is not at hand, as a status says, when there is one. */
  #missing(answer, requests) {
    if (this.#refresher === undefined || typeof answer !== 'number') return undefined;
    return this.#refresher.need(this.#rejection(answer).code, requests);
  }

  /** As `#answer`, with a cache. */
  #recall(token) {
    const answer = this.#verify(token, slotOut);
    if (typeof answer === 'string') return this.#hold(slotOut[0], token, answer);
    if (answer >= 0) return answer;
    const held = this.#held[-1 - answer];
    // It is another's, or none, when a call ran out of stack before it could be held.
    return held?.token === token ? held.claims : this.#parsed(this.#verify(token));
  }

  #hold(slot, token, payload) {
    const claims = this.#parsed(payload);
    if (slot >= 0) this.#held[slot] = { token, claims };
    return claims;
  }

  /** With a cache claims are shared, and therefore frozen. */
  #parsed(answer) {
    if (typeof answer !== 'string') return answer;
    const claims = JSON.parse(answer);
    return this.#held === undefined ? claims : deepFreeze(claims);
  }

  #result(token, answer) {
    if (typeof answer === 'number') return { ok: false, ...this.#rejection(answer) };
    return { ok: true, claims: answer, header: this.#headers.get(token) };
  }

  #error(status) {
    return rejectionError(this.#rejection(status));
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

/** A bundle as JSON. Text stays as it is, as in `JwtKey.fromJwks`, and so do keys that are fetched. */
function bundleText(bundle) {
  if (bundle === null || typeof bundle !== 'object' || refresherOf(bundle)) return bundle;
  return jsonText(bundle, 'ERR_JWT_KEY', 'the bundle must be values that JSON can hold');
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

function rejectionError(rejection) {
  // A claim that is not there is not looked for in Object.prototype.
  const { code, message, claim, reason } = { __proto__: null, ...rejection };
  const error = makeError(code, message);
  if (claim !== undefined) Object.assign(error, { claim, reason });
  return error;
}

module.exports = { JwtVerifier, decodeSegment, rejectionError };
