'use strict';

// The native part returns the payload of a verified token as text, and a number, the status, for a
// refused token. Each verifier asks once for the meaning of a status. With a cache, the native part
// returns the number of a cache slot for a token that it knows, and the claims are stored here by
// slot.

const { publishRefusal } = require('./audit/tokens.js');
const { useClock } = require('./clock.js');
const { attach, construct } = require('./construct.js');
const { jsonText } = require('./errors.js');
const { native, settled, snapshot } = require('./native.js');
const { refresherOf } = require('./key-set.js');
const { decodeSegment, rejectionError } = require('./token.js');
const { Uncloneable } = require('./uncloneable.js');

/** Headers of unusual length, in characters of base64url, are not cached. */
const MAX_CACHED_HEADER = 8192;

/** Holds the method of {@link keysFail}. Another copy of this package finds it, too. */
const KEYS_FAIL = Symbol.for('@nodesec/native: whether the keys of a verifier cannot be fetched');

/** Stands for a token of `verifyMany` that is too long. */
const TOO_LONG = Symbol('too long');

class JwtVerifier extends Uncloneable {
  #clock;
  #verify;
  /** The length of the longest token. */
  #maxBytes;
  /** Fetches the keys if they are a RemoteJwks, otherwise undefined. */
  #refresher;
  #headers = new HeaderCache();
  #rejections = new Map();
  /** With a cache: claims by cache slot. */
  #held;
  /** The native part writes the cache slot of a payload here; -1 once its claims are stored. */
  #slot = Float64Array.of(-1);

  constructor(options) {
    super();
    const [keys, clock] = attach(this, options, attachWith(native.verifierAttach));
    this.#refresher = refresherOf(keys);
    this.#clock = clock;
    this.#verify = native.verifierBind(this);
    this.#maxBytes = native.verifierMaxBytes(this);
    if (native.verifierRemembers(this)) this.#held = [];
  }

  static accessToken(options) {
    const attachTo = attachWith(native.verifierAttachAccessToken);
    return construct(JwtVerifier, (verifier) => attachTo(verifier, options));
  }

  static spiffe(options) {
    const given = snapshot(options);
    const bundle = bundleText(given?.bundle);
    const attachTo = attachWith(native.verifierAttachSpiffe);
    return construct(JwtVerifier, (verifier) => attachTo(verifier, given, bundle));
  }

  [KEYS_FAIL]() {
    return this.#refresher?.fails === true;
  }

  verify(token) {
    const answer = this.#answerAndFetch(token);
    if (typeof answer !== 'number') return answer;
    throw this.#error(token, answer);
  }

  tryVerify(token) {
    return this.#result(token, this.#answerAndFetch(token));
  }

  async verifyAsync(token) {
    let answer = this.#answer(token);
    const fetching = this.#fetchMissing(answer);
    if (fetching !== undefined) answer = await this.#fetched(token, fetching);
    if (typeof answer !== 'number') return answer;
    throw this.#error(token, answer);
  }

  async tryVerifyAsync(token) {
    const answer = this.#answer(token);
    // Nearly every key is at hand, and then nothing is waited for.
    const fetching = this.#fetchMissing(answer);
    return this.#result(token, fetching === undefined ? answer : await this.#fetched(token, fetching));
  }

  async verifyMany(tokens) {
    const given = copied(tokens, this.#maxBytes);
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
   * Resolves to the claims or the status of each token. The tokens are verified in parts, so that
   * other work on libuv's pool and on this thread can run in between.
   */
  async #answerMany(tokens) {
    const answers = [];
    do {
      this.#clock?.read();
      const part = await native.verifierVerifyMany(this, tokens, answers.length);
      for (const answer of part) {
        const isRead = tokens[answers.length] !== TOO_LONG;
        answers.push(isRead ? this.#parsed(answer) : native.TOKEN_TOO_LONG);
      }
    } while (answers.length < tokens.length);
    return answers;
  }

  /** Verifies with the keys at hand. A missing key is fetched in the background for later calls. */
  #answerAndFetch(token) {
    const answer = this.#answer(token);
    this.#fetchMissing(answer);
    return answer;
  }

  /** Waits for the request of a missing key and verifies the token again. */
  async #fetched(token, fetching) {
    await fetching;
    return this.#answerAndFetch(token);
  }

