'use strict';

// Asks a limiter about a request, for the middleware of every framework.

const { isPromise } = require('node:util').types;

const { CHANNELS, publish } = require('../audit/publish.js');
const { timeOf } = require('../clock.js');
const { LimitError, makeError } = require('../errors.js');
const { ipKey } = require('../ip-key.js');
const { RateLimiter } = require('../limiter.js');
const { boolean, callback, declareOptions, oneOf, required, wrongType } = require('../options.js');
const { whenClosed } = require('./closing.js');
const { STYLES, fieldsOf } = require('./fields.js');
const { misconfigured, refusal } = require('./refusal.js');
const { answerTo } = require('./status.js');
const { NO_TRUST } = require('./trust.js');

const MAX_KEY = 8192;
const PROBLEMS = 'https://iana.org/assignments/http-problem-types#';
/** The keys of the last addresses: a connection has the same one for all of its requests. */
const KEYS = new Map();
const MAX_KEYS = 4096;
/** The longest text of an address without a zone. */
const MAX_ADDRESS = 45;
const FAILED = CHANNELS['limit.failed'];

const KINDS = {
  limiter: required(limiter),
  key: callback,
  cost,
  skip: callback,
  refundOn: callback,
  headers: oneOf(STYLES),
  enforce: boolean,
  handler: callback,
};

function limiter(value, name) {
  const { consume, acquire } = Object(value);
  if (typeof consume === 'function' || typeof acquire === 'function') return value;
  throw wrongType(name, 'a limiter, such as a RateLimiter or a ConcurrencyLimiter');
}

function cost(value, name) {
  if (typeof value === 'function') return value;
  if (typeof value !== 'number') throw wrongType(name, 'an integer or a function');
  if (Number.isInteger(value) && value >= 1 && value <= 1e9) return value;
  throw makeError('ERR_OUT_OF_RANGE', `${name} must be an integer from 1 to 1000000000`);
}

/**
 * Declares the options of `of`, with `more` of the framework's. Returns a function of them that
 * makes a {@link Limiting}.
 */
function declareLimiting(of, more = {}) {
  const read = declareOptions(of, { ...KINDS, ...more });
  return (options) => new Limiting(read(options));
}

class Limiting {
  #given;
  #countsPlaces;
  #needsKey;
  /** Whether the application decides about the key, the cost or the request. */
  #asksBack;
  /** Refunds that have begun, as promises. */
  #refunds = new Set();

  constructor(given) {
    const { limiter, key, skip, cost, refundOn } = given;
    this.#given = given;
    this.#asksBack = key !== undefined || skip !== undefined || typeof cost === 'function';
    this.#countsPlaces = typeof limiter.consume !== 'function';
    this.#needsKey = !this.#countsPlaces || hasPerKey(limiter);
    if (this.#countsPlaces && (cost !== undefined || refundOn !== undefined)) {
      throw makeError('ERR_INVALID_ARG_VALUE', 'cost and refundOn are for limiters that count units');
    }
    if (refundOn !== undefined && typeof limiter.refund !== 'function') {
      throw makeError('ERR_INVALID_ARG_VALUE', 'refundOn needs a limiter with the method refund');
    }
    // Throws for a cost that no request could ever have.
    if (typeof cost === 'number' && limiter instanceof RateLimiter) limiter.peek('any', cost);
  }

  /** Whether the key is the client's address. */
  get usesAddress() {
    return this.#needsKey && this.#given.key === undefined;
  }

  get handler() {
    return this.#given.handler;
  }

  /** The hook of the framework in which to ask. */
  get hook() {
    return this.#given.hook ?? 'onRequest';
  }

  /** Resolves when the refunds that have begun are done. */
  async settled() {
    while (this.#refunds.size > 0) await Promise.allSettled(this.#refunds);
  }

  /**
   * Asks the limiter about a request. Returns undefined if the request does not count, else
   * `{ result, fields, problem }`; a `problem` is the answer to send. Returns a promise only if it
   * has to wait: to wait for nothing would take as long as the answer. `response` is Node's.
   * `trustsEverybody` tells whether clients choose their address. Without `enforce` it never throws
   * and never rejects.
   */
  ask(request, response, reply, trustsEverybody) {
    if (this.#given.enforce !== false) return this.#ask(request, response, reply, trustsEverybody);
    try {
      const asked = this.#ask(request, response, reply, trustsEverybody);
      return isPromise(asked) ? asked.catch(publishFailed) : asked;
    } catch (error) {
      publishFailed(error);
      return undefined;
    }
  }

  #ask(request, response, reply, trustsEverybody) {
    if (this.#asksBack) return this.#askBack(request, response, reply, trustsEverybody);
    const key = this.#needsKey ? addressOf(request, trustsEverybody) : undefined;
    return this.#decide(key, this.#given.cost, request, response, reply);
  }

  async #askBack(request, response, reply, trustsEverybody) {
    const { skip, key: keyOf, cost: costOf } = this.#given;
    if (skip !== undefined && (await skip(request))) return undefined;
    let key;
    if (this.#needsKey) {
      const isOwn = keyOf !== undefined;
      key = isOwn ? checkedKey(await keyOf(request)) : addressOf(request, trustsEverybody);
    }
    const cost = typeof costOf === 'function' ? await costOf(request) : costOf;
    // A request that costs nothing does not count.
    if (cost === 0) return undefined;
    return this.#decide(key, cost, request, response, reply);
  }

  #decide(key, cost, request, response, reply) {
    try {
      const result = this.#countsPlaces
        ? this.#takePlace(key, response)
        : this.#given.limiter.consume(key, cost);
      if (typeof result.then === 'function') return this.#waited(result, key, cost, request, response, reply);
      return this.#answer(result, key, cost, request, response, reply);
    } catch (error) {
      throw refusalOf(error);
    }
  }

