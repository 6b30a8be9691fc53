// The manual of @nodesec/native/audit, the audit trail. docs/audit.md has a table of the events,
// and names the data that they never hold.

/// <reference types="node" />

import type { NodesecErrorCode, SecretBuffer } from './index.js';

/** The members that every event has. An event is a frozen object that inherits nothing. */
export interface AuditEventBase {
  /** The event, such as `token.refused`. Its channel is `nodesec:token.refused`. */
  readonly event: string;
  /** When it happened, in milliseconds since 1970, by the clock of the system. */
  readonly time: number;
  /** A UUID of version 7. */
  readonly id: string;
  /** `error` is an operation that failed, `denied` one that was refused. */
  readonly outcome: AuditOutcome;
  /** The request or the job to which the event belongs; see {@link correlationId}. */
  readonly correlationId?: string;
  /** The trace of the request: 32 hexadecimal digits, of its header `traceparent`. */
  readonly traceId?: string;
}

/** The outcome of an operation. */
export type AuditOutcome = 'ok' | 'denied' | 'error';

/**
 * A hash of an id: 22 characters of base64url, which are 128 bits of HMAC-SHA-256. Equal ids have
 * equal hashes within a process; see {@link setHashKey}. {@link hashId} gives the hash of an id.
 */
export type HashedId = string;

/** Every event, for a `switch` over its member `event`. */
export type AuditEvent =
  | TokenRefused
  | RevocationAdded
  | RevocationsFollowed
  | RevocationsLost
  | RevocationsStale
  | RevocationsIgnored
  | RevocationsUnpublished
  | RevocationsRepublished
  | RevocationsEvictable
  | KeyRingFollowed
  | KeyRingLost
  | KeyRingRestored
  | KeyChanged
  | KeySetChanged
  | KeySetFailed
  | SessionChanged
  | SessionRefreshed
  | SessionRestored
  | SessionDenied
  | SessionsUnavailable
  | SessionsAvailable
  | DpopUnavailable
  | DpopAvailable
  | DpopEvictable
  | LimitDenied
  | LimitDegraded
  | LimitRecovered
  | LimitFailed
  | PasswordChecked
  | SecretOverflowed
  | OperationFailed
  | StoreLost
  | RequestRefused
  | RequestMalformed
  | CorrelationReplaced
  | AppRecorded;

/** A verifier or `verifyJws` refuses a token. */
export interface TokenRefused extends AuditEventBase {
  readonly event: 'token.refused';
  readonly outcome: 'denied';
  /** The code of the refusal. */
  readonly code: NodesecErrorCode;
  /** With `ERR_JWT_CLAIM`: the claim. */
  readonly claim?: string;
  /** With `ERR_JWT_CLAIM`: the fault of the claim. */
  readonly reason?: string;
  /** The token, if it is a string of at most 1 MiB. A token that comes again has the same hash. */
  readonly token?: HashedId;
  /**
   * The claim `sub`. It is present only if the verifier had verified the signature before it
   * refused the token, as for an expired or a revoked one: anyone can write any subject into a
   * forged token.
   */
  readonly subject?: HashedId;
  /** The claim `sid`, under the same condition. */
  readonly session?: HashedId;
  /** The claim `jti`, under the same condition. */
  readonly tokenId?: HashedId;
}

/** A call of a `RevocationList` has added an entry. */
export interface RevocationAdded extends AuditEventBase {
  readonly event: 'revocation.added';
  readonly outcome: 'ok';
  /** The kind of the entry. It decides which of the other members there is. */
  readonly kind: 'token' | 'session' | 'subject' | 'key' | 'all';
  /** The revoked token's `jti`. */
  readonly tokenId?: HashedId;
  /** The revoked session. */
  readonly session?: HashedId;
  /** The revoked subject. */
  readonly subject?: HashedId;
  /** The revoked key's `kid`, as it is. */
  readonly kid?: string;
}

/**
 * A key of a `KeyRing` has entered another state. Each thread that has an object for a shared ring
 * publishes the event once.
 */
