'use strict';

const { CHANNELS, publish } = require('./audit/publish.js');
const { useClock } = require('./clock.js');
const { attach, construct } = require('./construct.js');
const { NativeEmitter } = require('./emitter.js');
const { makeError } = require('./errors.js');
const { native, settled, snapshot } = require('./native.js');
const { Outbox } = require('./outbox.js');
const { openStore } = require('./store.js');
const { Uncloneable } = require('./uncloneable.js');

const ADDED = CHANNELS['revocation.added'];

/** The outbox of all lists, made for the first one on a store. */
let commonOutbox;

class RevocationList extends Uncloneable {
  #clock;
  #isRevoked;
  /** Has the promises of revocations, if the list is on a store or on Redis. */
  #outbox;
  /** The store that `open` has opened. */
  #ownStore;
  #events = new NativeEmitter(this, 'revoked', listen, native.revocationUnlisten);

  constructor(options) {
    super();
    this.#clock = attach(this, options, attachNew);
    this.#isRevoked = native.revocationBind(this);
    if (native.revocationIsDurable(this)) this.#outbox = commonOutbox ??= new Outbox();
  }

  static shared(name, options) {
    return construct(RevocationList, (list) => native.revocationShare(list, name, options));
  }

  static async open(path, options) {
    const given = snapshot(options);
    const store = await openStore(path, given, true);
    try {
      // With the null prototype, a missing option is not read from Object.prototype.
      const { maxEntries, maxTokenTtl, onFull } = { __proto__: null, ...given };
      const list = new RevocationList({ maxEntries, maxTokenTtl, onFull, store });
      list.#ownStore = store;
      return list;
    } catch (error) {
      await store.close();
      throw error;
    }
  }

  async revoke(claims) {
    await this.#revokeToken(claims, this.#promises());
  }

  revokeSync(claims) {
    this.#revokeToken(claims);
  }

  async revokeId(jti, expiresAt, options) {
    await this.#revokeId(jti, expiresAt, options, this.#promises());
  }

  revokeIdSync(jti, expiresAt, options) {
    this.#revokeId(jti, expiresAt, options);
  }

  async revokeSession(sid, expiresAt, options) {
    await this.#revokeSession(sid, expiresAt, options, this.#promises());
  }

  revokeSessionSync(sid, expiresAt, options) {
    this.#revokeSession(sid, expiresAt, options);
  }

  async revokeSubject(sub, issuedBefore, options) {
    await this.#revokeSubject(sub, issuedBefore, options, this.#promises());
  }

  revokeSubjectSync(sub, issuedBefore, options) {
    this.#revokeSubject(sub, issuedBefore, options);
  }

  async revokeKey(kid) {
    await this.#revokeKey(kid, this.#promises());
  }

  revokeKeySync(kid) {
    this.#revokeKey(kid);
  }

  async revokeAll(options) {
    await this.#revokeAll(options, this.#promises());
  }

  revokeAllSync(options) {
    this.#revokeAll(options);
  }

  /** The outbox of a call that returns a promise; undefined if the list is in memory. */
  #promises() {
    // A list that is in memory when it is made may be put on Redis later, by any thread.
    if (this.#outbox === undefined && native.revocationIsRemote(this)) {
      this.#outbox = commonOutbox ??= new Outbox();
    }
    return this.#outbox;
  }

  // Each of these makes one revocation. With an outbox it returns a promise and does not block,
  // which takes longer than a list in memory needs.

  #revokeToken(claims, outbox) {
    const [jti, exp, iss] = [own(claims, 'jti'), own(claims, 'exp'), own(claims, 'iss')];
    const token = { __proto__: null, jti, exp, iss };
    this.#clock?.read();
    const ticket = native.revocationRevoke(this, token, outbox?.number);
    return published(ticket, outbox, { kind: 'token' }, { tokenId: jti });
  }

  #revokeId(jti, expiresAt, options, outbox) {
    this.#clock?.read();
    const ticket = native.revocationRevokeId(this, jti, expiresAt, options, outbox?.number);
    return published(ticket, outbox, { kind: 'token' }, { tokenId: jti });
  }

  #revokeSession(sid, expiresAt, options, outbox) {
    this.#clock?.read();
    const ticket = native.revocationRevokeSession(this, sid, expiresAt, options, outbox?.number);
    return published(ticket, outbox, { kind: 'session' }, { session: sid });
  }

  #revokeSubject(sub, issuedBefore, options, outbox) {
    this.#clock?.read();
    const ticket = native.revocationRevokeSubject(this, sub, issuedBefore, options, outbox?.number);
    return published(ticket, outbox, { kind: 'subject' }, { subject: sub });
  }

  #revokeKey(kid, outbox) {
    this.#clock?.read();
    const ticket = native.revocationRevokeKey(this, kid, outbox?.number);
    return published(ticket, outbox, { kind: 'key', kid });
  }

  #revokeAll(options, outbox) {
    this.#clock?.read();
    const ticket = native.revocationRevokeAll(this, options, outbox?.number);
    return published(ticket, outbox, { kind: 'all' });
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
    if (this.#ownStore !== undefined) await this.#ownStore.close();
    // Other lists and threads may be on the store.
    else if (!native.revocationIsDurable(this)) native.revocationClose(this);
  }
}

/** Attaches a new list, and returns its clock if the options have one. */
function attachNew(list, options) {
  const [given, clock] = useClock(list, options);
  native.revocationAttach(list, given);
  return clock;
}

/**
 * Publishes the event of a revocation that is done. With an outbox it will be done, and the promise
 * of that is returned: the event is then published in the asynchronous context of the caller.
 */
function published(ticket, outbox, members, ids) {
  if (outbox !== undefined) {
    return outbox.promise(ticket).then((outcome) => {
      settled(outcome);
      published(undefined, undefined, members, ids);
    });
  }
  if (ADDED.hasSubscribers) publish(ADDED, members, ids);
  return undefined;
}

function listen(list, callback) {
  return native.revocationListen(list, (events) => callback(events.map(frozen)));
}

/** An event, which all listeners share. */
function frozen({ kind, until, origin, missed }) {
  return Object.freeze({ kind, until: until ?? undefined, origin, missed });
}

/** An own member of claims. A member of `Object.prototype` is not a claim. */
function own(claims, name) {
  if (claims === null || typeof claims !== 'object') {
    throw makeError('ERR_INVALID_ARG_TYPE', 'claims must be an object');
  }
  return Object.hasOwn(claims, name) ? claims[name] : undefined;
}

module.exports = { RevocationList };
