'use strict';

const { CHANNELS, publish } = require('./audit/publish.js');
const { claimedIds } = require('./audit/tokens.js');
const { clockOf, useClock } = require('./clock.js');
const { whenIssuerReady } = require('./issuer.js');
const { native } = require('./native.js');
const { claimsText } = require('./token.js');
const { Uncloneable } = require('./uncloneable.js');

const STARTED = CHANNELS['session.started'];
const REFRESHED = CHANNELS['session.refreshed'];
const REFUSED = CHANNELS['session.refused'];
const ENDED = CHANNELS['session.ended'];

/** The channels of refreshes that end a session. */
const ENDING = { reuse: CHANNELS['session.reused'], expired: CHANNELS['session.expired'] };

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
    const pair = await whenIssuerReady(this.#issuer, start);
    if (STARTED.hasSubscribers) publish(STARTED, {}, { session: pair.sessionId, subject });
    return pairOf(pair);
  }

  async refresh(refreshToken) {
    const refresh = () => {
      this.#readClocks();
      return native.sessionsRefresh(this, refreshToken);
    };
    const { pair, ...outcome } = await whenIssuerReady(this.#issuer, refresh);
    publishRefresh(outcome, pair);
    return pair === undefined ? outcome : { ...outcome, pair: pairOf(pair) };
  }

  async end(sid) {
    this.#readClocks();
    const session = native.sessionsEnd(this, sid);
    if (ENDED.hasSubscribers) publish(ENDED, {}, { session });
  }

  async endByRefreshToken(refreshToken) {
    this.#readClocks();
    const session = native.sessionsEndByRefreshToken(this, refreshToken);
    if (session === null) {
      if (REFUSED.hasSubscribers) publish(REFUSED, {});
      return false;
    }
    if (ENDED.hasSubscribers) publish(ENDED, {}, { session });
    return true;
  }

  async endAll(subject) {
    this.#readClocks();
    native.sessionsEndAll(this, subject);
    if (ENDED.hasSubscribers) publish(ENDED, {}, { subject });
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

/** Publishes the event of a refresh. */
function publishRefresh(outcome, pair) {
  // With the null prototype, a missing member is not read from Object.prototype.
  const { status, sessionId, subject } = { __proto__: null, ...outcome };
  if (pair !== undefined) {
    if (!REFRESHED.hasSubscribers) return;
    const ids = { session: pair.sessionId, subject: claimedIds(pair.accessToken).subject };
    publish(REFRESHED, { replayed: status === 'replayed' }, ids);
  } else {
    const channel = status === 'unknown' ? REFUSED : ENDING[status];
    if (channel.hasSubscribers) publish(channel, {}, { session: sessionId, subject });
  }
}

function pairOf({ refreshExpiresAt, ...pair }) {
  return { ...pair, refreshExpiresAt: new Date(refreshExpiresAt) };
}

module.exports = { Sessions };