export interface KeyChanged extends AuditEventBase {
  readonly event: 'key.added' | 'key.rotated' | 'key.retired' | 'key.revoked' | 'key.removed';
  readonly outcome: 'ok';
  /** The key's `kid`, as it is: it is in the JWK Set and in tokens. */
  readonly kid: string;
  /** The algorithm of the key. */
  readonly alg: string;
  /** The state of the key from now on. A removed key has none. */
  readonly state?: 'next' | 'active' | 'retired' | 'revoked';
  /** The state that the key had. A new key had none. */
  readonly from?: 'next' | 'active' | 'retired' | 'revoked';
}

/** A `RemoteJwks` has fetched a set that differs from the last one. */
export interface KeySetChanged extends AuditEventBase {
  readonly event: 'keyset.changed';
  readonly outcome: 'ok';
  /** Scheme, host and port of the set's URL. */
  readonly origin: string;
  /** The cause of the request, as in the events of `onEvent`. */
  readonly trigger: string;
}

/** A request of a `RemoteJwks` has failed. */
export interface KeySetFailed extends AuditEventBase {
  readonly event: 'keyset.failed';
  readonly outcome: 'error';
  /** The code of the error. */
  readonly code: NodesecErrorCode;
  /** Scheme, host and port of the set's URL. */
  readonly origin: string;
  /** The cause of the request, as in the events of `onEvent`. */
  readonly trigger: string;
  /** The state of the keys, as `RemoteJwks.status()` gives it. */
  readonly keys: 'none' | 'fresh' | 'stale';
}

/** A session was started or ended. */
export interface SessionChanged extends AuditEventBase {
  readonly event: 'session.started' | 'session.ended';
  readonly outcome: 'ok';
  /** The session. `endAll()` names the subject alone. */
  readonly session?: HashedId;
  /** The subject, of a started session and with `endAll()`. */
  readonly subject?: HashedId;
}

/** A refresh token was exchanged. */
export interface SessionRefreshed extends AuditEventBase {
  readonly event: 'session.refreshed';
  readonly outcome: 'ok';
  /** The session. */
  readonly session: HashedId;
  /** The subject of the session. */
  readonly subject: HashedId;
  /** Whether the token had just been used, and its successor was given again. */
  readonly replayed: boolean;
}

/**
 * A refresh token is later than its session: the store has lost its last changes, or was restored
 * from a backup. The session continues. `session.refreshed` follows.
 */
export interface SessionRestored extends AuditEventBase {
  readonly event: 'session.restored';
  readonly outcome: 'ok';
  /** The session. */
  readonly session: HashedId;
  /** The subject of the session. */
  readonly subject: HashedId;
}

/** A refresh token was refused. */
export interface SessionDenied extends AuditEventBase {
  readonly event: 'session.reused' | 'session.expired' | 'session.refused';
  readonly outcome: 'denied';
  /** The session, which has ended. A token that is `refused` belongs to none. */
  readonly session?: HashedId;
  /** The subject of the session. */
  readonly subject?: HashedId;
}

/**
 * The server of a `RedisDpopReplayCache` begins not to answer, or for another reason than before.
 * Requests with proofs are refused.
 */
export interface DpopUnavailable extends AuditEventBase {
  readonly event: 'dpop.unavailable';
  readonly outcome: 'error';
  /** `deadline`, `connection`, or the first word of the error of the server. */
  readonly reason: string;
}

/** The server of a `RedisDpopReplayCache` answers again. */
export interface DpopAvailable extends AuditEventBase {
  readonly event: 'dpop.available';
  readonly outcome: 'ok';
}

/** The server of a `RedisDpopReplayCache` drops proofs when its memory is full. */
export interface DpopEvictable extends AuditEventBase {
  readonly event: 'dpop.evictable';
  readonly outcome: 'error';
  /** Its `maxmemory-policy`. */
  readonly policy: string;
}

/**
 * The server of `RedisSessions` begins not to answer calls, or for another reason than before.
 */
export interface SessionsUnavailable extends AuditEventBase {
  readonly event: 'session.unavailable';
  readonly outcome: 'error';
  /** `deadline`, `connection`, or the first word of the error of the server. */
  readonly reason: string;
}

/** The server of `RedisSessions` answers again. */
export interface SessionsAvailable extends AuditEventBase {
  readonly event: 'session.available';
  readonly outcome: 'ok';
}

