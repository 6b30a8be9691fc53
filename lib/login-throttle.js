'use strict';

const { ipKey } = require('./ip-key.js');
const { RateLimiter } = require('./limiter.js');
const { anything, checkText, declareOptions, integer, number } = require('./options.js');
const { isPlain, snapshot } = require('./native.js');
const { makeError } = require('./errors.js');
const { Uncloneable } = require('./uncloneable.js');

const MINUTE = 60_000;
const DAY = 86_400_000;
const MAX_ACCOUNT = 1024;
/** The most attempts of a pair within `forgetMs`, if the blocks allow as many. */
const MAX_ATTEMPTS = 1000;

const read = declareOptions('LoginThrottle', {
  freeFailures: integer(1, 100),
  blockMs: integer(1000, DAY),
  maxBlockMs: integer(1000, 30 * DAY),
  jitter: number(0, 1),
  forgetMs: integer(MINUTE, 366 * DAY),
  address: anything,
  account: anything,
  maxKeys: anything,
  ipv4Prefix: anything,
  ipv6Prefix: anything,
  clock: anything,
  allowClockInProduction: anything,
});

class LoginThrottle extends Uncloneable {
  #policy;
  #prefixes;
  /**
   * Attempts of an account from an address since the last success, and their block. An attempt
   * counts from its start, so that a hundred at once count as a hundred.
   */
  #pairs;
  /** Attempts from an address that have not succeeded. */
  #addresses;
  /** Failures of an account from everywhere. */
  #accounts;

  constructor(options) {
    super();
    const {
      freeFailures = 5,
      blockMs = MINUTE,
      maxBlockMs = Math.max(60 * MINUTE, blockMs),
      jitter = 0.2,
      forgetMs = Math.max(DAY, maxBlockMs),
      address = {
        limits: [
          { name: 'address-minute', limit: 20, windowMs: MINUTE },
          { name: 'address-day', limit: 1000, windowMs: DAY },
        ],
      },
      account = { limit: 100, windowMs: DAY },
      ipv4Prefix,
      ipv6Prefix,
      ...table
    } = read(options);
    if (maxBlockMs < blockMs || forgetMs < maxBlockMs) {
      throw makeError('ERR_OUT_OF_RANGE', 'blockMs, maxBlockMs and forgetMs must be in rising order');
    }
    this.#policy = { freeFailures, blockMs, maxBlockMs, jitter };
    this.#prefixes = { ipv4Prefix, ipv6Prefix };
    ipKey('::', this.#prefixes);
    const limiter = (limits) => new RateLimiter({ ...limits, ...table });
    this.#pairs = limiter({
      limit: MAX_ATTEMPTS,
      windowMs: forgetMs,
      algorithm: 'fixed-window',
      // Otherwise pairs without a slot would share one block, and strangers could lock users out.
      onFull: 'allow',
    });
    this.#addresses = limiter(checkedLimits(address, 'address'));
    this.#accounts = limiter(checkedLimits(account, 'account'));
  }

  check(attempt) {
    const { account, address, pair } = this.#keys(attempt);
    const ofAddress = this.#addresses.consume(address);
    if (!ofAddress.allowed) return refusal(ofAddress);
    const ofPair = this.#pairs.consume(pair);
    if (!ofPair.allowed) {
      // Nobody else at this address has to wait because a blocked user asks again and again.
      this.#addresses.refund(address);
      return refusal(ofPair);
    }
    // The attempt itself holds the block: until its outcome is known there is no other.
    this.#block(account, pair);
    return { allowed: true, retryAfterMs: 0 };
  }

  success(attempt) {
    const { address, pair } = this.#keys(attempt);
    this.#pairs.unblock(pair);
    this.#pairs.reset(pair);
    // Only this attempt: an attacker could log in to an account of their own.
    this.#addresses.refund(address);
  }

  failure(attempt) {
    const { account, pair } = this.#keys(attempt);
    // This attempt was allowed, so a full count denies nobody and is no event.
    if (this.#accounts.peek(account).allowed) this.#accounts.check(account);
    // Again, so that it begins now and not with the attempt.
    this.#block(account, pair);
  }

  /**
   * Blocks a pair that has used its free failures, for twice as long each time. A block that
   * another attempt has set never becomes shorter.
   */
  #block(account, pair) {
    const { freeFailures, blockMs, maxBlockMs, jitter } = this.#policy;
    // Under an attack from many addresses, each has one attempt. It is never refused for the sake
    // of others, or anybody could lock out the user.
    const free = this.#accounts.peek(account).allowed ? freeFailures : 1;
    const { heldMs, used } = this.#lift(pair);
    const level = used - free;
    const ms = level < 0 ? 0 : Math.min(blockMs * 2 ** level, maxBlockMs);
    const own = Math.min(ms * (1 + jitter * Math.random()), maxBlockMs);
    const longest = Math.ceil(Math.max(own, heldMs));
    if (longest > 0) this.#pairs.block(pair, longest);
  }

  /** Lifts the block of a pair, which hides its attempts. Returns what it had left, and these. */
  #lift(pair) {
    const { allowed, violated, retryAfterMs } = this.#pairs.peek(pair);
    const isBlocked = !allowed && violated.length === 0;
    if (isBlocked) this.#pairs.unblock(pair);
    const { limit, remaining } = this.#pairs.peek(pair);
    return { heldMs: isBlocked ? retryAfterMs : 0, used: limit - remaining };
  }

  #keys(attempt) {
    const given = snapshot(attempt);
    if (given === null || typeof given !== 'object' || !isPlain(given)) {
      throw makeError('ERR_INVALID_ARG_TYPE', 'attempt must be a plain object of account and ip');
    }
    const { account, ip } = { __proto__: null, ...given };
    checkText(account, 'account', MAX_ACCOUNT);
    const address = ipKey(ip, this.#prefixes);
    // The key of an address has no space.
    return { account, address, pair: `${address} ${account}` };
  }
}

function checkedLimits(limits, name) {
  if (limits !== null && typeof limits === 'object' && isPlain(limits)) return limits;
  throw makeError('ERR_INVALID_ARG_TYPE', `${name} must be a plain object with a limit or limits`);
}

function refusal({ retryAfterMs }) {
  return { allowed: false, retryAfterMs };
}

module.exports = { LoginThrottle };
