'use strict';

const { CHANNELS, publish } = require('./audit/publish.js');
const { useClock } = require('./clock.js');
const { attach, construct } = require('./construct.js');
const { LimitError } = require('./errors.js');
const { native, settled } = require('./native.js');
const { permittedFile } = require('./permission.js');
const { Uncloneable } = require('./uncloneable.js');

const DENIED = CHANNELS['limit.denied'];

/**
 * A native call writes its report here: the index of the tightest limit, the violated limits as
 * bits and the generation of the limits; then remaining, retryAfterMs, resetMs, limit, windowMs and
 * burst of each limit. Read them before the next call.
 */
const OUT = new Float64Array(27);

class RateLimiter extends Uncloneable {
  #clock;
  /** The policies, and how often they were changed, perhaps by another thread or process. */
  #policies;
  #generation;
  #check;
  #consume;
  #peek;

  constructor(options) {
    super();
    this.#clock = attach(this, options, (limiter, options) => {
      const [given, clock] = useClock(limiter, options);
      native.limiterAttach(limiter, given);
      return clock;
    });
    this.#read();
    [this.#check, this.#consume, this.#peek] = native.limiterBind(this);
  }

  static shared(name, options) {
    return construct(RateLimiter, (limiter) => native.limiterShare(limiter, name, options));
  }

  static machine(path, options) {
    return construct(RateLimiter, (limiter) =>
      native.limiterMachine(limiter, permittedFile(LimitError, path), options),
    );
  }

  static restore(snapshot, options) {
    return construct(RateLimiter, (limiter) => {
      const [given, clock] = useClock(limiter, options);
      native.limiterRestore(limiter, snapshot, given);
      return clock;
    });
  }

  check(key, cost) {
    this.#clock?.read();
    // Nearly every call has no cost, and one argument less takes the native part less time.
    const allowed = settled(cost === undefined ? this.#check(key) : this.#check(key, cost));
    if (allowed === false && DENIED.hasSubscribers) publishDenial(this.#tightest(key, cost), key);
    return allowed;
  }

  consume(key, cost) {
    this.#clock?.read();
    const result = this.#result(settled(this.#consume(key, cost, OUT)));
    if (!result.allowed && DENIED.hasSubscribers) publishDenial(result.policy, key);
    return result;
  }

  peek(key, cost) {
    this.#clock?.read();
    return this.#result(settled(this.#peek(key, cost, OUT)));
  }

  reset(key) {
    this.#clock?.read();
    return native.limiterReset(this, key);
  }

  refund(key, cost) {
    this.#clock?.read();
    native.limiterRefund(this, key, cost);
  }

  penalize(key, cost) {
    this.#clock?.read();
    native.limiterPenalize(this, key, cost);
  }

  block(key, ms) {
    this.#clock?.read();
    native.limiterBlock(this, key, ms);
  }

  unblock(key) {
    this.#clock?.read();
    native.limiterUnblock(this, key);
  }

  clear() {
    native.limiterClear(this);
  }

  setLimits(limits) {
    this.#clock?.read();
    native.limiterSetLimits(this, limits);
  }

  snapshot() {
    this.#clock?.read();
    return native.limiterSnapshot(this);
  }

  stats() {
    this.#clock?.read();
    return native.limiterStats(this);
  }

  /** The policy that refuses a call. */
  #tightest(key, cost) {
    return this.#result(settled(this.#peek(key, cost, OUT))).policy;
  }

  #read() {
    const { generation, limits } = native.limiterLimits(this);
    this.#generation = generation;
    this.#policies = limits.map((policy) => Object.freeze(policy));
  }

  /** Adopts the numbers of a report that other limits have decided. Names never change. */
  #adopt() {
    this.#generation = OUT[2];
    this.#policies = this.#policies.map(({ name }, index) => {
      const at = 6 + 6 * index;
      return Object.freeze({ name, limit: OUT[at], windowMs: OUT[at + 1], burst: OUT[at + 2] });
    });
  }

  #result(allowed) {
    const [tightest, violated, generation] = OUT;
    if (generation !== this.#generation) this.#adopt();
    const limits = this.#policies.map(({ name, limit, windowMs }, index) => {
      const at = 3 + 6 * index;
      return {
        name,
        limit,
        windowMs,
        remaining: OUT[at],
        retryAfterMs: OUT[at + 1],
        resetMs: OUT[at + 2],
      };
    });
    const { limit, remaining, retryAfterMs, resetMs } = limits[tightest];
    return {
      allowed,
      limit,
      remaining,
      retryAfterMs,
      resetMs,
      policy: this.#policies[tightest],
      limits,
      violated:
        violated === 0 ? [] : limits.filter((_, at) => violated & (1 << at)).map(({ name }) => name),
    };
  }
}

/** A function of its own, so that V8 still compiles `check` inline. */
function publishDenial({ limit, windowMs, burst }, limitKey) {
  publish(DENIED, { limit, windowMs, burst }, { limitKey });
}

module.exports = { RateLimiter };