/**
 * A `RateLimiter` or a `RedisRateLimiter` denies a request, or a `ConcurrencyLimiter` has no place.
 */
export interface LimitDenied extends AuditEventBase {
  readonly event: 'limit.denied';
  readonly outcome: 'denied';
  /** The key. A `ConcurrencyLimiter` without `perKey` may be asked without one. */
  readonly limitKey?: HashedId;
  /** The limit, as in `RateLimitResult.policy` or `ConcurrencyResult`. */
  readonly limit: number;
  /** The window of a `RateLimiter`, in milliseconds. */
  readonly windowMs?: number;
  /** The burst of a `RateLimiter`. */
  readonly burst?: number;
  /** The scope of a `ConcurrencyLimiter`'s limit, as in `ConcurrencyResult`. */
  readonly scope?: 'total' | 'key';
}

/** A `RedisRateLimiter` decides without its server, or without a node of a cluster. */
export interface LimitDegraded extends AuditEventBase {
  readonly event: 'limit.degraded';
  readonly outcome: 'error';
  /** `deadline`, `connection`, or the first word of the error of the server. */
  readonly reason: string;
  /** How it decides. */
  readonly onStoreError: 'local' | 'allow' | 'deny';
}

/** The server, or each node of a cluster, answers a `RedisRateLimiter` again. */
export interface LimitRecovered extends AuditEventBase {
  readonly event: 'limit.recovered';
  readonly outcome: 'ok';
}

/** A limit of the middleware with `enforce: false` could not count a request, which was let in. */
export interface LimitFailed extends AuditEventBase {
  readonly event: 'limit.failed';
  readonly outcome: 'error';
  /** The code of the error, if it has one. */
  readonly code?: string;
}

/** A password was compared with its digest. The call does not know whose password it is. */
export interface PasswordChecked extends AuditEventBase {
  readonly event: 'password.verified' | 'password.refused';
  readonly outcome: 'ok' | 'denied';
}

/** The secure heap is full, and a secret is kept outside, encrypted. Once a process. */
export interface SecretOverflowed extends AuditEventBase {
  readonly event: 'secret.overflowed';
  readonly outcome: 'ok';
}

/**
 * A list on Redis has every revocation: at first, and after each outage. From then on verifiers
 * judge by it.
 */
export interface RevocationsFollowed extends AuditEventBase {
  readonly event: 'revocation.followed';
  readonly outcome: 'ok';
  /** The revocations of other processes that the list has got so far. */
  readonly received: number;
}

/** The Redis of a list does not answer, or the list cannot use its answer. */
export interface RevocationsLost extends AuditEventBase {
  readonly event: 'revocation.lost';
  readonly outcome: 'error';
  /**
   * `no answer`, `connection`, `a later release`, `a replica`, the first word of the server's
   * error, such as `NOAUTH` or `LOADING`, or a code of this package, such as `ERR_REVOCATION_FULL`.
   */
  readonly reason: string;
}

/** The Redis of a list has not answered for `maxStaleness`: verifiers refuse every token. */
export interface RevocationsStale extends AuditEventBase {
  readonly event: 'revocation.stale';
  readonly outcome: 'error';
}

/** Redis has revocations that a list does not take. At most one event a second for each reason. */
export interface RevocationsIgnored extends AuditEventBase {
  readonly event: 'revocation.ignored';
  readonly outcome: 'denied';
  /** The number of revocations that were read together. */
  readonly count: number;
  /**
   * `forged`: not written with the `key`, or no revocation at all. `foreign`: written by processes
   * without `key` that had other keys. `newer`: written by a later release.
   */
  readonly reason: 'forged' | 'foreign' | 'newer';
}

/**
 * Redis has not confirmed a revocation. This process refuses the token, and publishes the
 * revocation again. At most one event a second for each reason.
 */
export interface RevocationsUnpublished extends AuditEventBase {
  readonly event: 'revocation.unpublished';
  readonly outcome: 'error';
  /** As in {@link RevocationsLost.reason}, or `fewer than 2 replicas`. */
  readonly reason: string;
}

/** Redis lacked revocations, as after a failover. This process has published them again. */
export interface RevocationsRepublished extends AuditEventBase {
  readonly event: 'revocation.republished';
  readonly outcome: 'ok';
  /** The number of revocations. */
  readonly count: number;
}

