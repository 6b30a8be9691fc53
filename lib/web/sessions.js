'use strict';

// Sessions in cookies, for the middleware of every framework.

const { WebError } = require('../errors.js');
const { declareOptions, having, required } = require('../options.js');
const { checkOf, verifier } = require('./authentication.js');
const { readCookie } = require('./bearer.js');
const { challenge } = require('./challenge.js');
const { SessionCookies, cookieKinds } = require('./cookies.js');
const { protect } = require('./cross-origin.js');
const { answerTo } = require('./status.js');

const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/;

/**
 * Declares the options of `of`, with `more` of the framework's. Returns a function of them that
 * makes a {@link CookieSessions}; its second parameter is the default path of the refresh token.
 */
function declareSessions(of, more = {}) {
  const read = declareOptions(of, {
    sessions: required(having('endByRefreshToken', 'a Sessions')),
    verifier,
    ...cookieKinds(of),
    ...more,
  });
  return (options, pathOf = () => undefined) => {
    const given = read(options);
    return { ...given, made: new CookieSessions(given, pathOf(given)) };
  };
}

class CookieSessions {
  #sessions;
  #cookies;
  #check;

  constructor({ sessions, verifier, access, refresh }, defaultPath) {
    this.#sessions = sessions;
    this.#cookies = new SessionCookies(sessions, access, refresh, defaultPath);
    const { access: cookie } = this.#cookies.names;
    this.#check = checkOf({ verifier, from: 'cookie', cookie, required: false });
  }

  issue(pair, { get, set }) {
    this.#cookies.issue(pair, get, set);
  }

  clear({ get, set }) {
    this.#cookies.clear(get, set);
  }

  /**
   * The sender of a request by its cookie, undefined without one. A token that is refused is no
   * reason to refuse the request, which may be the one that refreshes it or a page for anybody.
   */
  async sender(raw, request) {
    const { refresh } = this.#cookies.names;
    // It is refused everywhere, so that no handler after this one reads one of the two.
    readCookie(raw.headers, refresh);
    try {
      return await this.#check(raw, request);
    } catch (error) {
      if (error instanceof WebError && error.status === 401) return undefined;
      throw error;
    }
  }

  /** Exchanges the refresh token of a request. Resolves to the answer, or rejects with it. */
  refresh(raw, request, host, fields) {
    return this.#answer(raw, request, host, async () => {
      const token = this.#refreshToken(raw);
      if (token === undefined) throw challenge();
      const { pair } = await this.#sessions.refresh(token);
      if (pair === undefined) {
        this.clear(fields);
        throw challenge();
      }
      this.issue(pair, fields);
      const headers = { 'Content-Type': 'application/json' };
      return { status: 200, headers, body: JSON.stringify({ expiresIn: pair.expiresIn }) };
    });
  }

  /** Ends the session of a request. Resolves to the answer, or rejects with it. */
  logout(raw, request, host, fields) {
    return this.#answer(raw, request, host, async () => {
      const token = this.#refreshToken(raw);
      const isEnded = token !== undefined && (await this.#sessions.endByRefreshToken(token));
      if (!isEnded) {
        const sid = (await this.sender(raw, request))?.claims.sid;
        if (typeof sid === 'string' && UUID.test(sid)) await this.#sessions.end(sid);
      }
      this.clear(fields);
      return { status: 204, headers: {}, body: '' };
    });
  }

  async #answer(raw, request, host, answer) {
    if (raw.method !== 'POST') return { status: 405, headers: { Allow: 'POST' }, body: '' };
    await protect(raw, request, host);
    try {
      return await answer();
    } catch (error) {
      throw answerTo(error);
    }
  }

  #refreshToken(raw) {
    const token = readCookie(raw.headers, this.#cookies.names.refresh);
    return token === '' ? undefined : token;
  }
}

module.exports = { declareSessions };
