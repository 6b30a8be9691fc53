'use strict';

const { CHANNELS, publish } = require('./audit/publish.js');
const { useClock } = require('./clock.js');
const { native, settled } = require('./native.js');
const { Uncloneable } = require('./uncloneable.js');

const DENIED = CHANNELS['limit.denied'];

/**
 * A native call writes remaining, retryAfterMs and resetMs here. Read them before the next call.
 */
const OUT = new Float64Array(3);

class RateLimiter extends Uncloneable {
  #clock;
  #limit;
  #policy;
  #check;
  #consume;
  #peek;

  constructor(options) {
    super();
    const [given, clock] = useClock(this, options);
    const [limit, windowMs, burst] = native.limiterAttach(this, given);
    this.#clock = clock;
    this.#limit = limit;
    this.#policy = Object.freeze({ limit, windowMs, burst });
    [this.#check, this.#consume, this.#peek] = native.limiterBind(this);
  }

  check(key, cost) {
    this.#clock?.read();
    // Nearly every call has no cost, and one argument less takes the native part less time.
    const allowed = settled(cost === undefined ? this.#check(key) : this.#check(key, cost));
    if (allowed === false && DENIED.hasSubscribers) publishDenial(this.#policy, key);
    return allowed;
  }

  consume(key, cost) {
    this.#clock?.read();
    const result = this.#result(settled(this.#consume(key, cost, OUT)));
    if (!result.allowed && DENIED.hasSubscribers) publishDenial(this.#policy, key);
    return result;
  }

  peek(key) {
    this.#clock?.read();
    return this.#result(settled(this.#peek(key, OUT)));
  }

  reset(key) {
    this.#clock?.read();
    return native.limiterReset(this, key);
  }

  stats() {
    const [capacity, evictions] = native.limiterStats(this);
    return { capacity, evictions };
  }

  #result(allowed) {
    const [remaining, retryAfterMs, resetMs] = OUT;
    return {
      allowed,
      limit: this.#limit,
      remaining,
      retryAfterMs,
      resetMs,
      policy: this.#policy,
    };
  }
}

/** A function of its own, so that V8 still compiles `check` inline. */
function publishDenial(policy, limitKey) {
  publish(DENIED, policy, { limitKey });
}

module.exports = { RateLimiter };
