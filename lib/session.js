'use strict';

const { CHANNELS, publish } = require('./audit/publish.js');
const { claimedIds } = require('./audit/tokens.js');
const { attach } = require('./construct.js');
const { jsonText, makeError } = require('./errors.js');
const { whenIssuerReady } = require('./issuer.js');
const { isPlain, native } = require('./native.js');
const { SessionTable } = require('./session-table.js');
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
  /** Has the sessions: a `SessionTable`, or a `SessionEngine` of `RedisSessions`. */
  #engine;
  #issuer;

  constructor(options) {
    super();
    const { engine, issuer } = attach(this, options, SessionTable.attach);
    this.#engine = engine;
    this.#issuer = issuer;
  }

  async start(subject, claims = {}, options) {
    const text = claimsText(claims);
    const texts = optionTexts(options, ['meta']);
    const start = () => this.#engine.start(subject, text, texts);
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
    const refresh = () => this.#engine.refresh(refreshToken, texts, asks);
    return whenIssuerReady(this.#issuer, refresh);
  }

  async end(sid) {
    await this.#engine.end(sid);
    if (ENDED.hasSubscribers) publish(ENDED, {}, { session: native.sessionsId(sid) });
  }

  async endByRefreshToken(refreshToken) {
    const session = await this.#engine.endByRefreshToken(refreshToken);
    if (session === null) {
      if (REFUSED.hasSubscribers) publish(REFUSED, {});
      return false;
    }
    if (ENDED.hasSubscribers) publish(ENDED, {}, { session });
    return true;
  }

  async endAll(subject) {
    await this.#engine.endAll(subject);
    if (ENDED.hasSubscribers) publish(ENDED, {}, { subject });
  }

  async list(subject) {
    const list = await this.#engine.list(subject);
    return list.map(({ sessionId, startedAt, usedAt, expiresAt, meta }) => ({
      sessionId,
      startedAt: new Date(startedAt),
      usedAt: new Date(usedAt),
      expiresAt: new Date(expiresAt),
      ...(meta === undefined ? {} : { meta: JSON.parse(meta) }),
    }));
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
