'use strict';

// The decisions of a RedisRateLimiter while the server does not answer: the option `onStoreError`.

const { RateLimiter } = require('../limiter.js');

/** Nobody knows when the server answers again. */
const RETRY_MS = 1000;

/** Limits of this process alone, divided by the number of instances. */
class LocalFallback {
  #limiter;
  #instances;
  /** The highest cost that every limit allows. */
  #mostCost;

  /** `common` are the options of a RateLimiter beside its limits. */
  constructor(quotas, { instances, ...common }) {
    this.#instances = instances;
    const limits = this.#divided(quotas);
    this.#limiter = new RateLimiter({ limits, ...common });
  }

  setLimits(quotas, strict) {
    this.#limiter.setLimits({ limits: this.#divided(quotas), strict });
  }

  decide(mode, key, cost) {
    const most = Math.min(cost, this.#mostCost);
    return mode === 'take' ? this.#limiter.consume(key, most) : this.#limiter.peek(key, most);
  }

  change(call, key, amount) {
    const isCost = call === 'refund';
    this.#limiter[call](key, isCost ? Math.min(amount, this.#mostCost) : amount);
  }

  #divided({ policies }) {
    const share = (units) => Math.max(1, Math.floor(units / this.#instances));
    this.#mostCost = Math.min(...policies.map(({ burst }) => share(burst)));
    return policies.map(({ name, limit, windowMs, burst }) => ({
      name,
      limit: share(limit),
      windowMs,
      burst: share(burst),
    }));
  }
}

/** Everything is allowed. */
class AllowingFallback {
  #quotas;

  constructor(quotas) {
    this.#quotas = quotas;
  }

  setLimits(quotas) {
    this.#quotas = quotas;
  }

  decide(mode, key, cost) {
    return this.#quotas.result(this.#quotas.fresh, cost);
  }

  change() {}
}

/** Everything is denied. */
class DenyingFallback extends AllowingFallback {
  decide(mode, key, cost) {
    const none = { remaining: 0, retryAfterMs: RETRY_MS, resetMs: RETRY_MS };
    const { limits, ...result } = super.decide(mode, key, cost);
    return { ...result, ...none, allowed: false, limits: limits.map((each) => ({ ...each, ...none })) };
  }
}

const FALLBACKS = { local: LocalFallback, allow: AllowingFallback, deny: DenyingFallback };

module.exports = { FALLBACKS };