/** A key ring on Redis has the version of the server: at first, and after each outage. */
export interface KeyRingFollowed extends AuditEventBase {
  readonly event: 'keyring.followed';
  readonly outcome: 'ok';
}

/** The Redis of a key ring does not answer, or the ring cannot use its answer. */
export interface KeyRingLost extends AuditEventBase {
  readonly event: 'keyring.lost';
  readonly outcome: 'error';
  /**
   * `no answer`, `connection`, the first word of the server's error, such as `NOAUTH`, `OOM` or
   * `READONLY` (a replica), or a code of this package: `ERR_SECRET_SEAL` if the server has
   * something that does not open as this ring.
   */
  readonly reason: string;
}

/** Redis had lost a version of a key ring, as after a failover. This process wrote its own. */
export interface KeyRingRestored extends AuditEventBase {
  readonly event: 'keyring.restored';
  readonly outcome: 'ok';
  /** Whether another version had been made since, with which it was merged. */
  readonly merged: boolean;
}

/** The Redis of a list drops revocations when its memory is full. */
export interface RevocationsEvictable extends AuditEventBase {
  readonly event: 'revocation.evictable';
  readonly outcome: 'error';
  /** Its `maxmemory-policy`. */
  readonly policy: string;
}

/**
 * An operation has failed. `secret.degraded` comes once a process with `NODESEC_SECRET_DEGRADED` if
 * `onDegraded` lets secrets be stored nevertheless, and with `ERR_SECRET_DEGRADED` for each secret
 * that is refused.
 */
export interface OperationFailed extends AuditEventBase {
  readonly event:
    | 'password.failed'
    | 'revocation.failed'
    | 'secret.degraded'
    | 'secret.exhausted'
    | 'session.failed'
    | 'store.failed';
  readonly outcome: 'error';
  /** The code of the error, or of the warning. */
  readonly code: NodesecErrorCode | 'NODESEC_SECRET_DEGRADED';
}

/**
 * A store had lost changes when the machine stopped, as `durability: 'process'` permits. Its list
 * refuses every token that was issued until then. The first `Store.open` of each process since the
 * machine started publishes the event.
 */
export interface StoreLost extends AuditEventBase {
  readonly event: 'store.lost';
  readonly outcome: 'error';
  /** When a process noticed the loss, in milliseconds since 1970. */
  readonly lostAt: number;
}

/** Middleware has refused a request. A refused token is `token.refused` instead. */
export interface RequestRefused extends AuditEventBase {
  readonly event: 'request.refused';
  readonly outcome: 'denied';
  /**
   * The reason.
   *
   * - `cookie-repeated`: a cookie of the middleware came twice.
   * - `credentials-malformed`: a header `Authorization` with a scheme and no token.
   * - `credentials-repeated`: tokens in two places, or in the query.
   * - `cross-origin`: a page of another origin may have caused the request.
   * - `header-repeated`: a header that tells the origin or the host came twice.
   * - `login-unmet`: the login of the token is too weak or too old.
   * - `scope-unmet`: the token lacks a scope.
   * - `token-bound`: the client has not shown the key to which the token is bound.
   */
  readonly kind:
    | 'cookie-repeated'
    | 'credentials-malformed'
    | 'credentials-repeated'
    | 'cross-origin'
    | 'header-repeated'
    | 'login-unmet'
    | 'scope-unmet'
    | 'token-bound';
  /** With `cross-origin`: the origin of the page, if the request names one of the web. */
  readonly origin?: string;
  /** The claim `sub` of a token that was accepted. */
  readonly subject?: HashedId;
  /** The claim `sid` of a token that was accepted. */
  readonly session?: HashedId;
  /** The claim `jti` of a token that was accepted. */
  readonly tokenId?: HashedId;
}

/**
 * Node's parser of HTTP has refused a request, so that no middleware has seen it: for line breaks
 * in a header, two lengths, headers that are too large. It is published for servers with the plugin
 * `audit`, and in Express for those whose `auditContext` has seen a request.
 */
export interface RequestMalformed extends AuditEventBase {
  readonly event: 'request.malformed';
  readonly outcome: 'denied';
  /** The code of the parser, such as `HPE_INVALID_HEADER_TOKEN`. */
  readonly code: string;
}

