'use strict';

const { CHECKER, DpopReplayCache, refusalNamed } = require('../dpop.js');
const { anything, declareOptions, integer, required, text } = require('../options.js');
const { Uncloneable } = require('../uncloneable.js');
const { connect } = require('./client.js');
const { replayKeys } = require('./replay-keys.js');
const { VERDICTS } = require('./replay-script.js');
const { ReplayServer } = require('./replay-server.js');

/** The longest proof, in bytes: src/dpop/proof.rs. */
const MAX_PROOF = 8192;
/** The latest time of a proof that its check may have, in seconds. */
const LAST = 1e11;
/** How far a clock may be ahead, and the longest age, as in src/dpop/check.rs. */
const AHEAD_MS = 30_000;
const LONGEST_AGE = 3600;

/** The kinds of refusals by the verdicts of the server. */
const KINDS = new Map([
  [VERDICTS.replayed, 'dpop-replayed'],
  [VERDICTS.forgotten, 'dpop-forgotten'],
  [VERDICTS.untimely, 'dpop-time'],
]);

/** By connection and then by prefix: a value that caches of the same proofs share. */
const identities = new WeakMap();

const readOptions = declareOptions('redis.RedisDpopReplayCache', {
  client: required(anything),
  key: required(replayKeys),
  prefix: text(200, /^[^{}]+$/, 'text without { and }'),
  deadlineMs: integer(1, 60_000),
});

class RedisDpopReplayCache extends Uncloneable {
  #keys;
  #server;
  #identity;
  /** Judges proofs, and remembers none. */
  #judge;
  /** The time by which it judges. */
  #millis = 0;

  constructor(options) {
    super();
    const { client, key: keys, prefix = 'nodesec:dpop', deadlineMs = 1000 } = readOptions(options);
    const connection = connect(client);
    this.#keys = keys;
    this.#server = new ReplayServer(connection, { prefix, keys, deadlineMs });
    this.#identity = identityOf(connection, prefix);
    this.#judge = new DpopReplayCache({
      maxEntries: 64,
      clock: () => new Date(this.#millis),
      allowClockInProduction: true,
    });
  }

  status() {
    const { reason, evictionPolicy } = this.#server;
    return { available: reason === undefined, reason, evictionPolicy };
  }

  /** As that of `DpopReplayCache`; `check` gives a promise. */
  [CHECKER](maxAge, needsNonce) {
    // With a nonce, the time that the proof tells does not count.
    const { check: judge } = this.#judge[CHECKER](needsNonce ? LONGEST_AGE : maxAge, false);
    const maxAgeMs = maxAge * 1000;
    this.#server.begin(maxAgeMs);
    return {
      cache: this.#identity,
      nonce: () => this.#keys.nonceAt(Date.now()),
      check: async (request) => {
        const claims = claimsOf(request.proof);
        const now = Date.now();
        this.#millis = needsNonce ? timeOf(claims, now) : now;
        const refusal = judge({ ...request, isKnown: true, onDue: () => {} });
        if (refusal !== undefined) return refusal;
        if (typeof claims.jti !== 'string') return refusalNamed('dpop-malformed');
        const made = needsNonce ? this.#madeWithNonce(claims, now, maxAgeMs) : timeOf(claims, now);
        if (typeof made === 'string') return refusalNamed(made);
        if (!request.isKnown) {
          const fingerprint = this.#keys.of(request.thumbprint, claims.jti);
          const { verdict, reason } = await this.#server.remember(fingerprint, made, maxAgeMs);
          if (verdict === undefined) return unavailable(reason);
          if (verdict !== VERDICTS.accepted) return refusalNamed(KINDS.get(verdict));
        }
        if (needsNonce && (now - made) * 2 > maxAgeMs) request.onDue();
        return undefined;
      },
    };
  }

  /** The time of the nonce of a proof, or the kind of the refusal. */
  #madeWithNonce({ nonce, nbf = 0, exp = Infinity }, now, maxAgeMs) {
    const made = this.#keys.timeOf(nonce);
    if (made === undefined || made > now + AHEAD_MS || now > made + maxAgeMs) return 'dpop-nonce';
    return nbf * 1000 <= now + AHEAD_MS && exp * 1000 > now ? made : 'dpop-time';
  }
}

/**
 * The claims of a proof, which nobody has checked yet. The check refuses names that come twice, so
 * that of a proof that it accepts this reader finds the same claims.
 */
function claimsOf(proof) {
  if (proof.length > MAX_PROOF) return {};
  try {
    const [, payload = ''] = proof.split('.', 2);
    return { __proto__: null, ...JSON.parse(Buffer.from(payload, 'base64url').toString()) };
  } catch {
    return {};
  }
}

/** The time that a proof tells, in milliseconds; `otherwise` if it tells none. */
function timeOf({ iat }, otherwise) {
  return typeof iat === 'number' && iat >= 0 && iat <= LAST ? Math.floor(iat * 1000) : otherwise;
}

function unavailable(reason) {
  return {
    code: 'ERR_DPOP_STORE',
    kind: 'dpop-unavailable',
    message:
      `the server of the replay cache has not remembered the DPoP proof (${reason}): correct the ` +
      'cause; docs/redis.md lists the causes',
  };
}

function identityOf(connection, prefix) {
  const known = identities.get(connection) ?? new Map();
  identities.set(connection, known);
  if (!known.has(prefix)) known.set(prefix, Object.freeze({}));
  return known.get(prefix);
}

module.exports = { RedisDpopReplayCache };
