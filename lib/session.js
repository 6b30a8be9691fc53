'use strict';

const { setImmediate: immediate } = require('node:timers/promises');

const { CHANNELS, publish } = require('./audit/publish.js');
const { claimedIds } = require('./audit/tokens.js');
const { clockOf, useClock } = require('./clock.js');
const { jsonText, makeError } = require('./errors.js');
const { whenIssuerReady } = require('./issuer.js');
const { isPlain, native } = require('./native.js');
const { claimsText } = require('./token.js');
const { Uncloneable } = require('./uncloneable.js');

const STARTED = CHANNELS['session.started'];
const REFRESHED = CHANNELS['session.refreshed'];
const RESTORED = CHANNELS['session.restored'];
const REFUSED = CHANNELS['session.refused'];
const ENDED = CHANNELS['session.ended'];

/** The channels of refreshes that end a session. */
const ENDING = { reuse: CHANNELS['session.reused'], expired: CHANNELS['session.expired'] };

// The methods return promises for the same reason as in revocation.js.
class Sessions extends Uncloneable {
  /** Its own clock, and those of the issuer and the list, which it calls natively. */
  #clocks;
  #issuer;
  /** Whether the sessions are on a store. */
  #isDurable;
  /** The last call on a store that waits for its turn, by its token or subject. */
  #turns = new Map();

  constructor(options) {
    super();
    const [given, clock] = useClock(this, options);
    native.sessionsAttach(this, given);
    const others = [given.issuer, given.revocations].map(clockOf);
    this.#clocks = [clock, ...others].filter(Boolean);
    this.#issuer = given.issuer;
    this.#isDurable = Object.hasOwn(given, 'store') && given.store !== undefined;
  }

  async start(subject, claims = {}, options) {
    const text = claimsText(claims);
    const texts = optionTexts(options, ['meta']);
    const start = () => this.#call(() => native.sessionsStart(this, subject, text, texts), subject);
    const { pair, ended } = await whenIssuerReady(this.#issuer, start);
    if (STARTED.hasSubscribers) publish(STARTED, {}, { session: pair.sessionId, subject });
    if (ENDED.hasSubscribers) for (const session of ended) publish(ENDED, {}, { session, subject });
    return pairOf(pair);
  }

  async refresh(refreshToken, options) {
    let texts = optionTexts(options, ['claims', 'meta']);
    const claimsOf = claimsFunction(texts);
    if (claimsOf !== undefined) texts = { ...texts, claims: undefined };
    let refreshed = await this.#refresh(refreshToken, texts, claimsOf !== undefined);
    if (refreshed.status === 'asks') {
      // Nothing has changed yet, so it may fail, and take its time.
      texts = { ...texts, claims: claimsText(await claimsOf(refreshed.subject)) };
      refreshed = await this.#refresh(refreshToken, texts, false);
    }
    publishRefresh(refreshed);
    const { status } = refreshed;
    if (hasPair(refreshed)) return { status, pair: pairOf(refreshed.pair) };
    if (status === 'unknown') return { status };
    return { status, sessionId: refreshed.sessionId, subject: refreshed.subject };
  }

  #refresh(refreshToken, texts, asks) {
    const refresh = () => native.sessionsRefresh(this, refreshToken, texts, asks);
    return whenIssuerReady(this.#issuer, () => this.#call(refresh, refreshToken));
  }

  async end(sid) {
    await this.#call(() => native.sessionsEnd(this, sid));
    if (ENDED.hasSubscribers) publish(ENDED, {}, { session: native.sessionsId(sid) });
  }

  async endByRefreshToken(refreshToken) {
    const session = await this.#call(() => native.sessionsEndByRefreshToken(this, refreshToken));
    if (session === null) {
      if (REFUSED.hasSubscribers) publish(REFUSED, {});
      return false;
    }
    if (ENDED.hasSubscribers) publish(ENDED, {}, { session });
    return true;
  }

  async endAll(subject) {
    const all = native.sessionsEndAll(this, subject);
    while (await this.#call(() => native.sessionsEndSome(this, all))) {
      // A part takes about 0.3 ms.
      await immediate();
    }
    if (ENDED.hasSubscribers) publish(ENDED, {}, { subject });
  }

  async list(subject) {
    const list = await this.#call(() => native.sessionsList(this, subject));
    return list.map(({ sessionId, startedAt, usedAt, expiresAt, meta }) => ({
      sessionId,
      startedAt: new Date(startedAt),
      usedAt: new Date(usedAt),
      expiresAt: new Date(expiresAt),
      ...(meta === undefined ? {} : { meta: JSON.parse(meta) }),
    }));
  }

  /**
   * The result of a native call, or a promise of it if the sessions are on a store. `about` is the
   * token or subject whose calls may exclude each other.
   */
  #call(call, about) {
    const asked = () => {
      this.#readClocks();
      return call();
    };
    if (!this.#isDurable) return asked();
    return this.#turns.has(about) ? this.#inTurn(asked, about) : this.#repeated(asked, about);
  }

  #readClocks() {
    for (const clock of this.#clocks) clock.read();
  }

  /** Repeats a call on a store for as long as it could not be answered. */
  async #repeated(call, about) {
    for (;;) {
      const answer = await call();
      if (typeof answer !== 'number') return answer;
      if (answer === native.SESSIONS_BEHIND) await native.sessionsCatchUp(this);
      else if (about === undefined) await immediate();
      else return this.#inTurn(call, about);
    }
  }

