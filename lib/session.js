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
    return native.sessionsStart(this, subject, claimsText(claims));
  }

  async refresh(refreshToken) {
    return native.sessionsRefresh(this, refreshToken);
  }

  async end(sid) {
    native.sessionsEnd(this, sid);
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

module.exports = { Sessions };