/** A request has a new correlation id, because that in its header is none. */
export interface CorrelationReplaced extends AuditEventBase {
  readonly event: 'correlation.replaced';
  readonly outcome: 'denied';
  /** The header, in lower case. */
  readonly header: string;
  /** The fault of its value, which is in no event. A doubled header is malformed. */
  readonly fault: 'malformed' | 'too-long';
}

/** The application has called {@link record}. */
export interface AppRecorded extends AuditEventBase {
  readonly event: 'app.recorded';
  /** The name that the application gave. */
  readonly action: string;
  /** The code that the application gave. */
  readonly code?: string;
  /** The subject, hashed. */
  readonly subject?: HashedId;
  /** The session, hashed. */
  readonly session?: HashedId;
  /** The `jti` of a token, hashed. */
  readonly tokenId?: HashedId;
  /** The other fields, as they were given. */
  readonly fields?: Readonly<Record<string, AuditValue>>;
}

/** A value that an application may record: a string has at most 1024 characters. */
export type AuditValue = string | number | boolean | null;

/** The fields of {@link record}. */
export interface AuditFields {
  /** Default: `ok`. */
  outcome?: AuditOutcome | undefined;
  /** A code: capitals, digits and `_`, at most 64 characters. */
  code?: string | undefined;
  /** The subject, 1 to 1024 characters. The event has its hash. */
  subject?: string | undefined;
  /** The session, 1 to 1024 characters. The event has its hash. */
  session?: string | undefined;
  /** The `jti` of a token, 1 to 1024 characters. The event has its hash. */
  tokenId?: string | undefined;
  /** Other fields, at most 32 together with those above. The event has them as they are. */
  [name: string]: AuditValue | undefined;
}

/**
 * The names of all channels of `node:diagnostics_channel`, to subscribe to them. Subscribers are
 * called at once, in the thread that they subscribed in.
 *
 * @example
 * ```ts
 * import { subscribe } from 'node:diagnostics_channel';
 * import { RateLimiter } from '@nodesec/native';
 * import { channels, type AuditEvent } from '@nodesec/native/audit';
 *
 * for (const channel of channels) {
 *   subscribe(channel, (message) => {
 *     const event = message as AuditEvent;
 *     if (event.event === 'limit.denied') console.log(event.outcome, event.limitKey?.length); // denied 22
 *   });
 * }
 * const limiter = new RateLimiter({ limit: 1, windowMs: 60_000 });
 * limiter.check('192.0.2.1');
 * limiter.check('192.0.2.1');
 * ```
 */
export const channels: readonly string[];

/**
 * Publishes an event of the application's own, such as an access to sensitive data, as
 * `app.recorded`. `action` names it: 1 to 100 letters, digits and characters of `._:-`, of which
 * the first is a letter. The fields are checked in any case; without a subscriber nothing else
 * happens.
 *
 * `subject`, `session` and `tokenId` become hashes. All other fields appear as they are: do not
 * give passwords, tokens or keys. Objects are refused, so that no request gets into the trail by
 * mistake.
 *
 * Errors: `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, `ERR_OUT_OF_RANGE`.
 *
 * @example
 * ```ts
 * import { subscribe } from 'node:diagnostics_channel';
 * import { hashId, record, type AppRecorded } from '@nodesec/native/audit';
 *
 * subscribe('nodesec:app.recorded', (message) => {
 *   const { action, outcome, subject, fields } = message as AppRecorded;
 *   console.log(action, outcome, fields); // invoice.read ok { invoice: 17 }
 *   console.log(subject === hashId('subject', 'ada@example.com')); // true
 * });
 * record('invoice.read', { subject: 'ada@example.com', invoice: 17 });
 * ```
 */
export function record(action: string, fields?: AuditFields): void;

/**
 * Returns the hash that events have for an id, to find the events of a subject. `member` is the
 * member of the events: the same id has another hash in another member. `id` is a string or bytes,
 * 1 byte to 1 MiB.
 *
 * Errors: `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, `ERR_OUT_OF_RANGE`,
 * `ERR_SECRET_EXHAUSTED`.
 *
 * @example
 * ```ts
 * import { hashId, setHashKey } from '@nodesec/native/audit';
 * import { SecretBuffer } from '@nodesec/native';
 *
 * setHashKey(SecretBuffer.from(Buffer.alloc(32, 7)));
 * console.log(hashId('subject', 'ada@example.com')); // cXZI29dcWWHaLjZwenrOpw
 * ```
 */
