'use strict';

const { whenIssuerReady } = require('./issuer.js');
const { native, snapshot } = require('./native.js');
const { claimsText } = require('./token.js');
const { Uncloneable } = require('./uncloneable.js');

// The methods return promises for the same reason as in revocation.js.
class Sessions extends Uncloneable {
  #issuer;

  constructor(options) {
    super();
    const given = snapshot(options);
    native.sessionsAttach(this, given);
    this.#issuer = given.issuer;
  }

  async start(subject, claims = {}) {
    const text = claimsText(claims);
    const start = () => native.sessionsStart(this, subject, text);
    return pairOf(await whenIssuerReady(this.#issuer, start));
  }

  async refresh(refreshToken) {
    const refresh = () => native.sessionsRefresh(this, refreshToken);
    const { pair, ...outcome } = await whenIssuerReady(this.#issuer, refresh);
    return pair === undefined ? outcome : { ...outcome, pair: pairOf(pair) };
  }

  async end(sid) {
    native.sessionsEnd(this, sid);
  }

  async endByRefreshToken(refreshToken) {
    return native.sessionsEndByRefreshToken(this, refreshToken);
  }

  async endAll(subject) {
    native.sessionsEndAll(this, subject);
  }

  async list(subject) {
    return native.sessionsList(this, subject).map(({ sessionId, startedAt, usedAt, expiresAt }) => ({
      sessionId,
      startedAt: new Date(startedAt),
      usedAt: new Date(usedAt),
      expiresAt: new Date(expiresAt),
    }));
  }
}

function pairOf({ refreshExpiresAt, ...pair }) {
  return { ...pair, refreshExpiresAt: new Date(refreshExpiresAt) };
}

module.exports = { Sessions };
