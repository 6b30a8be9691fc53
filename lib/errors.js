'use strict';

// The errors of this package: each is a NodesecError with a stable `code`, and each capability has
// its own subclass.

class NodesecError extends Error {
  constructor(code, message, retryAfterMs) {
    super(message);
    addMembers(this, retryAfterMs === undefined ? { code } : { code, retryAfterMs });
  }

  get name() {
    return this.constructor.name;
  }
}

/** An argument of the wrong type or out of range, a misspelt or a missing option. */
class ArgumentError extends NodesecError {}
/** An AbortSignal aborted the operation; `cause` is the signal's reason. */
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
class StoreError extends NodesecError {}
class DpopError extends NodesecError {}
/** An answer of the middleware, with its `status` and `headers`. */
class WebError extends NodesecError {}

const CLASSES = [
  ['ABORT_ERR', AbortError],
  ['ERR_BINDING_', BindingError],
  ['ERR_PASSWORD_', PasswordError],
  ['ERR_SECRET_', SecretError],
  // Node's own code, for a file that its permission model does not let this process read.
  ['ERR_ACCESS_DENIED', SecretError],
  ['ERR_JWT_', JwtError],
  ['ERR_KEYRING_', JwtError],
  ['ERR_REVOCATION_', RevocationError],
  ['ERR_STORE_', StoreError],
  ['ERR_SESSION_', SessionError],
  ['ERR_SPIFFE_', SpiffeError],
  ['ERR_LIMIT_', LimitError],
  ['ERR_DPOP_', DpopError],
  ['ERR_WEB_', WebError],
  ['ERR_INTERNAL', NodesecError],
  ['ERR_RANDOM', NodesecError],
];

/** Makes the error for a code. The native part calls this too. */
function makeError(code, message, retryAfterMs) {
  const [, Class] = CLASSES.find(([prefix]) => code.startsWith(prefix)) ?? [];
  return new (Class ?? ArgumentError)(code, message, retryAfterMs);
}

/**
 * Adds own members to an error. An assignment would call a setter of Object.prototype, or fail at a
 * read-only member.
 */
function addMembers(error, members) {
  for (const name of Object.keys(members)) {
    const value = members[name];
    const property = { __proto__: null, value, configurable: true, enumerable: true, writable: true };
    Object.defineProperty(error, name, property);
  }
  return error;
}

/**
 * Sets the cause of `error`, if there is one. As in JavaScript's own errors, the property is not
 * enumerable, so that an error written to JSON does not include its cause.
 */
function withCause(error, cause) {
  if (cause === undefined) return error;
  const property = { __proto__: null, value: cause, configurable: true, writable: true };
  return Object.defineProperty(error, 'cause', property);
}

/**
 * Returns the value as JSON. Throws an error with `code` if JSON cannot hold the value, or if
 * JSON.stringify throws a TypeError or RangeError. Any other error, thrown by a getter, passes
 * through.
 */
function jsonText(value, code, message) {
  let text;
  let cause;
  try {
    text = JSON.stringify(value);
  } catch (thrown) {
    // JSON.stringify itself throws a TypeError for a cycle or a bigint, and a RangeError for
    // nesting without end.
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
  DpopError,
  JwtError,
  LimitError,
  NodesecError,
  PasswordError,
  RevocationError,
  SecretError,
  SessionError,
  SpiffeError,
  StoreError,
  WebError,
  addMembers,
  jsonText,
  makeError,
  withCause,
};