export function hashId(
  member: 'limitKey' | 'session' | 'subject' | 'token' | 'tokenId',
  id: string | Uint8Array,
): HashedId;

/**
 * Sets the key of all hashes of the process: a `SecretBuffer` of at least 32 bytes, which may be
 * disposed of afterwards. Without it the process draws a key at the first hash, and its hashes
 * differ from those of every other process. Give the same key to each process of a service, and
 * after each restart, to find a subject's events in all of them. Call it before the first event:
 * earlier events have other hashes.
 *
 * Errors: `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE` for a shorter key, `ERR_INVALID_ARG_VALUE` if
 * another key was set before, `ERR_SECRET_DISPOSED`, `ERR_SECRET_EXHAUSTED`.
 *
 * @example
 * ```ts
 * import { SecretBuffer } from '@nodesec/native';
 * import { setHashKey } from '@nodesec/native/audit';
 *
 * const key = SecretBuffer.random(32); // SecretBuffer.fromFile('/run/secrets/audit-key')
 * setHashKey(key);
 * key.dispose();
 * console.log(key.disposed); // true
 * ```
 */
export function setHashKey(key: SecretBuffer): void;

/** The methods of a logger that {@link toPino} calls. */
export interface AuditLogger {
  /** Writes an event with the outcome `ok`. */
  info(record: AuditRecord, text: string): void;
  /** Writes an event with the outcome `denied`. */
  warn(record: AuditRecord, text: string): void;
  /** Writes an event with the outcome `error`. */
  error(record: AuditRecord, text: string): void;
}

/** The record of an event, as a logger gets it. */
export interface AuditRecord {
  /** A copy of the event, which the logger may change. */
  audit: AuditEvent;
}

/**
 * Has a logger of pino write every event from now on: `ok` with `info`, `denied` with `warn`,
 * `error` with `error`. The event is in the member `audit` of the record, beside pino's own `time`
 * and `level`; its name is the message. Any object with these methods can be the logger.
 *
 * Returns the function that ends it. Call it in each thread whose events you want.
 *
 * Errors: `ERR_INVALID_ARG_TYPE`.
 *
 * @example
 * ```ts
 * import pino from 'pino';
 * import { record, toPino } from '@nodesec/native/audit';
 *
 * const write = (line: string) => {
 *   const { level, msg, audit } = JSON.parse(line);
 *   console.log(level, msg, audit.action); // 30 app.recorded invoice.read
 * };
 * const stop = toPino(pino({ level: 'info' }, { write }));
 * record('invoice.read');
 * stop();
 * ```
 */
export function toPino(logger: AuditLogger): () => void;

/**
 * Calls `fn` with a correlation id, and returns its result: all events of `fn`, and of the work
 * that it starts, have this `correlationId`. The middleware `auditContext` and the plugin `audit`
 * do so for requests; use it for jobs and messages. The id is 1 to 64 letters, digits and
 * characters of `._:+/=@-`.
 *
 * Errors: `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, `ERR_OUT_OF_RANGE`.
 *
 * @example
 * ```ts
 * import { subscribe } from 'node:diagnostics_channel';
 * import { setTimeout } from 'node:timers/promises';
 * import { record, withCorrelation, type AppRecorded } from '@nodesec/native/audit';
 *
 * subscribe('nodesec:app.recorded', (message) => {
 *   const { action, correlationId } = message as AppRecorded;
 *   console.log(action, correlationId); // invoice.sent job:4711
 * });
 * await withCorrelation('job:4711', async () => {
 *   await setTimeout(1);
 *   record('invoice.sent');
 * });
 * ```
 */
export function withCorrelation<T>(id: string, fn: () => T): T;

/**
 * Gives the correlation id of the request or job in which it is called, undefined outside of any.
 * Send it on as `X-Request-Id` to the services that you call.
 */
export function correlationId(): string | undefined;
