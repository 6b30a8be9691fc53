'use strict';

const { clockOf, useClock } = require('./clock.js');
const { whenIssuerReady } = require('./issuer.js');
const { native } = require('./native.js');
const { claimsText } = require('./token.js');
const { Uncloneable } = require('./uncloneable.js');

// The methods return promises for the same reason as in revocation.js.
class Sessions extends Uncloneable {
  /** Its own clock, and those of the issuer and the list, which it calls natively. */
  #clocks;
  #issuer;

  constructor(options) {
    super();
    const [given, clock] = useClock(this, options);
    native.sessionsAttach(this, given);
    const others = [given.issuer, given.revocations].map(clockOf);
    this.#clocks = [clock, ...others].filter(Boolean);
    this.#issuer = given.issuer;
  }

  async start(subject, claims = {}) {
    const text = claimsText(claims);
    const start = () => {
      this.#readClocks();
      return native.sessionsStart(this, subject, text);
    };
    return pairOf(await whenIssuerReady(this.#issuer, start));
  }

  async refresh(refreshToken) {
    const refresh = () => {
      this.#readClocks();
      return native.sessionsRefresh(this, refreshToken);
    };
    const { pair, ...outcome } = await whenIssuerReady(this.#issuer, refresh);
    return pair === undefined ? outcome : { ...outcome, pair: pairOf(pair) };
  }

  async end(sid) {
    this.#readClocks();
    native.sessionsEnd(this, sid);
  }

  async endByRefreshToken(refreshToken) {
    this.#readClocks();
    return native.sessionsEndByRefreshToken(this, refreshToken);
  }

  async endAll(subject) {
    this.#readClocks();
    native.sessionsEndAll(this, subject);
  }

  async list(subject) {
    this.#readClocks();
    return native.sessionsList(this, subject).map(({ sessionId, startedAt, usedAt, expiresAt }) => ({
      sessionId,
      startedAt: new Date(startedAt),
      usedAt: new Date(usedAt),
      expiresAt: new Date(expiresAt),
    }));
  }

  #readClocks() {
    for (const clock of this.#clocks) clock.read();
  }
}

function pairOf({ refreshExpiresAt, ...pair }) {
  return { ...pair, refreshExpiresAt: new Date(refreshExpiresAt) };
}

module.exports = { Sessions };
