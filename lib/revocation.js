'use strict';

const { CHANNELS, publish } = require('./audit/publish.js');
const { useClock } = require('./clock.js');
const { attach, construct } = require('./construct.js');
const { NativeEmitter } = require('./emitter.js');
const { makeError } = require('./errors.js');
const { native, settled } = require('./native.js');
const { Uncloneable } = require('./uncloneable.js');

const ADDED = CHANNELS['revocation.added'];

class RevocationList extends Uncloneable {
  #clock;
  #isRevoked;
  #events = new NativeEmitter(this, 'revoked', listen, native.revocationUnlisten);

  constructor(options) {
    super();
    this.#clock = attach(this, options, attachNew);
    this.#isRevoked = native.revocationBind(this);
  }

  static shared(name, options) {
    return construct(RevocationList, (list) => native.revocationShare(list, name, options));
  }

  // A list in memory has stored the revocation when the call returns. The methods return promises
  // for lists that write a revocation to storage first.

  async revoke(claims) {
    this.revokeSync(claims);
  }

  revokeSync(claims) {
    const [jti, exp, iss] = [own(claims, 'jti'), own(claims, 'exp'), own(claims, 'iss')];
    this.#clock?.read();
    native.revocationRevoke(this, { __proto__: null, jti, exp, iss });
    if (ADDED.hasSubscribers) publish(ADDED, { kind: 'token' }, { tokenId: jti });
  }

  async revokeId(jti, expiresAt, options) {
    this.revokeIdSync(jti, expiresAt, options);
  }

  revokeIdSync(jti, expiresAt, options) {
    this.#clock?.read();
    native.revocationRevokeId(this, jti, expiresAt, options);
    if (ADDED.hasSubscribers) publish(ADDED, { kind: 'token' }, { tokenId: jti });
  }

  async revokeSession(sid, expiresAt, options) {
    this.revokeSessionSync(sid, expiresAt, options);
  }

  revokeSessionSync(sid, expiresAt, options) {
    this.#clock?.read();
    native.revocationRevokeSession(this, sid, expiresAt, options);
    if (ADDED.hasSubscribers) publish(ADDED, { kind: 'session' }, { session: sid });
  }

  async revokeSubject(sub, issuedBefore, options) {
    this.revokeSubjectSync(sub, issuedBefore, options);
  }

  revokeSubjectSync(sub, issuedBefore, options) {
    this.#clock?.read();
    native.revocationRevokeSubject(this, sub, issuedBefore, options);
    if (ADDED.hasSubscribers) publish(ADDED, { kind: 'subject' }, { subject: sub });
  }

  async revokeKey(kid) {
    this.revokeKeySync(kid);
  }

  revokeKeySync(kid) {
    this.#clock?.read();
    native.revocationRevokeKey(this, kid);
    if (ADDED.hasSubscribers) publish(ADDED, { kind: 'key', kid });
  }

  async revokeAll(options) {
    this.revokeAllSync(options);
  }

  revokeAllSync(options) {
    this.#clock?.read();
    native.revocationRevokeAll(this, options);
    if (ADDED.hasSubscribers) publish(ADDED, { kind: 'all' });
  }

  isRevoked(claims) {
    const jti = own(claims, 'jti');
    const sid = own(claims, 'sid');
    const sub = own(claims, 'sub');
    const iat = own(claims, 'iat');
    const kid = own(claims, 'kid');
    const iss = own(claims, 'iss');
    return settled(this.#isRevoked(jti, sid, sub, iat, kid, iss));
  }

  get size() {
    const { ids, sessions, subjects, keys, all } = this.stats();
    return ids + sessions + subjects + keys + all;
  }

  stats() {
    const [ids, sessions, subjects, keys, all, maxEntries, rejectsIssuedUntil] =
      native.revocationStats(this);
    return { ids, sessions, subjects, keys, all, maxEntries, rejectsIssuedUntil };
  }

  on(event, listener) {
    this.#events.on(event, listener);
    return this;
  }

  once(event, listener) {
    this.#events.once(event, listener);
    return this;
  }

  off(event, listener) {
    this.#events.off(event, listener);
    return this;
  }

  async close() {
    native.revocationClose(this);
  }
}

/** Attaches a new list, and returns its clock if the options have one. */
function attachNew(list, options) {
  const [given, clock] = useClock(list, options);
  native.revocationAttach(list, given);
  return clock;
}

function listen(list, callback) {
  return native.revocationListen(list, (events) => callback(events.map(frozen)));
}

/** An event, which all listeners share. */
function frozen({ kind, until, origin }) {
  return Object.freeze({ kind, until: until ?? undefined, origin });
}

/** An own member of claims. A member of `Object.prototype` is not a claim. */
function own(claims, name) {
  if (claims === null || typeof claims !== 'object') {
    throw makeError('ERR_INVALID_ARG_TYPE', 'claims must be an object');
  }
  return Object.hasOwn(claims, name) ? claims[name] : undefined;
}

module.exports = { RevocationList };
