'use strict';

// The native part, as the other files of the façade call it.
//
// The native part returns its errors, and this file throws them as instances of this façade's own
// classes. Options are copied here, so that a getter or a proxy runs once and not below a native
// frame: an exception thrown there would end a process that runs with
// `--abort-on-uncaught-exception`, even inside of `try`.

const { isPromise, isProxy } = require('node:util').types;

const { publishFailure } = require('./audit/publish.js');
const { makeError } = require('./errors.js');
const raw = require('./load.js');
const { moveOffHeap } = require('./small-array.js');
const { Uncloneable } = require('./uncloneable.js');

const { isView } = ArrayBuffer;

/** How deep options nest: `peppers`, its `keys`, and the elements of a list. */
const MAX_DEPTH = 3;
/** The native part refuses longer lists and reads none of their elements. */
const MAX_ELEMENTS = raw.MAX_MANY;
/**
 * Stands for a proxy of anything but a plain object or an array. The native part accepts none, and
 * would run its traps.
 */
const AN_INSTANCE = Object.freeze(new (class Proxied {})());

/** The result of a native call, or of the functions that such a call binds. Throws its error. */
function settled(value) {
  if (typeof value !== 'object' || value === null) return value;
  if (isPromise(value)) return value.then(settled);
  // A RemoteJwks, which verifiers get back, may have any member.
  if (!Object.hasOwn(value, 'fault') || value instanceof Uncloneable) return value;
  // With the null prototype, a missing member is not read from Object.prototype.
  const { fault, message, retryAfterMs } = { __proto__: null, ...value };
  publishFailure(fault);
  throw makeError(fault, message, retryAfterMs);
}

/**
 * A copy of the own members of a plain object or an array; any other value as it is. Moves the
 * bytes of small arrays out of V8's heap.
 */
function snapshot(value) {
  // Nearly all arguments are missing or primitive, and this small function is compiled inline.
  return typeof value === 'object' && value !== null ? copied(value, MAX_DEPTH) : value;
}

function copied(value, depth) {
  if (typeof value !== 'object' || value === null || depth < 0) return value;
  // Most objects are instances of the façade's classes.
  if (value instanceof Uncloneable) return value;
  if (isView(value)) {
    moveOffHeap(value);
    return value;
  }
  if (Array.isArray(value)) {
    const { length } = value;
    // Not the array itself, which a getter of another option may still change.
    if (length > MAX_ELEMENTS) return new Array(MAX_ELEMENTS + 1);
    return Array.from({ length }, (_, index) => copied(value[index], depth - 1));
  }
  if (!isPlain(value)) return isProxy(value) ? AN_INSTANCE : value;
  const names = Object.getOwnPropertyNames(value);
  // A carrier or a job of the native part has no members and must stay the object that it is.
  if (names.length === 0 && !isProxy(value)) return value;
  const copy = { __proto__: null };
  for (const name of names) copy[name] = copied(value[name], depth - 1);
  return copy;
}

/** Whether the prototype is `null` or the `Object.prototype` of any realm. */
function isPlain(value) {
  const prototype = Object.getPrototypeOf(value);
  if (prototype === null || prototype === Object.prototype) return true;
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, 'isPrototypeOf');
}

function isPlainObject(value) {
  return value !== null && typeof value === 'object' && !Array.isArray(value) && isPlain(value);
}

// By the number of arguments, because each argument that is passed on costs time.
function wrapped(call) {
  return function nativeCall(a, b, c, d, e, ...rest) {
    switch (arguments.length) {
      case 0:
        return settled(call());
      case 1:
        return settled(call(snapshot(a)));
      case 2:
        return settled(call(snapshot(a), snapshot(b)));
      case 3:
        return settled(call(snapshot(a), snapshot(b), snapshot(c)));
      case 4:
        return settled(call(snapshot(a), snapshot(b), snapshot(c), snapshot(d)));
      case 5:
        return settled(call(snapshot(a), snapshot(b), snapshot(c), snapshot(d), snapshot(e)));
      default:
        return settled(call(...[a, b, c, d, e, ...rest].map(snapshot)));
    }
  };
}

const native = Object.fromEntries(
  Object.entries(raw).map(([name, value]) => [
    name,
    typeof value === 'function' ? wrapped(value) : value,
  ]),
);

module.exports = { isPlain, isPlainObject, native, settled, snapshot };
