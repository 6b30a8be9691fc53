'use strict';

// Answers for requests that are not let in (RFC 6750 section 3, RFC 9470 section 3, RFC 9449
// section 7.1).

const { NodesecError, WebError, makeError } = require('../errors.js');
const { declareOptions, oneOf, text } = require('../options.js');
const { rejectionError } = require('../token.js');
const { refusal } = require('./refusal.js');
const { isUnavailable, unavailable } = require('./status.js');

/** A refusal of a verifier, or of a proof. */
const REFUSED = /^ERR_(?:DPOP|JWT|REVOCATION)_/;
/** The most words of a scope, as `authenticate` takes them. */
const MAX_WORDS = 100;
/** The algorithms of proofs: those of key pairs. */
const ALGS = 'ES256 ES384 ES512 EdDSA Ed25519 PS256 PS384 PS512 RS256 RS384 RS512';
/** A nonce of ours. */
const NONCE = /^[\w-]{1,64}$/;
/** Text of a quoted string that needs no escapes (RFC 9110 section 5.6.4). */
const QUOTABLE = /^[\x20\x21\x23-\x5b\x5d-\x7e]+$/;

const realm = text(256, QUOTABLE, 'printable ASCII without quotes and backslashes');
const readOptions = declareOptions('web.challenge', { realm, scheme: oneOf(['Bearer', 'DPoP']) });

/**
 * Returns the error to answer with. `reason` is undefined if there were no credentials, else a
 * refusal of a verifier, as a value or as an error, or an object with the demands that a token does
 * not meet.
 */
function challenge(reason, options) {
  const { realm, scheme } = readOptions(options);
  return challengeOf(reason, { realm, schemes: [scheme ?? schemeOf(reason)], nonce: nonceOf(reason) });
}

/**
 * As {@link challenge}, in a service that accepts several schemes. The first one is that of the
 * request, to which the error belongs. A `nonce` is for the next proof.
 */
function challengeOf(reason, { realm, schemes, nonce }) {
  if (reason instanceof WebError) return reason;
  const { status, cause, ...parameters } = answerTo(reason);
  if (status === 503) return unavailable(cause);
  const [own, ...others] = schemes;
  const challenges = [[own, { realm, ...parameters }], ...others.map((other) => [other, { realm }])];
  const headers = { 'WWW-Authenticate': challenges.map(([scheme, given]) => header(scheme, given)).join(', ') };
  return refusal(status, nonce === undefined ? headers : { ...headers, 'DPoP-Nonce': nonce }, cause);
}

/** The nonce that a refusal of `DpopProofs` has. */
function nonceOf(reason) {
  const { code, nonce } = Object(reason);
  return code === 'ERR_DPOP_NONCE' && NONCE.test(nonce) ? nonce : undefined;
}

/** The scheme of a refusal of `DpopProofs`, or of the error of a proof. */
function schemeOf(reason) {
  const { code, scheme } = Object(reason);
  return scheme === 'DPoP' || String(code).startsWith('ERR_DPOP_') ? 'DPoP' : 'Bearer';
}

function answerTo(reason) {
  if (reason === undefined) return { status: 401 };
  const { code, error, scope, acr, maxAge } = Object(reason);
  if (typeof code === 'string' && REFUSED.test(code)) {
    const cause = reason instanceof NodesecError ? reason : rejectionError(reason);
    // The answer depends on more than the token: the client must not throw it away.
    return isUnavailable(code) ? { status: 503, cause } : { status: 401, error: errorOf(code), cause };
  }
  if (error === 'invalid_request') return { status: 400, error };
  if (scope !== undefined) {
    return { status: 403, error: 'insufficient_scope', scope: words('scope', scope) };
  }
  if (acr !== undefined || maxAge !== undefined) {
    const error = 'insufficient_user_authentication';
    if (maxAge !== undefined && !(Number.isSafeInteger(maxAge) && maxAge >= 0)) {
      throw makeError('ERR_INVALID_ARG_VALUE', 'maxAge must be whole seconds');
    }
    const values = acr === undefined ? undefined : words('acr', acr);
    return { status: 401, error, acr_values: values, max_age: maxAge };
  }
  throw makeError(
    'ERR_INVALID_ARG_VALUE',
    'reason must be a refusal of a verifier, { scope }, { acr, maxAge } or undefined',
  );
}

function errorOf(code) {
  if (code === 'ERR_DPOP_NONCE') return 'use_dpop_nonce';
  return code.startsWith('ERR_DPOP_') ? 'invalid_dpop_proof' : 'invalid_token';
}

/** A list of words, separated by spaces. An array may have any length, and only holes. */
function words(name, given) {
  const isList = Array.isArray(given) && given.length <= MAX_WORDS;
  const list = isList ? given.join(' ') : given;
  if (typeof list === 'string' && QUOTABLE.test(list)) return list;
  throw makeError('ERR_INVALID_ARG_VALUE', `${name} must be at most ${MAX_WORDS} words of printable ASCII`);
}

function header(scheme, given) {
  const parameters = scheme === 'DPoP' ? { ...given, algs: ALGS } : given;
  const named = Object.keys(parameters).filter((name) => parameters[name] !== undefined);
  const list = named.map((name) => ` ${name}="${parameters[name]}"`);
  return `${scheme}${list.join(',')}`;
}

module.exports = { MAX_WORDS, QUOTABLE, challenge, challengeOf, realm };
