'use strict';

const { native } = require('./native.js');
const { claimsText } = require('./token.js');
const { Uncloneable } = require('./uncloneable.js');

// The methods return promises for the same reason as in revocation.js.
class Sessions extends Uncloneable {
  constructor(options) {
    super();
    native.sessionsAttach(this, options);
  }

  async start(subject, claims = {}) {
    return pairOf(native.sessionsStart(this, subject, claimsText(claims)));
  }

  async refresh(refreshToken) {
    const { pair, ...outcome } = native.sessionsRefresh(this, refreshToken);
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
