'use strict';

// The numbers of limits as the script needs them, and the reports of its replies. The arithmetic is
// that of src/limiter/quota.rs and report.rs.

const NS_PER_MS = 1_000_000n;

/** A limit: its policy, and its numbers in nanoseconds. */
class Quota {
  policy;
  #interval;
  #capacity;
  /** Whether numbers of this limit need more bits than a double has. */
  #isWide;
  /** The arguments of the script that do not depend on the cost. */
  #bounds;
  #maxDebt;
  /** The weight of a cost of 1, as arguments. */
  #one;

  constructor(policy, strict) {
    const { limit, windowMs, burst } = policy;
    this.policy = policy;
    const windowNs = BigInt(windowMs) * NS_PER_MS;
    const interval = strict ? strictInterval(windowNs, limit - burst) : windowNs / BigInt(limit);
    this.#interval = interval > 0n ? interval : 1n;
    this.#capacity = this.#interval * BigInt(burst);
    this.#maxDebt = this.#capacity + windowNs;
    this.#isWide = this.#maxDebt > BigInt(Number.MAX_SAFE_INTEGER);
    this.#bounds = [...pair(this.#capacity), `${this.#maxDebt / 1000n}`];
    if (!this.#isWide) {
      this.#interval = Number(this.#interval);
      this.#capacity = Number(this.#capacity);
    }
    this.#one = this.#weight(1);
  }

  /** The arguments of the script for a cost. */
  args(cost) {
    const weight = cost === 1 ? this.#one : this.#weight(cost);
    return [weight[0], weight[1], ...this.#bounds];
  }

  /** The numbers for a debt, of which `isViolated` tells whether it refuses the cost. */
  numbers([micros, nanos], cost, isViolated, heldMs) {
    const { name, limit, windowMs } = this.policy;
    const debt = this.#ns(micros, nanos);
    const left = this.#capacity > debt ? (this.#capacity - debt) / this.#interval : 0;
    const wait = isViolated ? debt + this.#interval * this.#count(cost) - this.#capacity : 0;
    return {
      name,
      limit,
      windowMs,
      remaining: heldMs > 0 ? 0 : Math.floor(Number(left)),
      retryAfterMs: Math.max(Number(wait) / 1e6, heldMs),
      resetMs: Math.max(Number(debt) / 1e6, heldMs),
    };
  }

  /** Whether a debt refuses a cost. */
  refuses([micros, nanos], cost) {
    return this.#ns(micros, nanos) + this.#interval * this.#count(cost) > this.#capacity;
  }

  /** The weight of a cost, at most the largest debt. */
  #weight(cost) {
    const weight = BigInt(this.#interval) * BigInt(cost);
    return pair(weight < this.#maxDebt ? weight : this.#maxDebt);
  }

  #ns(micros, nanos) {
    return this.#isWide ? BigInt(micros) * 1000n + BigInt(nanos) : micros * 1000 + nanos;
  }

  #count(cost) {
    return this.#isWide ? BigInt(cost) : cost;
  }
}

/** The time between units where the limit holds in every window: see `Quota::strict`. */
function strictInterval(windowNs, later) {
  return later === 0 ? windowNs + 1n : (windowNs + BigInt(later) - 1n) / BigInt(later);
}

function pair(ns) {
  return [`${ns / 1000n}`, `${ns % 1000n}`];
}

/** The limits of a limiter, which are decided together. */
class Quotas {
  #quotas;

  constructor(policies, strict) {
    this.isStrict = strict;
    this.#quotas = policies.map((policy) => new Quota(policy, strict));
  }

  /** How many limits there are. */
  get count() {
    return this.#quotas.length;
  }

  /** The name and the numbers of each limit. */
  get policies() {
    return this.#quotas.map(({ policy }) => policy);
  }

  /** The highest cost that every limit allows. */
  get mostCost() {
    return Math.min(...this.#quotas.map(({ policy }) => policy.burst));
  }

  /** The arguments of the script. */
  args(word, cost) {
    const args = [word];
    for (const quota of this.#quotas) args.push(...quota.args(cost));
    return args;
  }

  /**
   * The result of a state `{ allowed, held, violated, debts }`: `held` is microseconds, `violated`
   * bits, and a debt a pair.
   */
  result({ allowed, held, violated, debts }, cost) {
    const heldMs = held / 1000;
    const limits = [];
    const names = [];
    let tightest = 0;
    for (let at = 0; at < this.#quotas.length; at += 1) {
      const isViolated = (violated & (1 << at)) !== 0;
      const numbers = this.#quotas[at].numbers(debts[at], cost, isViolated, heldMs);
      limits.push(numbers);
      if (isViolated) names.push(numbers.name);
      if (at > 0 && tighter(numbers, limits[tightest], allowed)) tightest = at;
    }
    const { limit, remaining, retryAfterMs, resetMs } = limits[tightest];
    return {
      allowed,
      limit,
      remaining,
      retryAfterMs,
      resetMs,
      policy: this.#quotas[tightest].policy,
      limits,
      violated: names,
      degraded: false,
    };
  }

  /** The limits that refuse a cost in a state, as bits. */
  violated({ held, debts }, cost) {
    if (held > 0) return 0;
    return this.#quotas.reduce(
      (bits, quota, at) => (quota.refuses(debts[at], cost) ? bits | (1 << at) : bits),
      0,
    );
  }

  /** The state of a key that has used nothing. */
  get fresh() {
    return { allowed: true, held: 0, violated: 0, debts: this.#quotas.map(() => [0, 0]) };
  }
}

function tighter(each, best, allowed) {
  return allowed ? each.remaining < best.remaining : each.retryAfterMs > best.retryAfterMs;
}

/** The state in a reply of the script. Throws an error with the word REPLY for any other reply. */
function stateOf(reply, count) {
  const numbers = integers(reply, 3 + 2 * count);
  const debts = [];
  for (let at = 3; at < numbers.length; at += 2) debts.push([numbers[at], numbers[at + 1]]);
  return { allowed: numbers[0] === 1, held: numbers[1], violated: numbers[2], debts };
}

/** The reply of the script to a change: 1 if the key had any debt, else 0. */
function changeOf(reply) {
  const [wasIndebted] = integers([reply], 1);
  return wasIndebted;
}

function integers(reply, count) {
  if (Array.isArray(reply) && reply.length === count) {
    const numbers = reply.every(Number.isSafeInteger) ? reply : reply.map(numberOf);
    if (numbers === reply || numbers.every(Number.isSafeInteger)) return numbers;
  }
  throw new Error('REPLY is not that of the script: send must resolve to the reply of the server');
}

/** A client with `send` may give integers as texts. */
function numberOf(value) {
  return typeof value === 'number' ? value : Number(`${value}`);
}

/** The state of a denied key after some microseconds. */
function later({ held, debts }, micros) {
  return {
    allowed: false,
    held: Math.max(0, held - micros),
    violated: 0,
    debts: debts.map(([us, ns]) => (us < micros ? [0, 0] : [us - micros, ns])),
  };
}

module.exports = { Quotas, changeOf, later, stateOf };
