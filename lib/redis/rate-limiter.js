'use strict';

const { CHANNELS, publish } = require('../audit/publish.js');
const { clockOf } = require('../clock.js');
const { RateLimiter } = require('../limiter.js');
const { native } = require('../native.js');
const { anything, declareOptions, integer, oneOf, required, text } = require('../options.js');
const { Uncloneable } = require('../uncloneable.js');
const { connect } = require('./client.js');
const { Denials } = require('./denials.js');
const { FALLBACKS } = require('./fallback.js');
const { KeySpace, textOf } = require('./keys.js');
const { CLOCKED_SCRIPTS, SCRIPTS, takingScript } = require('./limit-script.js');
const { Quotas, changeOf, later, stateOf } = require('./quotas.js');
const { LimitStore } = require('./store.js');

const DENIED = CHANNELS['limit.denied'];
/** The calls in the words of the scripts. */
const WORDS = { take: 't', peek: 'p', refund: 'r', penalize: 'n', reset: 'x', unblock: 'u' };
/** A millisecond, in microseconds: it writes a key, which then expires. */
const SHORTEST_BLOCK = '1000';
/** The longest key that certainly has at most 8192 bytes, in characters. */
const SHORT = 2730;
const NO_ARGS = [];

const readOptions = declareOptions('redis.RedisRateLimiter', {
  client: required(anything),
  limit: anything,
  windowMs: anything,
  burst: anything,
  limits: anything,
  strict: anything,
  prefix: text(200, /^[^{}]+$/, 'text without { and }'),
  deadlineMs: integer(1, 60_000),
  onStoreError: oneOf(Object.keys(FALLBACKS)),
  instances: integer(1, 100_000),
  denyCache: integer(0, 1_000_000),
  clock: anything,
  allowClockInProduction: anything,
});

class RedisRateLimiter extends Uncloneable {
  /** Checks arguments as the limiter of a process does. */
  #checker;
  #clock;
  #strict;
  #quotas;
  #scripts;
  /** The script of nearly every call, which takes a cost of 1. */
  #takeOne;
  #mostCost;
  #keys;
  #store;
  #denials;
  #fallback;

