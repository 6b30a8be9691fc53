'use strict';

// A verified token is its payload as text, and one that is refused is a number: what that stands
// for is asked once. With a cache a token that is known is the number of a slot, and its claims are
// here.

const { attach, construct } = require('./construct.js');
const { jsonText } = require('./errors.js');
const native = require('./load.js');
const { refresherOf } = require('./key-set.js');
const { MAX_TOKEN_LEN, decodeSegment, rejectionError } = require('./token.js');
const { Uncloneable } = require('./uncloneable.js');

class JwtVerifier extends Uncloneable {
  #verify;
  /** What fetches the keys, when they are somebody else's. */
  #refresher;
  #headers = new HeaderCache();
  #rejections = new Map();
  /** With a cache: claims by slot. */
  #held;
  /** Where the native part says for which slot a payload is; -1 once its claims are held. */
  #slot = Float64Array.of(-1);

  constructor(options) {
    super();
    this.#refresher = refresherOf(attach(this, options, native.verifierAttach));
    this.#verify = native.verifierBind(this);
    if (native.verifierRemembers(this)) this.#held = [];
  }

  static accessToken(options) {
    return construct(JwtVerifier, (verifier) =>
      native.verifierAttachAccessToken(verifier, options),
    );
  }

  static spiffe(options) {
    const bundle = bundleText(options?.bundle);
    return construct(JwtVerifier, (verifier) =>
      native.verifierAttachSpiffe(verifier, options, bundle),
    );
  }

  verify(token) {
    const answer = this.#answerAndFetch(token);
    if (typeof answer !== 'number') return answer;
    throw this.#error(answer);
  }

  tryVerify(token) {
    return this.#result(token, this.#answerAndFetch(token));
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
    const given = copied(tokens);
    this.#refresher?.use();
    const requests = this.#refresher?.requests;
    const answers = await this.#answerMany(given);
    const waiting = answers.map((answer) => this.#fetchMissing(answer, requests));
    if (waiting.some(Boolean)) {
      await Promise.all(waiting);
      const again = given.filter((_, index) => waiting[index]);
      const later = (await this.#answerMany(again)).values();
      answers.forEach((_, index) => {
        if (waiting[index]) answers[index] = later.next().value;
      });
    }
    return answers.map((answer, index) => this.#result(given[index], answer));
  }

  /**
   * Claims and statuses. In parts, between which others have their turn: on libuv's pool, and here.
   */
  async #answerMany(tokens) {
    const answers = [];
    do {
      const part = await native.verifierVerifyMany(this, tokens, answers.length);
      for (const answer of part) answers.push(this.#parsed(answer));
    } while (answers.length < tokens.length);
    return answers;
  }

  /** Answers with what is at hand; a key that is missing is fetched for the next call. */
  #answerAndFetch(token) {
    const answer = this.#answer(token);
    this.#fetchMissing(answer);
    return answer;
  }

  /** Answers when a key that is missing has been fetched, or cannot be. */
  async #answerAsync(token) {
    const answer = this.#answer(token);
    const fetching = this.#fetchMissing(answer);
    if (fetching === undefined) return answer;
    await fetching;
    return this.#answerAndFetch(token);
  }

  /** The claims of a token, or the status of its rejection. */
  #answer(token) {
    this.#refresher?.use();
    const given = bounded(token);
    return this.#held === undefined ? this.#parsed(this.#verify(given)) : this.#recall(given);
  }

  /**
   * Starts a request for the key that is missing, when the answer is a status that says so and one
   * is allowed. Gives the request to wait for, if there is one.
   */
  #fetchMissing(answer, requests) {
    if (this.#refresher === undefined || typeof answer !== 'number') return undefined;
    return this.#refresher.need(this.#rejection(answer).code, requests);
  }

  /** As `#answer`, with a cache. */
  #recall(token) {
    // What is held for that slot is another's: a call ran out of stack before it came to holding
    // its own.
    if (this.#slot[0] >= 0) this.#hold(undefined);
    const answer = this.#verify(token, this.#slot);
    if (typeof answer === 'string') return this.#hold(this.#parsed(answer));
    if (answer >= 0) return answer;
    return this.#held[-1 - answer] ?? this.#parsed(this.#verify(token));
  }

  /** Not the token, which may be a view of a longer text: V8 would keep all of that. */
  #hold(claims) {
    const slot = this.#slot[0];
    if (slot >= 0) this.#held[slot] = claims;
    this.#slot[0] = -1;
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

/** The caller's array may change in the meantime. The copy need not be complete to be too long. */
function copied(tokens) {
  if (!Array.isArray(tokens)) return tokens;
  const length = Math.min(tokens.length, native.MAX_MANY + 1);
  return Array.from({ length }, (_, index) => bounded(tokens[index]));
}

/**
 * A token. Before V8 lets any of a text be read it copies all its parts together: not of what is
 * too long.
 */
function bounded(token) {
  return typeof token === 'string' && token.length > MAX_TOKEN_LEN ? '' : token;
}

/**
 * A bundle as JSON. Text stays as it is, as in `JwtKey.fromJwks`, and so do keys that are fetched.
 */
function bundleText(bundle) {
  if (bundle === null || typeof bundle !== 'object' || refresherOf(bundle)) return bundle;
  return jsonText(bundle, 'ERR_JWT_KEY', 'the bundle must hold JSON values only');
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
      // A copy: the segment is a view of a token, and that perhaps of a request, to V8.
      this.#known.set(Buffer.from(segment, 'latin1').latin1Slice(), header);
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

module.exports = { JwtVerifier };
