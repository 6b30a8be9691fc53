'use strict';

const { CHANNELS, publish } = require('./audit/publish.js');
const { useClock } = require('./clock.js');
const { makeError } = require('./errors.js');
const { native, settled } = require('./native.js');
const { Uncloneable } = require('./uncloneable.js');

const ADDED = CHANNELS['revocation.added'];

class RevocationList extends Uncloneable {
  #clock;
  #isRevoked;

  constructor(options) {
    super();
    const [given, clock] = useClock(this, options);
    native.revocationAttach(this, given);
    this.#clock = clock;
    this.#isRevoked = native.revocationBind(this);
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
    const { ids, sessions, subjects, keys } = this.stats();
    return ids + sessions + subjects + keys;
  }

  stats() {
    const [ids, sessions, subjects, keys, maxEntries, rejectsIssuedUntil] =
      native.revocationStats(this);
    return { ids, sessions, subjects, keys, maxEntries, rejectsIssuedUntil };
  }

  async close() {
    native.revocationClose(this);
  }
}

/** An own member of claims. A member of `Object.prototype` is not a claim. */
function own(claims, name) {
  if (claims === null || typeof claims !== 'object') {
    throw makeError('ERR_INVALID_ARG_TYPE', 'claims must be an object');
  }
  return Object.hasOwn(claims, name) ? claims[name] : undefined;
}

module.exports = { RevocationList };
