'use strict';

// The option `clock`, for tests. The native part of an object with the option has a clock that
// shows the time it was last given. The façade gives it the time before each call that uses it.

const { isDate } = require('node:util').types;

const { makeError, withCause } = require('./errors.js');
const { isPlain, native, snapshot } = require('./native.js');
const { inProduction } = require('./production.js');
const { Uncloneable } = require('./uncloneable.js');

const { getTime } = Date.prototype;

/** Holds the clock of an object. Another copy of this package finds it, too. */
const CLOCK = Symbol.for('@nodesec/native: the clock of an object');

/** Gives the objects that an object of several parts is made of, such as its verifiers. */
const PARTS = Symbol.for('@nodesec/native: the parts of an object, which may have clocks');

/** Gives the verifier that judges a token, of an object with several. */
const JUDGE = Symbol.for('@nodesec/native: the verifier that judges a token');

/** The clocks of objects on a store, by their functions. */
const ofStores = new WeakMap();

class TestClock extends Uncloneable {
  #now;

  constructor(now) {
    super();
    this.#now = now;
    native.clockAttach(this, this.millis());
  }

  /** Asks for the time, gives it to the native part, and returns it in milliseconds. */
  read() {
    const millis = this.millis();
    native.clockSet(this, millis);
    return millis;
  }

  /** Whether both ask the same function for the time. */
  isLike(other) {
    return other !== undefined && #now in other && other.#now === this.#now;
  }

  /** The time, in milliseconds since 1970. */
  millis() {
    const now = this.#now;
    let date;
    try {
      date = now();
    } catch (cause) {
      const message = 'clock threw an error, which is the cause of this one';
      throw withCause(makeError('ERR_INVALID_RETURN_VALUE', message), cause);
    }
    const millis = isDate(date) ? getTime.call(date) : NaN;
    // Not so for NaN, the time of an invalid Date.
    if (millis >= 0 && millis <= native.MAX_CLOCK_MILLIS) return millis;
    throw makeError('ERR_INVALID_RETURN_VALUE', 'clock must return a valid Date from 1970 to 5138');
  }
}

/**
 * Reads the option `clock` of a new `object`. Returns the options for the native part, and the
 * clock if there is one.
 */
function useClock(object, options) {
  const given = snapshot(options);
  if (given === null || typeof given !== 'object' || !isPlain(given)) return [given, undefined];
  const [now, isAllowed] = ['clock', 'allowClockInProduction'].map((name) =>
    Object.hasOwn(given, name) ? given[name] : undefined,
  );
  if (isAllowed !== undefined && typeof isAllowed !== 'boolean') {
    throw makeError('ERR_INVALID_ARG_TYPE', 'allowClockInProduction must be a boolean');
  }
  if (now === undefined) return [given, undefined];
  if (typeof now !== 'function') {
    throw makeError('ERR_INVALID_ARG_TYPE', 'clock must be a function that returns a Date');
  }
  if (!isAllowed && inProduction()) {
    throw makeError(
      'ERR_INVALID_ARG_VALUE',
      'clock is for tests and is refused while NODE_ENV is production: leave it out, or also pass ' +
        'allowClockInProduction: true',
    );
  }
  const clock = clockFor(now, Object.hasOwn(given, 'store') ? given.store : undefined);
  Object.defineProperty(object, CLOCK, { value: clock });
  return [{ __proto__: null, ...given, clock }, clock];
}

/** The clock of a function. Objects on a store share one, by which they are told from others. */
function clockFor(now, store) {
  if (store === undefined) return new TestClock(now);
  const known = ofStores.get(now);
  if (known !== undefined) {
    known.read();
    return known;
  }
  const clock = new TestClock(now);
  ofStores.set(now, clock);
  return clock;
}

/** The clock of an object, if it has one. */
function clockOf(object) {
  return object?.[CLOCK];
}

/**
 * The time of an object with the option `clock`, in milliseconds; without the option that of the
 * system. For an object of several verifiers it is the time of the one that judges `token`.
 */
function timeOf(object, token) {
  const judge = typeof object?.[JUDGE] === 'function' ? object[JUDGE](token) : object;
  return clockOf(judge)?.millis() ?? Date.now();
}

/** The different clocks of an object and its parts; undefined is that of the system. */
function clocksOf(object) {
  const parts = typeof object?.[PARTS] === 'function' ? object[PARTS]() : [object];
  const different = [];
  for (const clock of parts.map(clockOf)) {
    const isKnown = different.some((known) => known === clock || known?.isLike(clock) === true);
    if (!isKnown) different.push(clock);
  }
  return different;
}

module.exports = { JUDGE, PARTS, clockOf, clocksOf, timeOf, useClock };
