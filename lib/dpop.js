'use strict';

const { useClock } = require('./clock.js');
const { attach, construct } = require('./construct.js');
const { DpopError } = require('./errors.js');
const { native, settled } = require('./native.js');
const { permittedFile } = require('./permission.js');
const { Uncloneable } = require('./uncloneable.js');

/** Holds the methods for the middleware. Another copy of this package finds them, too. */
const CHECKER = Symbol.for('@nodesec/native: makes the check of DPoP proofs of a cache');

/** The answers of the native part to a proof that is accepted; all others are refusals. */
const ACCEPTED = 0;
const NONCE_DUE = 1;

class DpopReplayCache extends Uncloneable {
  #clock;

  constructor(options) {
    super();
    this.#clock = attach(this, options, (cache, options) => {
      const [given, clock] = useClock(cache, options);
      native.dpopCacheAttach(cache, given);
      return clock;
    });
  }

  static shared(name, options) {
    return construct(DpopReplayCache, (cache) => native.dpopCacheShare(cache, name, options));
  }

  static machine(path, options) {
    return construct(DpopReplayCache, (cache) =>
      native.dpopCacheMachine(cache, permittedFile(DpopError, path), options),
    );
  }

  stats() {
    this.#clock?.read();
    return native.dpopCacheStats(this);
  }

  /**
   * Makes the functions of a middleware: `check`, which gives undefined or the refusal of a proof,
   * and `nonce`. `check` tells `onDue` of a proof whose nonce is nearly over.
   */
  [CHECKER](maxAge, needsNonce) {
    const judge = native.dpopBind(this, maxAge, needsNonce);
    return {
      // Objects of one name or file have one cache.
      cache: native.dpopCacheNumber(this),
      check: ({ proof, method, url, token, thumbprint, isKnown, onDue }) => {
        this.#clock?.read();
        const status = settled(judge(proof, method, withoutQuery(url), token, thumbprint, isKnown));
        if (status === NONCE_DUE) onDue();
        return status === ACCEPTED || status === NONCE_DUE ? undefined : refusalOf(status);
      },
      nonce: () => {
        this.#clock?.read();
        return native.dpopNonce(this);
      },
    };
  }
}

/** The address that a proof names. Its query may be longer than any proof. */
function withoutQuery(url) {
  const end = url.search(/[?#]/);
  return end < 0 ? url : url.slice(0, end);
}

const refusals = new Map();

/** The meaning of a status: `{ code, message, kind }`. */
function refusalOf(status) {
  let known = refusals.get(status);
  if (known === undefined) {
    known = Object.freeze(native.dpopRefusal(status));
    refusals.set(status, known);
  }
  return known;
}

/** The refusal with this kind. */
function refusalNamed(kind) {
  // The statuses of refusals begin here, without a gap.
  for (let status = NONCE_DUE + 1; ; status += 1) {
    const refusal = refusalOf(status);
    if (refusal.kind === kind) return refusal;
  }
}

function createDpopProof(key, options) {
  return native.dpopCreate(key, options);
}

module.exports = { CHECKER, DpopReplayCache, createDpopProof, refusalNamed };