  /** The answer of a limiter on another machine. */
  async #waited(result, ...about) {
    try {
      return this.#answer(await result, ...about);
    } catch (error) {
      throw refusalOf(error);
    }
  }

  #answer(result, key, cost, request, response, reply) {
    const { enforce, headers, limiter } = this.#given;
    if (result.allowed) this.#refundOnClose(key, cost, request, response, reply);
    if (enforce === false) return undefined;
    const fields = fieldsOf(result, headers, () => timeOf(limiter));
    return { result, fields, problem: result.allowed ? undefined : problemOf(result) };
  }

  #refundOnClose(key, cost, request, response, reply) {
    const { limiter, refundOn } = this.#given;
    if (refundOn === undefined) return;
    const refund = async () => {
      if (await refundOn(request, reply)) await limiter.refund(key, cost);
    };
    whenClosed(response, () => {
      const begun = refund();
      this.#refunds.add(begun);
      return begun.finally(() => this.#refunds.delete(begun));
    });
  }

  #takePlace(key, response) {
    const { limiter } = this.#given;
    const lease = limiter.acquire(key);
    if (lease === null) return { ...limiter.peek(key), retryAfterMs: 1000 };
    whenClosed(response, () => lease.release());
    return { ...limiter.peek(key), allowed: true };
  }
}

/** The key of a client without the option `key`. */
function addressOf(request, trustsEverybody) {
  if (trustsEverybody) throw misconfigured(NO_TRUST);
  const { ip } = request;
  let key = KEYS.get(ip);
  if (key !== undefined) return key;
  try {
    key = ipKey(ip);
  } catch (cause) {
    throw refusal(500, {}, cause);
  }
  if (ip.length <= MAX_ADDRESS) {
    if (KEYS.size === MAX_KEYS) KEYS.clear();
    // A copy, because the text may be a slice that keeps a whole header alive.
    KEYS.set(Buffer.from(ip, 'latin1').latin1Slice(), key);
  }
  return key;
}

function checkedKey(key) {
  const isBytes = key instanceof Uint8Array;
  if ((typeof key !== 'string' && !isBytes) || key.length === 0) {
    throw misconfigured('the option key gave no text and no bytes for a request');
  }
  // The client has chosen it: no limit of the service's configuration is wrong.
  const isTooLong = key.length > MAX_KEY || (!isBytes && Buffer.byteLength(key) > MAX_KEY);
  if (isTooLong || (!isBytes && !key.isWellFormed())) throw refusal(400);
  return key;
}

/** Whether a ConcurrencyLimiter has the option `perKey`, without which it needs no key. */
function hasPerKey(limiter) {
  try {
    limiter.peek();
    return false;
  } catch {
    return true;
  }
}

/** Tells of a request that a limit without `enforce` could not count. */
function publishFailed(error) {
  if (!FAILED.hasSubscribers) return;
  const { cause, code = cause?.code } = Object(error);
  publish(FAILED, { code: typeof code === 'string' ? code : undefined });
}

/** The answer to an error of a limiter. */
function refusalOf(error) {
  // However long the client waits, its request costs more than it can ever have.
  return error instanceof LimitError && error.code === 'ERR_LIMIT_COST'
    ? refusal(400, {}, error)
    : answerTo(error);
}

/** The status and the body of a refusal (RFC 9457, and section 4 of the draft). */
function problemOf({ scope, degraded, violated = [] }) {
  // No limit of the client's refuses it: all places are taken, or the store of limits is away.
  if (scope === 'total' || (degraded && violated.length === 0)) {
    const title = 'The service has no capacity for this request at the moment';
    return { status: 503, body: { type: `${PROBLEMS}temporary-reduced-capacity`, title, status: 503 } };
  }
  const names = scope === 'key' ? ['concurrency'] : violated;
  const title = 'Request cannot be satisfied as assigned quota has been exceeded';
  const body = { type: `${PROBLEMS}quota-exceeded`, title, status: 429, 'violated-policies': names };
  return { status: 429, body };
}

module.exports = { declareLimiting };
