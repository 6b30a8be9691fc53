'use strict';

// AbortSignals: one listener for each signal, however many calls it was given to.

const { makeError, withCause } = require('./errors.js');
const native = require('./load.js');

/** What to do when a signal fires: signal → functions, in the order of their calls. */
const listening = new WeakMap();

/** The signal of a call's options; what else they are is for the native part to judge. */
function signalOf(options) {
  if (typeof options !== 'object' || options === null || !Object.hasOwn(options, 'signal')) {
    return undefined;
  }
  const { signal } = options;
  if (signal === undefined || isAbortSignal(signal)) return signal;
  throw makeError('ERR_INVALID_ARG_TYPE', 'signal must be an AbortSignal');
}

/**
 * What `start(job)` gives. When the signal fires before that has settled, the native job is called
 * off and the promise rejects at once with an AbortError; when it has fired before, nothing starts.
 */
function abortable(signal, start) {
  if (signal === undefined) return start(undefined);
  if (signal.aborted) throw abortError(signal);
  const job = {};
  const result = start(job);
  // Not `instanceof Promise`: the native part's promises are of the main realm, and Jest, for one,
  // runs this file in another.
  if (typeof result !== 'object') return result;
  return new Promise((resolve, reject) => {
    const callOff = () => {
      native.passwordCancel(job);
      reject(abortError(signal));
    };
    result.then(resolve, reject);
    // A getter of the options may have fired it meanwhile.
    if (signal.aborted) {
      callOff();
    } else {
      const stop = listen(signal, callOff);
      result.then(stop, stop);
    }
  });
}

/** Calls `fn` when the signal fires, until the function that is returned is called. */
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

/** An AbortSignal of whichever realm: its accessors throw for an impostor. */
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
