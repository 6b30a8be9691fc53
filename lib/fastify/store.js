'use strict';

const { makeError } = require('../errors.js');
const { RateLimiter } = require('../limiter.js');
const { anything, declareOptions, wrongType } = require('../options.js');
const { Uncloneable } = require('../uncloneable.js');
const { keyOf } = require('../web/counter.js');

/** The most hits that a fixed window of a RateLimiter counts. */
const MOST = 4_194_303;
/** The longest window of a RateLimiter. */
const LONGEST = 366 * 86_400_000;
/** The most windows of different lengths. */
const MAX_WINDOWS = 100;

const read = declareOptions('fastify.NodesecFastifyStore.with', {
  maxKeys: anything,
  clock: anything,
  allowClockInProduction: anything,
});

/** Counts by the length of a window, which may differ from request to request. */
class Windows {
  #table;
  /** Limiters by milliseconds. */
  #byLength = new Map();

  constructor(table) {
    this.#table = table;
  }

  /** The limiter with windows of this length. */
  of(windowMs) {
    let limiter = this.#byLength.get(windowMs);
    if (limiter !== undefined) return limiter;
    if (this.#byLength.size === MAX_WINDOWS) {
      throw makeError(
        'ERR_OUT_OF_RANGE',
        `timeWindow has had ${MAX_WINDOWS} different lengths: have the function give few of them`,
      );
    }
    limiter = new RateLimiter({ limit: MOST, windowMs, algorithm: 'fixed-window', ...this.#table });
    this.#byLength.set(windowMs, limiter);
    return limiter;
  }

  /** The limiter with the window in which a key has hits, which may have been prolonged. */
  holding(key, windowMs) {
    const limiters = [...this.#byLength].filter(([length]) => length > windowMs);
    const found = limiters.find(([, limiter]) => limiter.peek(key).remaining < MOST);
    return found?.[1] ?? this.of(windowMs);
  }
}

/** A store of @fastify/rate-limit, whose documentation names the methods. */
class NodesecFastifyStore extends Uncloneable {
  /** The options of the table, which a subclass has from `with`. */
  static #tables = new WeakMap();

  #windows;
  #continues;
  #backsOff;
  /** The windows of the groups of routes, by `groupId`. */
  #groups = new Map();

  static with(options) {
    const table = { ...read(options) };
    // An option that is wrong is an error here and not at the first request.
    new Windows(table).of(1000);
    const Store = class NodesecFastifyStore extends this {};
    NodesecFastifyStore.#tables.set(Store, table);
    return Store;
  }

  constructor(params, windows) {
    super();
    const { continueExceeding, exponentialBackoff } = Object(params);
    this.#continues = continueExceeding === true;
    this.#backsOff = exponentialBackoff === true && !this.#continues;
    const table = NodesecFastifyStore.#tables.get(this.constructor) ?? {};
    this.#windows = windows instanceof Windows ? windows : new Windows(table);
  }

  incr(key, callback, timeWindow, max) {
    answer(callback, () => this.#hit(keyOf('', key), timeWindow, max));
  }

  read(key, callback, timeWindow) {
    answer(callback, () => {
      if (isEmpty(timeWindow)) return { current: 0, ttl: 0 };
      const { remaining, resetMs } = this.#limiter(keyOf('', key), timeWindow).peek(keyOf('', key));
      return { current: MOST - remaining, ttl: resetMs };
    });
  }

  child(routeOptions) {
    const { groupId } = Object(routeOptions);
    const Store = this.constructor;
    if (groupId === undefined) return new Store(routeOptions);
    const windows = this.#groups.get(groupId);
    const store = new Store(routeOptions, windows);
    this.#groups.set(groupId, store.#windows);
    return store;
  }

  #hit(key, timeWindow, max) {
    if (isEmpty(timeWindow)) return { current: 1, ttl: 0 };
    if (typeof max !== 'number') throw wrongType('max', 'a number');
    const limiter = this.#limiter(key, timeWindow);
    const { remaining, resetMs } = limiter.consume(key);
    const current = MOST - remaining;
    if (current <= max || !(this.#continues || this.#backsOff)) return { current, ttl: resetMs };
    const factor = this.#backsOff ? 2 ** (current - max - 1) : 1;
    const renewed = this.#windows.of(Math.min(timeWindow * factor, LONGEST));
    limiter.reset(key);
    return { current, ttl: renewed.consume(key, current).resetMs };
  }

  /** The limiter that has the hits of a key. */
  #limiter(key, timeWindow) {
    if (this.#backsOff) return this.#windows.holding(key, timeWindow);
    return this.#windows.of(timeWindow);
  }
}

/** Whether a window has no length and ends before the next hit. */
function isEmpty(timeWindow) {
  if (typeof timeWindow === 'number') return timeWindow < 1;
  throw wrongType('timeWindow', 'a number');
}

/** Gives a result, or the error, to a callback of Node's form. */
function answer(callback, compute) {
  if (typeof callback !== 'function') throw wrongType('callback', 'a function');
  let result;
  try {
    result = compute();
  } catch (error) {
    callback(error);
    return;
  }
  callback(null, result);
}

module.exports = { NodesecFastifyStore };