  constructor(options) {
    super();
    const {
      client,
      prefix = 'nodesec:limits',
      deadlineMs = 100,
      onStoreError = 'local',
      instances = 1,
      denyCache = 10_000,
      ...limits
    } = readOptions(options);
    this.#checker = new RateLimiter({ ...limits, maxKeys: 8 });
    this.#clock = clockOf(this.#checker);
    this.#strict = limits.strict;
    this.#useLimits();
    this.#takeOne = takingScript(this.#quotas.args(WORDS.take, 1), this.#clock !== undefined);
    const connection = connect(client);
    this.#keys = new KeySpace(connection, prefix, this.#quotas);
    const probe = (key) => [this.#scripts.change, this.#keys.probe(key), this.#args(SHORTEST_BLOCK, 1)];
    this.#store = new LimitStore(connection, { deadlineMs, onStoreError, probe });
    this.#denials = new Denials(denyCache);
    const { strict, clock, allowClockInProduction } = limits;
    const common = Object.entries({ strict, clock, allowClockInProduction });
    this.#fallback = new FALLBACKS[onStoreError](this.#quotas, {
      instances,
      ...Object.fromEntries(common.filter(([, value]) => value !== undefined)),
    });
  }

  async check(key, cost) {
    // Without a result, a remembered denial takes a quarter of the time.
    if (!DENIED.hasSubscribers && this.#denial(key, cost, this.#now()) !== undefined) return false;
    return (await this.consume(key, cost)).allowed;
  }

  // Not async, as the promise of a decision is that of the store: each other one costs time.
  consume(key, cost) {
    const decision = this.#decision('take', key, cost);
    return DENIED.hasSubscribers ? decision.then((result) => tellDenial(key, result)) : decision;
  }

  peek(key, cost) {
    return this.#decision('peek', key, cost);
  }

  async reset(key) {
    this.#checker.reset(key);
    return (await this.#change('reset', key, WORDS.reset)) === 1;
  }

  async refund(key, cost) {
    this.#checker.refund(key, cost);
    return (await this.#change('refund', key, WORDS.refund, cost ?? 1, cost)) !== undefined;
  }

  async penalize(key, cost) {
    this.#checker.penalize(key, cost);
    return (await this.#change('penalize', key, WORDS.penalize, cost, cost)) !== undefined;
  }

  async block(key, ms) {
    this.#checker.block(key, ms);
    return (await this.#change('block', key, `${ms * 1000}`, ms)) !== undefined;
  }

  async unblock(key) {
    this.#checker.unblock(key);
    return (await this.#change('unblock', key, WORDS.unblock)) !== undefined;
  }

  setLimits(limits) {
    this.#checker.setLimits(limits);
    this.#strict = Object(limits).strict;
    this.#useLimits();
    // The server keeps every script: one for each change of limits would fill it.
    this.#takeOne = undefined;
    this.#keys.setLimits(this.#quotas);
    this.#fallback.setLimits(this.#quotas, this.#strict);
    this.#denials.clear();
  }

  status() {
    const { reason } = this.#store;
    return { degraded: reason !== undefined, reason, denials: this.#denials.size };
  }

  /** The remembered denial of a text, if the arguments are right. */
  #denial(key, cost, now) {
    return this.#isShort(key, cost) ? this.#denials.find(key, cost ?? 1, now) : undefined;
  }

  #decision(mode, key, cost) {
    try {
      return this.#decide(mode, key, cost);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #decide(mode, key, cost = 1) {
    if (!this.#isShort(key, cost)) this.#checker.peek(key, cost);
    const now = this.#now();
    const text = textOf(key);
    const denial = this.#denials.find(text, cost, now);
    if (denial !== undefined) {
      return Promise.resolve(this.#deniedAgain(denial, cost, now));
    }
    const quotas = this.#quotas;
    const takesOne = mode === 'take' && cost === 1 && this.#takeOne !== undefined;
    return this.#store.run(
      takesOne ? this.#takeOne : this.#scripts.decide,
      this.#keys.of(key, text),
      takesOne ? this.#timed(NO_ARGS) : this.#args(WORDS[mode], cost),
      (reply) => {
        const state = stateOf(reply, quotas.count);
        const result = quotas.result(state, cost);
        if (quotas === this.#quotas) {
          // Units that were taken make the numbers of an earlier denial wrong.
          if (state.allowed) this.#denials.forget(text);
          else this.#denials.add(text, cost, now, now + result.retryAfterMs, state);
        }
        return result;
      },
      () => ({ ...this.#fallback.decide(mode, key, cost), degraded: true }),
    );
  }

  #deniedAgain({ at, state }, cost, now) {
    const present = later(state, Math.floor((now - at) * 1000));
    present.violated = this.#quotas.violated(present, cost);
    return this.#quotas.result(present, cost);
  }

  /** Changes the state of a key: with `word` on the server, else in this process by `amount`. */
  async #change(call, key, word, amount, cost = 1) {
    const text = textOf(key);
    const args = this.#args(word, cost);
    const name = this.#keys.of(key, text);
    const reply = this.#store.run(this.#scripts.change, name, args, changeOf, () => {});
    this.#denials.forget(text);
    const done = await reply;
    // A denial from before the change may have come meanwhile.
    this.#denials.forget(text);
    if (done === undefined) this.#fallback.change(call, key, amount);
    return done;
  }

  #args(word, cost) {
    return this.#timed(this.#quotas.args(word, cost));
  }

  /** Arguments, and the time of a clock that the caller has given. */
  #timed(args) {
    return this.#clock === undefined ? args : [...args, `${this.#clock.read() * 1000}`];
  }

  /** Milliseconds. */
  #now() {
    return this.#clock === undefined ? performance.now() : this.#clock.read();
  }

  /** Whether a call is certainly right: most calls need no closer look. */
  #isShort(key, cost = 1) {
    const isText = typeof key === 'string' && key.length > 0 && key.length <= SHORT && key.isWellFormed();
    return isText && Number.isInteger(cost) && cost > 0 && cost <= this.#mostCost;
  }

  #useLimits() {
    const { limits } = native.limiterLimits(this.#checker);
    this.#quotas = new Quotas(limits.map((policy) => Object.freeze(policy)), this.#strict === true);
    this.#mostCost = this.#quotas.mostCost;
    this.#scripts = (this.#clock === undefined ? SCRIPTS : CLOCKED_SCRIPTS)[this.#quotas.count];
  }
}

/** The result, after the audit trail has heard of a denial. */
function tellDenial(key, result) {
  if (!result.allowed) {
    const { limit, windowMs, burst } = result.policy;
    publish(DENIED, { limit, windowMs, burst }, { limitKey: key });
  }
  return result;
}

module.exports = { RedisRateLimiter };
