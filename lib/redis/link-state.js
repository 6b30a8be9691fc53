'use strict';

// The state of a link between a list and a server, for `status()` and the audit trail.

const { CHANNELS, publish } = require('../audit/publish.js');

/** The least time between two events of one kind that others can cause. */
const EVENT_MS = 1000;

class LinkState {
  #maxStaleness;
  #staleTimer;
  #state = 'reading';
  #reason;
  #lastAnswer;
  #policy;
  #received = 0;
  #ignored = { forged: 0, foreign: 0, newer: 0 };
  #toldAt = new Map();

  constructor(maxStaleness) {
    this.#maxStaleness = maxStaleness;
  }

  get isFollowing() {
    return this.#state === 'following';
  }

  report() {
    return {
      state: this.#state,
      reason: this.#reason,
      lastAnswer: this.#lastAnswer,
      received: this.#received,
      ignored: { ...this.#ignored },
      evictionPolicy: this.#policy,
    };
  }

  /** The list has everything as of `age` milliseconds ago. */
  following(age) {
    if (this.#state === 'closed') return;
    this.#lastAnswer = new Date(Date.now() - age);
    clearTimeout(this.#staleTimer);
    this.#staleTimer = setTimeout(() => this.#stale(), Math.max(this.#maxStaleness - age, 0));
    this.#staleTimer.unref();
    if (this.#state === 'following') return;
    this.#state = 'following';
    this.#reason = undefined;
    tell('revocation.followed', { received: this.#received });
  }

  /** The server does not answer, or something wrong. */
  lost(reason) {
    if (this.#state === 'closed') return;
    const isNew = this.#state === 'following' || this.#reason !== reason;
    this.#reason = reason;
    if (this.#state === 'following') this.#state = 'interrupted';
    if (isNew) tell('revocation.lost', { reason });
  }

  unpublished(reason) {
    this.#tellAtMost('revocation.unpublished', { reason });
  }

  republished(count) {
    tell('revocation.republished', { count });
  }

  /** The numbers of rows of a read: new, forged, foreign, newer. */
  took([added, ...ignored]) {
    this.#received += added;
    ['forged', 'foreign', 'newer'].forEach((reason, at) => {
      const count = ignored[at];
      if (count === 0) return;
      this.#ignored[reason] += count;
      this.#tellAtMost('revocation.ignored', { count, reason });
    });
  }

  /** Warns of a policy under which a full server drops the stream. */
  checkPolicy(policy) {
    if (policy === this.#policy) return;
    this.#policy = policy;
    if (!policy?.startsWith('allkeys-')) return;
    process.emitWarning(
      `a Redis with revocations has maxmemory-policy ${policy}: when its memory is full, it drops ` +
        'revocations; set noeviction, or a volatile policy',
      { code: 'NODESEC_REDIS_EVICTION' },
    );
    tell('revocation.evictable', { policy });
  }

  /** Warns of a server that does not tell whether it is a primary. */
  roleRefused() {
    process.emitWarning(
      'a Redis with revocations does not tell whether it is a replica, which may lag without ' +
        'notice: allow the command ROLE',
      { code: 'NODESEC_REDIS_ROLE' },
    );
  }

  close() {
    clearTimeout(this.#staleTimer);
    this.#state = 'closed';
  }

  #stale() {
    this.#state = 'stale';
    tell('revocation.stale', {});
  }

  /** Tells of what others can cause at any rate. */
  #tellAtMost(event, members) {
    const now = performance.now();
    const key = `${event} ${members.reason}`;
    if (now - (this.#toldAt.get(key) ?? -Infinity) < EVENT_MS) return;
    this.#toldAt.set(key, now);
    tell(event, members);
  }
}

function tell(event, members) {
  if (CHANNELS[event].hasSubscribers) publish(CHANNELS[event], members);
}

module.exports = { LinkState };
