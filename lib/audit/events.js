'use strict';

// The events of the audit trail: one row each. docs/audit.md has this table, which
// scripts/audit.mjs writes; audit.d.ts declares the same members.
//
// `outcome` is a row's only outcome, unless it is missing. `members` are those beside the members
// that every event has; one with `?` may be missing.

/** Members whose values are hashes of ids. */
const HASHED = ['limitKey', 'session', 'subject', 'token', 'tokenId'];

const EVENTS = {
  'token.refused': {
    when: 'A verifier or `verifyJws` refuses a token.',
    outcome: 'denied',
    members: ['code', 'claim?', 'reason?', 'token?', 'subject?', 'session?', 'tokenId?'],
  },
  'revocation.added': {
    when: 'A call of a `RevocationList` revokes a token, a session, a subject, a key or all.',
    outcome: 'ok',
    members: ['kind', 'tokenId?', 'session?', 'subject?', 'kid?'],
  },
  'revocation.failed': {
    when: 'A revocation list cannot take an entry or answer.',
    outcome: 'error',
    members: ['code'],
  },
  'revocation.followed': {
    when:
      'A list on Redis has all revocations: at first, and after an outage. `received` counts those ' +
      'of other processes.',
    outcome: 'ok',
    members: ['received'],
  },
  'revocation.lost': {
    when: 'The Redis of a list does not answer, or something that cannot be used.',
    outcome: 'error',
    members: ['reason'],
  },
  'revocation.stale': {
    when: 'The Redis of a list has not answered for `maxStaleness`: verifiers refuse from now on.',
    outcome: 'error',
    members: [],
  },
  'revocation.ignored': {
    when:
      'Redis has revocations that are not genuine (`forged`), under other keys (`foreign`), or of a ' +
      'later release (`newer`).',
    outcome: 'denied',
    members: ['count', 'reason'],
  },
  'revocation.unpublished': {
    when: 'Redis has not confirmed a revocation, which is published again later.',
    outcome: 'error',
    members: ['reason'],
  },
  'revocation.republished': {
    when: 'Redis lacked revocations, and this process has published them again.',
    outcome: 'ok',
    members: ['count'],
  },
  'revocation.evictable': {
    when: 'The Redis of a list drops revocations when its memory is full.',
    outcome: 'error',
    members: ['policy'],
  },
  'key.added': {
    when: 'A key ring has a new key.',
    outcome: 'ok',
    members: ['kid', 'alg', 'state'],
  },
  'key.rotated': {
    when: 'A key ring signs with another key from now on.',
    outcome: 'ok',
    members: ['kid', 'alg', 'state', 'from'],
  },
  'key.retired': {
    when: 'A key no longer signs, but still verifies.',
    outcome: 'ok',
    members: ['kid', 'alg', 'state', 'from'],
  },
  'key.revoked': {
    when: 'A key ring has revoked a key.',
    outcome: 'ok',
    members: ['kid', 'alg', 'state', 'from'],
  },
  'key.removed': {
    when: 'A key ring has dropped a key.',
    outcome: 'ok',
    members: ['kid', 'alg', 'from'],
  },
  'keyring.followed': {
    when: 'A key ring on Redis has the version of the server: at first, and after an outage.',
    outcome: 'ok',
    members: [],
  },
  'keyring.lost': {
    when: 'The Redis of a key ring does not answer, or something that cannot be used.',
    outcome: 'error',
    members: ['reason'],
  },
  'keyring.restored': {
    when:
      'Redis had lost a version of a key ring, and this process has written its own; `merged` with ' +
      'another one that had been made since.',
    outcome: 'ok',
    members: ['merged'],
  },
  'keyset.changed': {
    when: 'A `RemoteJwks` has fetched a set that differs from the last one.',
    outcome: 'ok',
    members: ['origin', 'trigger'],
  },
  'keyset.failed': {
    when: 'A request of a `RemoteJwks` has failed.',
    outcome: 'error',
    members: ['code', 'origin', 'trigger', 'keys'],
  },
  'session.started': {
    when: '`Sessions.start()` has started a session.',
    outcome: 'ok',
    members: ['session', 'subject'],
  },
  'session.refreshed': {
    when: 'A refresh token was exchanged; `replayed` if it was one that had just been used.',
    outcome: 'ok',
    members: ['session', 'subject', 'replayed'],
  },
  'session.restored': {
    when:
      'A refresh token is later than its session: the store has lost changes or is a backup, and ' +
      'the session goes on.',
    outcome: 'ok',
    members: ['session', 'subject'],
  },
  'session.reused': {
    when: 'A used refresh token came again: its session has ended.',
    outcome: 'denied',
    members: ['session', 'subject'],
  },
  'session.expired': {
    when: 'A refresh token came too late.',
    outcome: 'denied',
    members: ['session', 'subject'],
  },
  'session.refused': {
    when: 'A refresh token belongs to no session.',
    outcome: 'denied',
    members: [],
  },
  'session.ended': {
    when:
      'A session was ended, also for a newer one of its subject, or with `endAll()` every session ' +
      'of a subject.',
    outcome: 'ok',
    members: ['session?', 'subject?'],
  },
  'session.failed': {
    when:
      'The table of sessions is full, a subject has as many as it may have, or the server of ' +
      '`RedisSessions` has not done a call.',
    outcome: 'error',
    members: ['code'],
  },
  'session.unavailable': {
    when:
      'The server of `RedisSessions` begins not to answer calls, or for another reason than ' +
      'before: `deadline`, `connection`, or the first word of its error.',
    outcome: 'error',
    members: ['reason'],
  },
  'session.available': {
    when: 'The server of `RedisSessions` answers again.',
    outcome: 'ok',
    members: [],
  },
  'limit.denied': {
    when: 'A limiter denies a request, or has no place for it.',
    outcome: 'denied',
    members: ['limitKey?', 'limit', 'windowMs?', 'burst?', 'scope?'],
  },
  'limit.degraded': {
    when:
      'A `RedisRateLimiter` begins to decide without the server or a node of a cluster, or for another ' +
      'reason than before: `deadline`, `connection`, or the first word of the error of the server.',
    outcome: 'error',
    members: ['reason', 'onStoreError'],
  },
  'limit.recovered': {
    when: 'The server, or each node of a cluster, answers a `RedisRateLimiter` again.',
    outcome: 'ok',
    members: [],
  },
  'limit.failed': {
    when: 'A limit of the middleware with `enforce: false` could not count a request.',
    outcome: 'error',
    members: ['code?'],
  },
  'dpop.unavailable': {
    when:
      'The server of a `RedisDpopReplayCache` begins not to answer, or for another reason than before: ' +
      '`deadline`, `connection`, or the first word of its error. Requests with proofs are refused.',
    outcome: 'error',
    members: ['reason'],
  },
  'dpop.available': {
    when: 'The server of a `RedisDpopReplayCache` answers again.',
    outcome: 'ok',
    members: [],
  },
  'dpop.evictable': {
    when: 'The server of a `RedisDpopReplayCache` drops proofs when its memory is full.',
    outcome: 'error',
    members: ['policy'],
  },
  'password.verified': {
    when: 'A password matches its digest.',
    outcome: 'ok',
    members: [],
  },
  'password.refused': {
    when: 'A password does not match its digest, or there is no digest.',
    outcome: 'denied',
    members: [],
  },
  'password.failed': {
    when: 'A hash or a verification fails, for example because the pool is busy.',
    outcome: 'error',
    members: ['code'],
  },
  'secret.degraded': {
    when: 'Secret memory is not both locked and left out of dumps, or not as required.',
    outcome: 'error',
    members: ['code'],
  },
  'secret.overflowed': {
    when: 'The secure heap is full, and a secret is kept outside, encrypted.',
    outcome: 'ok',
    members: [],
  },
  'secret.exhausted': {
    when: 'The secure heap has no room for a secret.',
    outcome: 'error',
    members: ['code'],
  },
  'store.failed': {
    when: 'A store cannot be opened, read or written, also for a list, sessions or a key ring on it.',
    outcome: 'error',
    members: ['code'],
  },
  'store.lost': {
    when: 'A store was opened that had lost changes when the machine stopped.',
    outcome: 'error',
    members: ['lostAt'],
  },
  'request.refused': {
    when: 'Middleware refuses a request for another reason than its token; `kind` names the reason.',
    outcome: 'denied',
    members: ['kind', 'origin?', 'subject?', 'session?', 'tokenId?'],
  },
  'request.malformed': {
    when:
      "Node's parser refuses a request before the middleware sees it, as for line breaks in a header. " +
      'For servers with `auditContext` or `audit`.',
    outcome: 'denied',
    members: ['code'],
  },
  'correlation.replaced': {
    when: 'A request has a new correlation id, because that in its header is none.',
    outcome: 'denied',
    members: ['header', 'fault'],
  },
  'app.recorded': {
    when: 'The application calls `record()`.',
    members: ['action', 'code?', 'subject?', 'session?', 'tokenId?', 'fields?'],
  },
};

/**
 * The events of errors, by the prefix of the error's code. The first prefix that fits decides. An
 * error that a caller's mistake causes is no event.
 */
const FAILURES = [
  ['ERR_PASSWORD_PEPPER', undefined],
  ['ERR_PASSWORD_PROFILE', undefined],
  ['ERR_PASSWORD_', 'password.failed'],
  ['ERR_REVOCATION_STORE', 'store.failed'],
  ['ERR_REVOCATION_SYNC', undefined],
  ['ERR_REVOCATION_', 'revocation.failed'],
  ['ERR_SECRET_DEGRADED', 'secret.degraded'],
  ['ERR_SECRET_EXHAUSTED', 'secret.exhausted'],
  ['ERR_SESSION_', 'session.failed'],
  ['ERR_STORE_', 'store.failed'],
];

module.exports = { EVENTS, FAILURES, HASHED };
