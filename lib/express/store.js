'use strict';

const { makeError } = require('../errors.js');
const { RateLimiter } = require('../limiter.js');
const { anything, declareOptions, wrongType } = require('../options.js');
const { Uncloneable } = require('../uncloneable.js');
const { keyOf } = require('../web/counter.js');

/** The most hits that a fixed window of a RateLimiter counts. */
const MOST = 4_194_303;

const read = declareOptions('express.NodesecStore', {
  prefix,
  maxKeys: anything,
  clock: anything,
  allowClockInProduction: anything,
});

function prefix(value, name) {
  if (typeof value !== 'string') throw wrongType(name, 'a string');
  if (value.length <= 256) return value;
  throw makeError('ERR_OUT_OF_RANGE', `${name} must be at most 256 characters long`);
}

/** A store of express-rate-limit, whose documentation names the methods. */
class NodesecStore extends Uncloneable {
  /** The counts are those of this process, so that one key may occur in two stores. */
  localKeys = true;
  prefix;
  #table;
  #clock;
  #counts;

  constructor(options) {
    super();
    const { prefix = '', ...table } = read(options);
    this.prefix = prefix;
    this.#clock = table.clock ?? (() => new Date());
    this.#table = table;
    // An option that is wrong is an error here and not at the first request.
    this.#counting(1000);
  }

  /** express-rate-limit calls it once for each limiter. */
  init(options) {
    // Two limiters would count each request twice.
    if (this.#counts !== undefined) {
      throw makeError('ERR_INVALID_ARG_VALUE', 'a store is for one limiter: make a store for each');
    }
    this.#counts = this.#counting(Object(options).windowMs);
  }

  get(key) {
    const result = this.#counter().peek(keyOf(this.prefix, key));
    return result.remaining === MOST ? undefined : this.#info(result);
  }

  increment(key) {
    return this.#info(this.#counter().consume(keyOf(this.prefix, key)));
  }

  decrement(key) {
    this.#counter().refund(keyOf(this.prefix, key));
  }

  resetKey(key) {
    this.#counter().reset(keyOf(this.prefix, key));
  }

  resetAll() {
    this.#counter().clear();
  }

  shutdown() {
    this.#counts?.clear();
  }

  #counting(windowMs) {
    return new RateLimiter({ limit: MOST, windowMs, algorithm: 'fixed-window', ...this.#table });
  }

  #counter() {
    if (this.#counts !== undefined) return this.#counts;
    throw makeError('ERR_MISSING_OPTION', 'the store has no window: express-rate-limit calls init with it');
  }

  #info({ remaining, resetMs }) {
    return { totalHits: MOST - remaining, resetTime: new Date(this.#clock().getTime() + resetMs) };
  }
}

module.exports = { NodesecStore };
