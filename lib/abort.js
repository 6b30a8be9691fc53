'use strict';

// Aborts calls by AbortSignal. Each signal gets one listener, even if many calls share it.

const { makeError, withCause } = require('./errors.js');
const { native } = require('./native.js');

/** Signal → the functions to call when it fires, in the order in which they were added. */
const listening = new WeakMap();

/**
 * Returns the signal of a call's options, if there is one. The native part checks everything else
 * about the options.
 */
function signalOf(options) {
  if (typeof options !== 'object' || options === null || !Object.hasOwn(options, 'signal')) {
    return undefined;
  }
  const { signal } = options;
  if (signal === undefined || isAbortSignal(signal)) return signal;
  throw makeError('ERR_INVALID_ARG_TYPE', 'signal must be an AbortSignal');
}

/**
 * Returns the result of `start(job)`. If the signal fires before that promise has settled, the
 * native job is cancelled and the returned promise rejects at once with an AbortError. If the
 * signal has fired already, nothing starts and an AbortError is thrown.
 */
function abortable(signal, start) {
  if (signal === undefined) return start(undefined);
  if (signal.aborted) throw abortError(signal);
  const job = {};
  const result = start(job);
  // Not `instanceof Promise`: the native part's promises belong to the main realm, but Jest, for
  // example, runs this file in another realm.
  if (typeof result !== 'object') return result;
  return new Promise((resolve, reject) => {
    const callOff = () => {
      native.passwordCancel(job);
      reject(abortError(signal));
    };
    result.then(resolve, reject);
    // A getter of the options may have fired the signal while `start` ran.
    if (signal.aborted) {
      callOff();
    } else {
      const stop = listen(signal, callOff);
      result.then(stop, stop);
    }
  });
}

/** Calls `fn` when the signal fires. The returned function removes `fn` again. */
function listen(signal, fn) {
  let fns = listening.get(signal);
  if (fns === undefined) {
    fns = new Set();
    listening.set(signal, fns);
    signal.addEventListener('abort', onAbort, { once: true });
  }
  fns.add(fn);
  return () => {
    fns.delete(fn);
    if (fns.size > 0 || listening.get(signal) !== fns) return;
    listening.delete(signal);
    signal.removeEventListener('abort', onAbort);
  };
}

function onAbort() {
  const fns = listening.get(this) ?? [];
  listening.delete(this);
  for (const fn of fns) fn();
}

function abortError(signal) {
  return withCause(makeError('ABORT_ERR', 'the operation was aborted'), signal.reason);
}

/**
 * Whether the value is an AbortSignal of any realm. The accessors of AbortSignal throw for others.
 */
function isAbortSignal(value) {
  try {
    return (
      typeof value === 'object' &&
      typeof value.aborted === 'boolean' &&
      typeof value.addEventListener === 'function' &&
      typeof value.removeEventListener === 'function'
    );
  } catch {
    return false;
  }
}

module.exports = { abortable, signalOf };