  /** Repeats a call after the ones about the same: n of them at once would else be n² attempts. */
  async #inTurn(call, about) {
    const before = this.#turns.get(about);
    const turn = (async () => {
      await before?.catch(() => {});
      return this.#repeated(call);
    })();
    this.#turns.set(about, turn);
    try {
      return await turn;
    } finally {
      if (this.#turns.get(about) === turn) this.#turns.delete(about);
    }
  }
}

const hasPair = ({ status }) => status === 'rotated' || status === 'replayed';

/** Publishes the events of a refresh. */
function publishRefresh(refreshed) {
  const { status, pair } = refreshed;
  if (hasPair(refreshed)) {
    if (!REFRESHED.hasSubscribers && !RESTORED.hasSubscribers) return;
    const ids = { session: pair.sessionId, subject: claimedIds(pair.accessToken).subject };
    // Only an own member counts, which `Object.prototype` cannot give.
    if (Object.hasOwn(refreshed, 'restored') && RESTORED.hasSubscribers) publish(RESTORED, {}, ids);
    if (REFRESHED.hasSubscribers) publish(REFRESHED, { replayed: status === 'replayed' }, ids);
  } else {
    const channel = status === 'unknown' ? REFUSED : ENDING[status];
    if (!channel.hasSubscribers) return;
    // With the null prototype, a missing member is not read from Object.prototype.
    const { sessionId, subject } = { __proto__: null, ...refreshed };
    publish(channel, {}, { session: sessionId, subject });
  }
}

/** Options whose members `names` are given to the native part as JSON. Reads each member once. */
function optionTexts(options, names) {
  // The native part refuses other values.
  if (options === null || typeof options !== 'object' || !isPlain(options)) return options;
  const texts = { __proto__: null };
  for (const name of Object.getOwnPropertyNames(options)) {
    const value = options[name];
    const isText = names.includes(name) && value !== undefined;
    texts[name] = isText ? textOf(name, value) : value;
  }
  return texts;
}

/** The option `claims` of texts if it is a function. */
function claimsFunction(texts) {
  if (texts === null || typeof texts !== 'object' || !Object.hasOwn(texts, 'claims')) return;
  return typeof texts.claims === 'function' ? texts.claims : undefined;
}

function textOf(name, value) {
  if (name === 'claims') return typeof value === 'function' ? value : claimsText(value);
  // JSON would have nothing of a Map, and not the getters of a class.
  if (value === null || typeof value !== 'object' || Array.isArray(value) || !isPlain(value)) {
    throw makeError('ERR_INVALID_ARG_TYPE', 'meta must be a plain object');
  }
  return jsonText(value, 'ERR_INVALID_ARG_VALUE', 'meta must hold JSON values only');
}

function pairOf({ accessToken, refreshToken, expiresIn, refreshExpiresAt, sessionId }) {
  return {
    accessToken, refreshToken, expiresIn, sessionId, refreshExpiresAt: new Date(refreshExpiresAt),
  };
}

module.exports = { Sessions };
