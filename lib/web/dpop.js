'use strict';

// Proofs of possession of a key (RFC 9449), in the check of a request.

const { publishRefused } = require('../audit/requests.js');
const { clocksOf } = require('../clock.js');
const { CHECKER, DpopReplayCache } = require('../dpop.js');
const { makeError } = require('../errors.js');
const { boolean, callback, declareOptions, duration, having, oneOf } = require('../options.js');
const { isRepeated } = require('./headers.js');
const { webOrigins } = require('./origins.js');
const { misconfigured } = require('./refusal.js');

const MODES = ['off', 'accept', 'require'];
/** Seconds. */
const MAX_AGE = 60;
const LONGEST = 3600;
/** The cache of all threads of a process, unless the application has its own. */
const BY_DEFAULT = '@nodesec/native: authenticate';

const CHECKS = {
  maxAge: duration(LONGEST),
  nonce: boolean,
  replay: having(CHECKER, 'a DpopReplayCache'),
  origins: webOrigins,
};

/** The caches of verifiers with a clock of their own. */
const byVerifier = new WeakMap();
/** By request of Node, the proof that a middleware before has accepted, and its cache. */
const accepted = new WeakMap();

const refused = (kind, message) => ({ code: 'ERR_DPOP_PROOF', kind, message });
const MISSING = refused('dpop-missing', 'the request has no DPoP proof, or its token came as Bearer');
const REPEATED = refused('dpop-repeated', 'the request has more than one header DPoP');
const NO_ADDRESS = refused(
  'dpop-url',
  'the address that the client has asked is not known: use the option url of dpop',
);
const FOREIGN = refused(
  'dpop-url',
  'the address of the request is of none of the origins that are the option origins of dpop',
);
/** The answer is that of a token, because another proof would not help. */
const UNBOUND = {
  code: 'ERR_JWT_CLAIM',
  kind: 'dpop-unbound',
  message: 'the token is not bound to a key: its claim cnf has no jkt',
  claim: 'cnf',
  reason: 'missing',
};

/** A token is bound to another key, too, such as that of a certificate. */
const NOT_BOUND = {
  code: 'ERR_JWT_CLAIM',
  kind: 'token-bound',
  message: 'the token is bound to a key that the client has not shown',
  claim: 'cnf',
  reason: 'mismatch',
};

/** The kind of the option `dpop` of `of`: a mode, or options. */
function dpopKind(of) {
  const mode = oneOf(MODES);
  const read = declareOptions(`${of}.dpop`, {
    mode: oneOf(MODES),
    ...CHECKS,
    url: callback,
  });
  return (value, name) => (typeof value === 'string' ? { mode: mode(value, name) } : read(value));
}

/** Returns the proofs of a middleware, undefined if it takes none. */
function proofsOf(options, verifier) {
  const { mode = 'require' } = options ?? { mode: 'off' };
  return mode === 'off' ? undefined : new Proofs({ ...options, mode }, verifier);
}

class Proofs {
  #checker;
  #origins;
  #url;
  /** Whether every request needs a proof. */
  isRequired;

  constructor({ mode, maxAge = MAX_AGE, nonce = false, replay, origins, url }, verifier) {
    this.isRequired = mode === 'require';
    this.#origins = origins;
    this.#url = url;
    this.#checker = (replay ?? cacheFor(verifier))[CHECKER](maxAge, nonce);
  }

  /**
   * Judges the proof of a request whose token is verified. Resolves to undefined if it is accepted,
   * else to the refusal. `context` has the address of the request, as `url()`, and sets a header of
   * the response, as `set(name, value)`.
   */
  async refusal(raw, request, token, claims, context) {
    const { jkt } = Object(claims.cnf);
    if (typeof jkt !== 'string') return UNBOUND;
    const proof = raw.headers.dpop;
    if (isRepeated(raw.rawHeaders, 'dpop')) return REPEATED;
    if (typeof proof !== 'string') return MISSING;
    const url = this.#url === undefined ? context.url() : await givenUrl(this.#url, request);
    if (url === undefined) return NO_ADDRESS;
    if (!isOwnAddress(url, this.#origins)) return FOREIGN;
    const { cache } = this.#checker;
    const before = accepted.get(raw);
    const refusal = await this.#checker.check({
      proof,
      method: raw.method,
      url,
      token,
      thumbprint: jkt,
      // A second middleware for the same request is no replay.
      isKnown: before?.cache === cache && before.proof === proof,
      onDue: () => context.set('DPoP-Nonce', this.#checker.nonce()),
    });
    if (refusal === undefined) accepted.set(raw, { cache, proof });
    return refusal;
  }

  /** The nonce for the next proof, if a refusal asks for one. */
  nonceAfter({ code }) {
    return code === 'ERR_DPOP_NONCE' ? this.#checker.nonce() : undefined;
  }
}

/** Publishes a refusal, and returns it. */
function published(refusal, claims) {
  publishRefused(refusal.kind, { claims });
  return refusal;
}

/** Whether an address is of one of the origins, if there are any. */
function isOwnAddress(url, origins) {
  return origins === undefined || (URL.canParse(url) && origins.has(new URL(url).origin));
}

/** The cache of a middleware without the option `replay`. */
function cacheFor(verifier) {
  const [clock, ...others] = clocksOf(verifier);
  if (others.length > 0) {
    throw makeError(
      'ERR_INVALID_ARG_VALUE',
      'the verifiers have different clocks, and proofs need one: set the option replay of dpop to a ' +
        'DpopReplayCache with a clock',
    );
  }
  if (clock === undefined) return DpopReplayCache.shared(BY_DEFAULT);
  let cache = byVerifier.get(verifier);
  if (cache === undefined) {
    // The verifier has found that its clock is allowed.
    cache = new DpopReplayCache({ clock: () => new Date(clock.millis()), allowClockInProduction: true });
    byVerifier.set(verifier, cache);
  }
  return cache;
}

async function givenUrl(url, request) {
  const given = await url(request);
  if (typeof given === 'string' && URL.canParse(given)) return given;
  throw misconfigured('the option url of dpop must give the address of the request as a string');
}

module.exports = {
  BY_DEFAULT,
  CHECKS,
  FOREIGN,
  MAX_AGE,
  MISSING,
  NOT_BOUND,
  UNBOUND,
  dpopKind,
  isOwnAddress,
  proofsOf,
  published,
};
