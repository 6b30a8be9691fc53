'use strict';

// Finds out the sender of a request, for the middleware of every framework.

const { createHash, X509Certificate } = require('node:crypto');

const { publishRefused } = require('../audit/requests.js');
const { timeOf } = require('../clock.js');
const { makeError } = require('../errors.js');
const { boolean, callback, declareOptions, duration, having, oneOf, required, text } = require('../options.js');
const { keysFail } = require('../verifier.js');
const { malformed, readCookie, readCredentials } = require('./bearer.js');
const { MAX_WORDS, challengeOf, realm } = require('./challenge.js');
const { MISSING, NOT_BOUND, dpopKind, proofsOf, published } = require('./dpop.js');
const { TOKEN, isRepeated } = require('./headers.js');
const { refusedOnce } = require('./refused.js');


/** A scope (RFC 6749 section 3.3), or an authentication context class. */
const WORD = /^[\x21\x23-\x5b\x5d-\x7e]{1,256}$/;
const FORM = /^application\/x-www-form-urlencoded(?![^\s;])/i;
const BEARER = ['bearer'];
const BOTH = ['bearer', 'dpop'];
const CENTURY = 100 * 366 * 86_400;

const verifier = required(having('tryVerifyAsync', 'a JwtVerifier or JwtVerifiers'));
const cookie = text(256, TOKEN, 'the name of a cookie');

const KINDS = {
  verifier,
  from: oneOf(['bearer', 'cookie', 'both']),
  cookie,
  required: boolean,
  scope: words,
  acr: words,
  maxAuthAge: duration(CENTURY),
  getCertificate: callback,
  realm,
};

/** Reads a word or a list of them; a list without words demands nothing and is a mistake. */
function words(value, name) {
  const list = Array.isArray(value) ? value : [value];
  const isBounded = list.length <= MAX_WORDS;
  if (isBounded && list.length > 0 && list.every(isWord)) return list;
  // An array of any length, and with holes only, would be visited for minutes.
  if (isBounded && list.some((word) => typeof word !== 'string')) {
    throw makeError('ERR_INVALID_ARG_TYPE', `${name} must be a string or an array of strings`);
  }
  throw makeError(
    'ERR_INVALID_ARG_VALUE',
    `${name} must be 1 to ${MAX_WORDS} words of printable ASCII without spaces, quotes and backslashes`,
  );
}

function isWord(word) {
  return typeof word === 'string' && WORD.test(word);
}

/**
 * Declares the options of `of`. Returns a function of them that makes the check of a request:
 * `(raw, request, context) => auth`, where `raw` is Node's request, `request` the framework's, and
 * `context` has the address of the request, as `url()`, and sets a header of the response, as
 * `set(name, value)`. The check resolves to undefined if there are no credentials and none are
 * required, and rejects with the answer.
 */
function declareAuthentication(of) {
  const read = declareOptions(of, { ...KINDS, dpop: dpopKind(of) });
  return (options) => checkOf(read(options));
}

function checkOf(options) {
  const {
    verifier,
    from = 'bearer',
    cookie = '__Host-at',
    required: isRequired = true,
    scope,
    acr,
    maxAuthAge,
    getCertificate,
    realm: named,
    dpop,
  } = options;
  const proofs = proofsOf(dpop, verifier);
  if (proofs !== undefined && from !== 'bearer' && (proofs.isRequired || from === 'cookie')) {
    throw makeError(
      'ERR_INVALID_ARG_VALUE',
      "proofs are for tokens of the header Authorization: use from: 'bearer', or dpop: 'accept' with from: 'both'",
    );
  }
  return async (raw, request, context) => {
    const { scheme, token } = credentials(raw, request.body, from, cookie, proofs);
    const refuse = (reason, nonce) =>
      challengeOf(reason, { realm: named, schemes: offered(scheme, proofs), nonce });
    if (token === undefined) {
      if (isRequired) throw refuse();
      return undefined;
    }
    if (proofs?.isRequired && scheme !== 'dpop') throw refuse(published(MISSING));
    const result = await (scheme === 'cookie'
      ? refusedOnce(raw, verifier, token)
      : verifier.tryVerifyAsync(token));
    if (!result.ok) throw refuse(refusedFor(result, verifier, token));
    const { claims, header } = result;
    const unmet = (kind, reason) => {
      publishRefused(kind, { claims });
      return refuse(reason);
    };
    const jkt = scheme === 'dpop' ? Object(claims.cnf).jkt : undefined;
    if (claims.cnf !== undefined && !(await isBound(claims.cnf, jkt, getCertificate, request))) {
      throw unmet(NOT_BOUND.kind, NOT_BOUND);
    }
    const isAuthenticated = hasClass(claims, acr) && isRecent(claims, maxAuthAge, verifier, token);
    if (!isAuthenticated) throw unmet('login-unmet', { acr, maxAge: maxAuthAge });
    if (scope !== undefined && !grants(claims, scope)) throw unmet('scope-unmet', { scope });
    if (scheme !== 'dpop') return { claims, header, scheme };
    // Last, so that a proof counts as used only if nothing else is wrong.
    const refusal = await proofs.refusal(raw, request, token, claims, context);
    if (refusal !== undefined) throw refuse(published(refusal, claims), proofs.nonceAfter(refusal));
    return { claims, header, scheme: 'DPoP', jkt };
  };
}

