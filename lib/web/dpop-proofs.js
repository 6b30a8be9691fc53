'use strict';

// The check of proofs of possession (RFC 9449) for frameworks that have no middleware here.

const { CHECKER, DpopReplayCache } = require('../dpop.js');
const { makeError } = require('../errors.js');
const { anything, declareOptions, required, text, wrongType } = require('../options.js');
const { Uncloneable } = require('../uncloneable.js');
const { readProof } = require('./bearer.js');
const {
  BY_DEFAULT,
  CHECKS,
  FOREIGN,
  MAX_AGE,
  MISSING,
  NOT_BOUND,
  UNBOUND,
  isOwnAddress,
  published,
} = require('./dpop.js');

/** The longest token, in bytes. */
const LONGEST = 1_048_576;
/** The most members of a claim `cnf` that a caller can have checked. */
const MAX_CONFIRMED = 10;

const readChecks = declareOptions('web.DpopProofs', CHECKS);
const readRequest = declareOptions('web.DpopProofs.prototype.check', {
  headers: required(anything),
  // Those of a request may have any length: a client is refused, and no error of the service.
  method: required(string),
  url: required(string),
  token: required(text(LONGEST)),
  claims: required(record),
  confirmed: names,
});

class DpopProofs extends Uncloneable {
  #checker;
  #origins;

  constructor(options) {
    super();
    const { maxAge = MAX_AGE, nonce = false, replay, origins } = readChecks(options);
    this.#origins = origins;
    this.#checker = (replay ?? DpopReplayCache.shared(BY_DEFAULT))[CHECKER](maxAge, nonce);
  }

  async check(request) {
    const { headers, method, url, token, claims, confirmed = [] } = readRequest(request);
    const { jkt, ...others } = Object(claims.cnf);
    const accepted = { ok: true, jkt };
    const proof = readProof(headers);
    const onDue = () => {
      accepted.nonce = this.#checker.nonce();
    };
    const judge = () =>
      this.#checker.check({ proof, method, url, token, thumbprint: jkt, isKnown: false, onDue });
    const refusal = this.#absent(jkt, others, confirmed, proof, url) ?? (await judge());
    if (refusal === undefined) return accepted;
    const { code, message } = published(refusal, claims);
    const nonce = code === 'ERR_DPOP_NONCE' ? { nonce: this.#checker.nonce() } : {};
    return { ok: false, code, message, scheme: 'DPoP', ...nonce };
  }

  /** The refusal of a request whose proof is not judged. */
  #absent(jkt, others, confirmed, proof, url) {
    if (typeof jkt !== 'string') return UNBOUND;
    if (!Object.keys(others).every((name) => confirmed.includes(name))) return NOT_BOUND;
    if (proof === undefined) return MISSING;
    return isOwnAddress(url, this.#origins) ? undefined : FOREIGN;
  }
}

function string(value, name) {
  if (typeof value === 'string') return value;
  throw wrongType(name, 'a string');
}

/** The names of members of `cnf` that the caller has checked. */
function names(value, name) {
  if (!Array.isArray(value)) throw wrongType(name, 'an array of strings');
  if (value.length > MAX_CONFIRMED) {
    throw makeError('ERR_INVALID_ARG_VALUE', `${name} must be at most ${MAX_CONFIRMED} names of members of cnf`);
  }
  const list = [...value];
  if (list.every((member) => typeof member === 'string')) return list;
  throw wrongType(name, 'an array of strings');
}

function record(value, name) {
  if (value !== null && typeof value === 'object') return value;
  throw wrongType(name, 'the claims of a verified token');
}

module.exports = { DpopProofs };
