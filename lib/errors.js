'use strict';

// Every error of this package is a NodesecError with a stable `code`, of one subclass a capability.

class NodesecError extends Error {
  constructor(code, message, retryAfterMs) {
    super(message);
    this.code = code;
    if (retryAfterMs !== undefined) this.retryAfterMs = retryAfterMs;
  }

  get name() {
    return this.constructor.name;
  }
}

/** An argument of the wrong type or out of range, a misspelt or a missing option. */
class ArgumentError extends NodesecError {}
/** What an AbortSignal called off; `cause` is the signal's reason. */
class AbortError extends NodesecError {}
/** The native part could not be loaded. */
class BindingError extends NodesecError {}
class PasswordError extends NodesecError {}
class SecretError extends NodesecError {}
class JwtError extends NodesecError {}
class RevocationError extends NodesecError {}
class SessionError extends NodesecError {}
class SpiffeError extends NodesecError {}
class LimitError extends NodesecError {}

const CLASSES = [
  ['ABORT_ERR', AbortError],
  ['ERR_BINDING_', BindingError],
  ['ERR_PASSWORD_', PasswordError],
  ['ERR_SECRET_', SecretError],
  // Node's own code, for a file that its permission model keeps from us.
  ['ERR_ACCESS_DENIED', SecretError],
  ['ERR_JWT_', JwtError],
  ['ERR_KEYRING_', JwtError],
  ['ERR_REVOCATION_', RevocationError],
  ['ERR_SESSION_', SessionError],
  ['ERR_SPIFFE_', SpiffeError],
  ['ERR_LIMIT_', LimitError],
  ['ERR_INTERNAL', NodesecError],
  ['ERR_RANDOM', NodesecError],
];

/** The error for a code: what the native part calls to make one. */
function makeError(code, message, retryAfterMs) {
  const [, Class] = CLASSES.find(([prefix]) => code.startsWith(prefix)) ?? [];
  return new (Class ?? ArgumentError)(code, message, retryAfterMs);
}

/**
 * Gives `error` its cause, when there is one: as in JavaScript's own errors not enumerable, so that
 * whoever writes an error down as JSON does not write down what it came of.
 */
function withCause(error, cause) {
  if (cause === undefined) return error;
  const property = { __proto__: null, value: cause, configurable: true, writable: true };
  return Object.defineProperty(error, 'cause', property);
}

/**
 * JSON.stringify, with a coded error for what JSON cannot hold, which it tells by a TypeError or
 * RangeError; what else a getter throws goes through.
 */
function jsonText(value, code, message) {
  let text;
  let cause;
  try {
    text = JSON.stringify(value);
  } catch (thrown) {
    // What JSON.stringify itself throws: for a cycle or a bigint, and for nesting without end.
    if (!(thrown instanceof TypeError || thrown instanceof RangeError)) throw thrown;
    cause = thrown;
  }
  if (typeof text === 'string') return text;
  throw withCause(makeError(code, message), cause);
}

module.exports = {
  AbortError,
  ArgumentError,
  BindingError,
  JwtError,
  LimitError,
  NodesecError,
  PasswordError,
  RevocationError,
  SecretError,
  SessionError,
  SpiffeError,
  jsonText,
  makeError,
  withCause,
};