/** How far the clock of the authentication may be ahead, in seconds. */
const AHEAD = 60;

/** The scheme and the token of a request; throws a 400 if there is more than one token. */
function credentials({ headers, rawHeaders, url }, body, from, cookie, proofs) {
  const challenged = offered(undefined, proofs);
  const repeated = () => malformed('credentials-repeated', challenged);
  if (from !== 'cookie' && isRepeated(rawHeaders, 'authorization')) throw repeated();
  const schemes = proofs === undefined ? BEARER : BOTH;
  const ofHeader = from === 'cookie' ? undefined : readCredentials(headers, schemes, challenged);
  const ofCookie = from === 'bearer' ? undefined : readCookie(headers, cookie, challenged);
  if ((ofHeader ?? ofCookie) !== undefined && (isInQuery(url) || isInForm(headers, body))) {
    throw repeated();
  }
  if (ofCookie === undefined) return ofHeader ?? {};
  if (ofHeader !== undefined) throw repeated();
  return { scheme: 'cookie', token: ofCookie };
}

/** The schemes to name in a challenge, that of the request first. */
function offered(scheme, proofs) {
  if (proofs === undefined) return ['Bearer'];
  if (proofs.isRequired) return ['DPoP'];
  return scheme === 'dpop' ? ['DPoP', 'Bearer'] : ['Bearer', 'DPoP'];
}

/** Whether the query has a token (RFC 6750 section 2.3), in whatever form a parser would read. */
function isInQuery(url) {
  const start = url.indexOf('?') + 1;
  if (start === 0) return false;
  const names = [...new URLSearchParams(url.slice(start)).keys()];
  return names.some((name) => name === 'access_token' || name.startsWith('access_token['));
}

/** Whether a form has a token (RFC 6750 section 2.2), if its body is parsed already. */
function isInForm(headers, body) {
  if (body === undefined || body === null || !FORM.test(headers['content-type'])) return false;
  return Object.hasOwn(body, 'access_token');
}

/** A token without a key is no reason to log in again if its key may be new and not yet fetched. */
function refusedFor(result, verifier, token) {
  if (result.code !== 'ERR_JWT_KEY_NOT_FOUND' || !keysFail(verifier, token)) return result;
  return { code: 'ERR_JWT_KEYS_UNAVAILABLE', message: 'the keys could not be fetched again' };
}

/**
 * Whether the client has shown the keys to which a token is bound: its certificate (RFC 8705
 * section 3), and `jkt`, undefined unless the request has a proof, which is judged later. A binding
 * that cannot be checked here is not met.
 */
async function isBound(cnf, jkt, getCertificate, request) {
  const { 'x5t#S256': thumbprint, ...others } = Object(cnf);
  const isShown = ([name, value]) => name === 'jkt' && value === jkt && jkt !== undefined;
  if (!Object.entries(others).every(isShown)) return false;
  if (thumbprint === undefined) return jkt !== undefined;
  if (typeof thumbprint !== 'string') return false;
  const certificate = await getCertificate?.(request);
  if (certificate === undefined || certificate === null) return false;
  const der = derOf(certificate);
  if (der === undefined) return false;
  return createHash('sha256').update(der).digest('base64url') === thumbprint;
}

/** Undefined for text that is no certificate: it may come from a header of the request. */
function derOf(certificate) {
  if (certificate instanceof Uint8Array) return certificate;
  if (certificate instanceof X509Certificate) return certificate.raw;
  try {
    return new X509Certificate(certificate).raw;
  } catch {
    return undefined;
  }
}

/** Whether the user has authenticated in one of the classes (RFC 9470 section 5). */
function hasClass(claims, acr) {
  return acr === undefined || acr.includes(claims.acr);
}

/** Whether the user has authenticated within `maxAuthAge`, by the clock that judged the token. */
function isRecent(claims, maxAuthAge, verifier, token) {
  if (maxAuthAge === undefined) return true;
  const age = timeOf(verifier, token) / 1000 - claims.auth_time;
  // A time in the future is one in milliseconds, or of a clock that is wrong.
  return Number.isFinite(claims.auth_time) && age >= -AHEAD && age <= maxAuthAge;
}

/** Whether claims have all of the scopes: `scope`, or `scp` as some providers call it. */
function grants(claims, scopes) {
  const given = claims.scope ?? claims.scp ?? [];
  const granted = typeof given === 'string' ? given.split(' ') : given;
  return Array.isArray(granted) && scopes.every((scope) => granted.includes(scope));
}

/** The answer to a request whose claims lack a scope, or which has none; else undefined. */
function scopeRefusal(auth, scopes) {
  const { claims, scheme } = Object(auth);
  const schemes = [scheme === 'DPoP' ? 'DPoP' : 'Bearer'];
  if (auth === undefined || auth === null) return challengeOf(undefined, { schemes });
  if (grants(Object(claims), scopes)) return undefined;
  publishRefused('scope-unmet', { claims });
  return challengeOf({ scope: scopes }, { schemes });
}

module.exports = { checkOf, cookie, declareAuthentication, scopeRefusal, verifier, words };
