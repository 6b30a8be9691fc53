'use strict';

// The check of proofs of possession (RFC 9449) for frameworks that have no middleware here.

const { CHECKER, DpopReplayCache } = require('../dpop.js');
const { anything, declareOptions, required, text, wrongType } = require('../options.js');
const { Uncloneable } = require('../uncloneable.js');
const { readProof } = require('./bearer.js');
const { BY_DEFAULT, CHECKS, MAX_AGE, MISSING, UNBOUND, published } = require('./dpop.js');

/** The longest address and the longest token, in bytes. */
const LONGEST = 1_048_576;

const readChecks = declareOptions('web.DpopProofs', CHECKS);
const readRequest = declareOptions('web.DpopProofs.prototype.check', {
  headers: required(anything),
  method: required(text(64)),
  url: required(text(LONGEST)),
  token: required(text(LONGEST)),
  claims: required(record),
});

class DpopProofs extends Uncloneable {
  #checker;

  constructor(options) {
    super();
    const { maxAge = MAX_AGE, nonce = false, replay } = readChecks(options);
    this.#checker = (replay ?? DpopReplayCache.shared(BY_DEFAULT))[CHECKER](maxAge, nonce);
  }

  async check(request) {
    const { headers, method, url, token, claims } = readRequest(request);
    const { jkt } = Object(claims.cnf);
    const accepted = { ok: true, jkt };
    const proof = readProof(headers);
    const onDue = () => {
      accepted.nonce = this.#checker.nonce();
    };
    const judge = () =>
      this.#checker.check({ proof, method, url, token, thumbprint: jkt, isKnown: false, onDue });
    const refusal = absent(jkt, proof) ?? (await judge());
    if (refusal === undefined) return accepted;
    const { code, message } = published(refusal, claims);
    const nonce = code === 'ERR_DPOP_NONCE' ? { nonce: this.#checker.nonce() } : {};
    return { ok: false, code, message, ...nonce };
  }
}

/** The refusal if there is nothing to judge. */
function absent(jkt, proof) {
  if (typeof jkt !== 'string') return UNBOUND;
  return proof === undefined ? MISSING : undefined;
}

function record(value, name) {
  if (value !== null && typeof value === 'object') return value;
  throw wrongType(name, 'the claims of a verified token');
}

module.exports = { DpopProofs };
