'use strict';

const { isMap } = require('node:util').types;

const { publishRefusal } = require('./audit/tokens.js');
const { JUDGE, PARTS } = require('./clock.js');
const { makeError } = require('./errors.js');
const { isPlain, native, settled } = require('./native.js');
const { rejectionError } = require('./token.js');
const { Uncloneable } = require('./uncloneable.js');
const { KEYS_FAIL, TOO_LONG, copied, isTooLong, keysFail } = require('./verifier.js');

class JwtVerifiers extends Uncloneable {
  #verifiers;
  /** Gives the index of a token's verifier, or the status of its rejection, negated. */
  #choose;
  #maxBytes;
  #rejections = new Map();

  constructor(verifiers) {
    super();
    const [names, values] = columns(verifiers);
    this.#maxBytes = native.verifiersAttach(this, names, values);
    this.#verifiers = values;
    this.#choose = native.verifiersBind(this);
  }

  [KEYS_FAIL](token) {
    const chosen = this.#chosen(token);
    return chosen >= 0 && keysFail(this.#verifiers[chosen], token);
  }

  /** The verifier that judges a token; undefined if none does. */
  [JUDGE](token) {
    return this.#verifiers[this.#chosen(token)];
  }

  [PARTS]() {
    return this.#verifiers;
  }

  verify(token) {
    const chosen = this.#chosen(token);
    if (chosen >= 0) return this.#verifiers[chosen].verify(token);
    throw this.#error(token, chosen);
  }

  tryVerify(token) {
    const chosen = this.#chosen(token);
    return chosen >= 0 ? this.#verifiers[chosen].tryVerify(token) : this.#refusal(token, chosen);
  }

  async verifyAsync(token) {
    const chosen = this.#chosen(token);
    if (chosen >= 0) return this.#verifiers[chosen].verifyAsync(token);
    throw this.#error(token, chosen);
  }

  async tryVerifyAsync(token) {
    const chosen = this.#chosen(token);
    if (chosen >= 0) return this.#verifiers[chosen].tryVerifyAsync(token);
    return this.#refusal(token, chosen);
  }

  async verifyMany(tokens) {
    const given = copied(tokens, this.#maxBytes);
    const results = [];
    /** By verifier, the places of its tokens. */
    const places = new Map();
    do {
      for (const answer of await native.verifiersChooseMany(this, given, results.length)) {
        const place = results.length;
        const chosen = given[place] === TOO_LONG ? -native.TOKEN_TOO_LONG : answer;
        results.push(chosen >= 0 ? undefined : this.#refusal(given[place], chosen));
        if (chosen < 0) continue;
        if (!places.has(chosen)) places.set(chosen, []);
        places.get(chosen).push(place);
      }
    } while (results.length < given.length);
    const judge = async ([chosen, own]) => {
      const judged = await this.#verifiers[chosen].verifyMany(own.map((place) => given[place]));
      own.forEach((place, index) => {
        results[place] = judged[index];
      });
    };
    await Promise.all(Array.from(places, judge));
    return results;
  }

  #chosen(token) {
    if (isTooLong(token, this.#maxBytes)) return -native.TOKEN_TOO_LONG;
    return settled(this.#choose(token));
  }

  #refusal(token, chosen) {
    return { ok: false, ...this.#refuse(token, chosen) };
  }

  #error(token, chosen) {
    return rejectionError(this.#refuse(token, chosen));
  }

  /** The rejection of a token that no verifier judges. Nothing that it claims is verified. */
  #refuse(token, chosen) {
    const rejection = this.#rejection(chosen);
    publishRefusal(rejection, token);
    return rejection;
  }

  #rejection(chosen) {
    let known = this.#rejections.get(chosen);
    if (known === undefined) {
      known = Object.freeze(native.jwtRejection(-chosen));
      this.#rejections.set(chosen, known);
    }
    return known;
  }
}

/** The names and the values of a map, or of the own members of a plain object. */
function columns(verifiers) {
  if (isMap(verifiers)) {
    const entries = [...Map.prototype.entries.call(verifiers)];
    return [entries.map(([name]) => name), entries.map(([, value]) => value)];
  }
  if (verifiers === null || typeof verifiers !== 'object' || !isPlain(verifiers)) {
    throw makeError(
      'ERR_INVALID_ARG_TYPE',
      'verifiers must be a plain object or a Map from the names of issuers to a JwtVerifier each',
    );
  }
  const names = Object.getOwnPropertyNames(verifiers);
  return [names, names.map((name) => verifiers[name])];
}

module.exports = { JwtVerifiers };