  /** Returns the claims of a token, or the status of its rejection. */
  #answer(token) {
    this.#refresher?.use();
    this.#clock?.read();
    if (isTooLong(token, this.#maxBytes)) return native.TOKEN_TOO_LONG;
    return this.#held === undefined ? this.#parsed(settled(this.#verify(token))) : this.#recall(token);
  }

  /**
   * If the answer is the status of a missing key, starts a request, if one is allowed. Returns a
   * promise to wait for before the token is verified again, or undefined.
   */
  #fetchMissing(answer, requests) {
    if (this.#refresher === undefined || typeof answer !== 'number') return undefined;
    return this.#refresher.need(this.#rejection(answer).code, requests);
  }

  /** Does the work of `#answer` with a cache. */
  #recall(token) {
    // An earlier call ran out of stack before it could store its claims: the slot still holds the
    // claims of another token.
    if (this.#slot[0] >= 0) this.#hold(undefined);
    const answer = settled(this.#verify(token, this.#slot));
    if (typeof answer === 'string') return this.#hold(this.#parsed(answer));
    if (answer >= 0) return answer;
    return this.#held[-1 - answer] ?? this.#parsed(settled(this.#verify(token)));
  }

  /**
   * Stores the claims in their slot. The token is not stored: it may be a slice of a longer string,
   * which V8 would keep alive.
   */
  #hold(claims) {
    const slot = this.#slot[0];
    if (slot >= 0) this.#held[slot] = claims;
    this.#slot[0] = -1;
    return claims;
  }

  /** Parses a payload. With a cache claims are shared, and therefore frozen. */
  #parsed(answer) {
    if (typeof answer !== 'string') return answer;
    const claims = JSON.parse(answer);
    return this.#held === undefined ? claims : deepFreeze(claims);
  }

  #result(token, answer) {
    if (typeof answer === 'number') return { ok: false, ...this.#refuse(token, answer) };
    return { ok: true, claims: answer, header: this.#headers.get(token) };
  }

  #error(token, status) {
    return rejectionError(this.#refuse(token, status));
  }

  /** The rejection of a token that is now refused. */
  #refuse(token, status) {
    const rejection = this.#rejection(status);
    publishRefusal(rejection, token, status);
    return rejection;
  }

  /**
   * The rejection that a status means. It depends on the verifier, because it may name a claim that
   * this verifier requires.
   */
  #rejection(status) {
    let known = this.#rejections.get(status);
    if (known === undefined) {
      known = Object.freeze(native.verifierRejection(this, status));
      this.#rejections.set(status, known);
    }
    return known;
  }
}

/**
 * The function that attaches a verifier with `call`, and returns its keys if the façade fetches
 * them, and its clock if it has one.
 */
function attachWith(call) {
  return (verifier, options, ...more) => {
    const [given, clock] = useClock(verifier, options);
    return [call(verifier, given, ...more), clock];
  };
}

/**
 * Copies the tokens, because the caller may change the array meanwhile. One token beyond the limit
 * is enough for the native part to refuse the copy.
 */
function copied(tokens, maxBytes) {
  if (!Array.isArray(tokens)) return tokens;
  const length = Math.min(tokens.length, native.MAX_MANY + 1);
  return Array.from({ length }, (_, index) => {
    const token = tokens[index];
    return isTooLong(token, maxBytes) ? TOO_LONG : token;
  });
}

/**
 * Whether a string is too long for a token. Such a string is not read: if it was joined from parts,
 * V8 would copy the parts together, which takes long.
 */
function isTooLong(token, maxBytes) {
  return typeof token === 'string' && token.length > maxBytes;
}

/**
 * Returns a bundle as JSON. Text stays as it is, as in `JwtKey.fromJwks`, and so does a RemoteJwks.
 */
function bundleText(bundle) {
  if (bundle === null || typeof bundle !== 'object' || refresherOf(bundle)) return bundle;
  return jsonText(bundle, 'ERR_JWT_KEY', 'the bundle must hold JSON values only');
}

/** The headers of verified tokens. Many tokens share few headers, so the headers are frozen. */
class HeaderCache {
  #known = new Map();

  get(token) {
    const segment = token.slice(0, token.indexOf('.'));
    let header = this.#known.get(segment);
    if (header === undefined) {
      header = deepFreeze(decodeSegment(segment));
      if (segment.length > MAX_CACHED_HEADER) return header;
      if (this.#known.size >= 64) this.#known.clear();
      // A copy: the segment is a slice of the token, which may be a slice of a request, and V8
      // would keep the whole string alive.
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

/**
 * Whether the last request for the keys with which `verifier` judges a token has failed. A key that
 * is not found may then be new.
 */
function keysFail(verifier, token) {
  return verifier[KEYS_FAIL]?.(token) === true;
}

module.exports = { JwtVerifier, KEYS_FAIL, TOO_LONG, copied, isTooLong, keysFail };
