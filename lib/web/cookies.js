'use strict';

// The cookies of a session, as header fields (RFC 6265 section 4.1).

const { timeOf } = require('../clock.js');
const { makeError } = require('../errors.js');
const { declareOptions, oneOf, text, wrongType } = require('../options.js');
const { cookie } = require('./authentication.js');

/** Browsers drop a cookie whose name and value are longer together. */
const MAX_COOKIE = 4096;
/** 400 days, which is the longest that browsers keep a cookie. */
const MAX_AGE = 400 * 86_400;
/** Text that needs no quotes (RFC 6265 section 4.1.1, cookie-octet). */
const OCTETS = /^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]+$/;
const PATH = /^\/[\x21-\x3a\x3c-\x7e]*$/;
const HOST_PREFIX = /^__host-/i;
const SAME_SITE = { lax: 'Lax', strict: 'Strict' };

/** Declares the options `access` and `refresh` of `of`. */
function cookieKinds(of) {
  const access = declareOptions(`${of}.access`, { name: cookie, sameSite: oneOf(Object.keys(SAME_SITE)) });
  const refresh = declareOptions(`${of}.refresh`, {
    name: cookie,
    path: text(1024, PATH, 'a path that begins with / and has no spaces and semicolons'),
  });
  return { access: (value) => access(value), refresh: (value) => refresh(value) };
}

/** The cookies of the sessions of `sessions`. */
class SessionCookies {
  #sessions;
  #access;
  #refresh;

  constructor(sessions, access = {}, refresh = {}, defaultPath = '/auth') {
    const { name = '__Host-at', sameSite = 'lax' } = access;
    const { name: ofRefresh = '__Secure-rt', path = defaultPath } = refresh;
    if (name === ofRefresh) {
      throw makeError('ERR_INVALID_ARG_VALUE', 'the cookies of access and refresh must have different names');
    }
    if (HOST_PREFIX.test(ofRefresh) && path !== '/') {
      throw makeError('ERR_INVALID_ARG_VALUE', "a cookie whose name begins with __Host- must have the path '/'");
    }
    this.#sessions = sessions;
    this.#access = { name, path: '/', sameSite: SAME_SITE[sameSite] };
    this.#refresh = { name: ofRefresh, path, sameSite: SAME_SITE.strict };
  }

  /** The names, `{ access, refresh }`. */
  get names() {
    return { access: this.#access.name, refresh: this.#refresh.name };
  }

  /** Sets both cookies, with functions of the framework. */
  issue(pair, get, set) {
    const { accessToken, refreshToken, expiresIn, refreshExpiresAt } = Object(pair);
    const isPair =
      [accessToken, refreshToken].every((token) => typeof token === 'string') &&
      Number.isFinite(expiresIn) &&
      refreshExpiresAt instanceof Date;
    if (!isPair) throw wrongType('pair', 'the pair that Sessions.start or Sessions.refresh gave');
    const left = Math.floor((refreshExpiresAt.getTime() - timeOf(this.#sessions)) / 1000);
    put(get, set, [
      cookieOf(this.#access, accessToken, expiresIn),
      cookieOf(this.#refresh, refreshToken, left),
    ]);
  }

  /** Has the browser forget both cookies. */
  clear(get, set) {
    put(get, set, [fieldOf(this.#access, '', 0), fieldOf(this.#refresh, '', 0)]);
  }
}

function cookieOf(cookie, value, maxAge) {
  if (!OCTETS.test(value)) throw wrongType('pair', 'the pair that Sessions.start or Sessions.refresh gave');
  if (cookie.name.length + value.length > MAX_COOKIE) {
    throw makeError(
      'ERR_OUT_OF_RANGE',
      `a token is too long for a cookie, which has at most ${MAX_COOKIE} bytes with its name: put fewer claims into it`,
    );
  }
  return fieldOf(cookie, value, Math.min(Math.max(maxAge, 0), MAX_AGE));
}

function fieldOf({ name, path, sameSite }, value, maxAge) {
  return `${name}=${value}; Max-Age=${maxAge}; Path=${path}; HttpOnly; Secure; SameSite=${sameSite}`;
}

/** Sets cookies in place of those of the same names, and beside others. */
function put(get, set, fields) {
  const names = fields.map((field) => field.slice(0, field.indexOf('=') + 1));
  const others = [get('Set-Cookie') ?? []].flat().filter((field) => {
    return !names.some((name) => field.startsWith(name));
  });
  set('Set-Cookie', [...others, ...fields]);
  // A cache that kept the answer would give the session to others.
  set('Cache-Control', 'no-store');
}

module.exports = { SessionCookies, cookieKinds };
