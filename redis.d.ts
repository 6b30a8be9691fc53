// The manual of @nodesec/native/redis: limits, revocations, key rings, sessions and replay caches
// that machines share over Redis 6.2 or later, or Valkey. docs/redis.md is a guide.
//
// - Options are checked at construction: `ERR_UNKNOWN_OPTION`, `ERR_MISSING_OPTION`,
//   `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, `ERR_OUT_OF_RANGE`.
// - The client is yours: connect it and close it. This package opens no connection to limit.
//   A list of revocations opens two connections of its own, with the settings of the client, and a
//   key ring one.

/// <reference types="node" />

import type {
  ClockOptions,
  Duration,
  KeyRing,
  KeyRingOptions,
  RateLimitResult,
  RateLimits,
  RevocationList,
  SecretBuffer,
  Sessions,
  SessionsOptions,
} from './index.js';

/** The parts of a client of ioredis 5 and 6 or iovalkey, or of their `Cluster`, that are used. */
export interface IoRedisClient {
  /** Sends a command and resolves to the reply, with Buffers for texts. */
  callBuffer(command: string, ...args: any[]): Promise<any>;
  /** Makes a client with the same settings, for a connection of a list or a ring. */
  duplicate(...args: any[]): any;
  /** Adds a listener of an event of the client. */
  on(event: string, listener: (...args: any[]) => void): any;
}

/** The parts of a client of node-redis 5 and 6 (the package redis), or of its cluster. */
export interface NodeRedisClient {
  /** Sends a command and resolves to the reply. */
  sendCommand(...args: any[]): Promise<any>;
  /** Tells the client from others. It is not called. */
  withTypeMapping(...args: any[]): any;
  /** Makes a client with the same settings, for a connection of a list or a ring. */
  duplicate(...args: any[]): any;
  /** Adds a listener of an event of the client. */
  on(event: string, listener: (...args: any[]) => void): any;
}

/** Any other client. */
export interface RedisSender {
  /**
   * Sends a command and resolves to the reply of the server; rejects with an error whose message is
   * the server's, such as `NOSCRIPT …`. `route.key` is the key by which a cluster finds the node.
   * The reply's texts may be strings or, for bytes that are no text, Buffers. Do not send a command
   * again after an error: it may have been executed.
   */
  send(args: (string | Buffer)[], route?: { key: string | Buffer }): Promise<unknown>;
}

/**
 * A client of the application. A client whose settings send a command again, or long after its
 * caller has gone on, charges twice: the first object that uses it then emits the warning
 * `NODESEC_REDIS_CLIENT`, which names the settings.
 */
export type RedisClient = IoRedisClient | NodeRedisClient | RedisSender;

/** The options of {@link RedisRateLimiter}. */
export type RedisRateLimiterOptions = RateLimits &
  ClockOptions & {
    /** The client. */
    client: RedisClient;
    /**
     * The beginning of the names of all keys, 1 to 200 bytes without braces. Default:
     * `'nodesec:limits'`. Limiters with the same prefix and the same names of limits count
     * together, in every process; in one process they must have the same numbers
     * (`ERR_INVALID_ARG_VALUE`). Give each purpose its own.
     */
    prefix?: string;
    /** The longest time that a call waits for the server, 1 to 60,000 ms. Default: 100. */
    deadlineMs?: number;
    /**
     * The decision while the server does not answer in time or answers with an error. `'local'`: by
     * limits of this process, of which each is the limit divided by `instances`. `'allow'`,
     * `'deny'`: always so. Default: `'local'`.
     */
    onStoreError?: 'local' | 'allow' | 'deny';
    /**
     * The number of processes that share the limits, 1 to 100,000. Default: 1, with which each
     * process allows the whole limit while the server does not answer.
     */
    instances?: number;
    /**
     * The number of denied keys that this process remembers until their time is over, 0 to
     * 1,000,000; each takes some 300 bytes. Default: 10,000. Their calls do not reach the server,
     * so that units which another process gives back come late.
     */
    denyCache?: number;
  };

/** The result of {@link RedisRateLimiter.consume}. */
export interface RedisRateLimitResult extends RateLimitResult {
  /** Whether this was decided without the server, by `onStoreError`. */
  degraded: boolean;
}

/** The state of a limiter. */
export interface RedisRateLimiterStatus {
  /**
   * Whether `onStoreError` decides calls, because the server has not answered the last one, or a
   * node of a cluster the last one of its keys.
   */
  degraded: boolean;
  /**
   * Why: `deadline`, `connection`, or the first word of the server's error, such as `OOM`,
   * `NOAUTH`, `READONLY` or `LOADING`.
   */
  reason: string | undefined;
  /** The denied keys that this process remembers. */
  denials: number;
}

/**
 * The limits of `RateLimiter` (GCRA, to the nanosecond) for all machines that use one server. A
 * call is one round trip: a script decides all limits by the clock of the server, and takes the
 * cost of all of them or nothing. A key of Redis holds the state of one key, and expires with it;
 * its name has a hash of the key and never the key.
 *
 * Keys, costs and results are those of `RateLimiter`, and wrong arguments reject with the same
 * errors. Nothing else rejects: if the server does not answer within `deadlineMs`, `onStoreError`
 * decides. A call without an answer may have been taken on the server; it is never sent again.
 * After 5 failures in a row no call waits any more, and one small script every 250 ms, while there
 * are calls, finds out when the server is back. In a cluster this holds for each node and its keys.
 * The audit events `limit.degraded` and `limit.recovered` report both changes.
 *
 * @example
 * ```ts
 * import { Redis } from 'ioredis';
 * import { RedisRateLimiter } from '@nodesec/native/redis';
 *
 * const client = new Redis({
 *   port: 1, // 6379: nothing runs here
 *   lazyConnect: true,
 *   autoResendUnfulfilledCommands: false,
 *   enableOfflineQueue: false,
 *   maxRetriesPerRequest: 0,
 * });
 * client.on('error', () => {}); // your log
 * const api = new RedisRateLimiter({ client, limit: 100, windowMs: 60_000, instances: 4 });
 * const { allowed, remaining, degraded } = await api.consume('customer:17');
 * console.log(allowed, remaining, degraded); // true 24 true
 * client.disconnect();
 * ```
 */
export class RedisRateLimiter {
  constructor(options: RedisRateLimiterOptions);
  /** Takes the cost (default 1) if it is there, and tells whether it was. */
  check(key: string | Uint8Array, cost?: number): Promise<boolean>;
  /** Takes the cost (default 1) if it is there, and gives the numbers to tell the client. */
  consume(key: string | Uint8Array, cost?: number): Promise<RedisRateLimitResult>;
  /** Gives the result that a cost (default 1) would have, and takes nothing. */
  peek(key: string | Uint8Array, cost?: number): Promise<RedisRateLimitResult>;
  /** Gives the key its full burst, but does not unblock it. Tells whether that changed anything. */
  reset(key: string | Uint8Array): Promise<boolean>;
  /**
   * Gives back a cost (default 1) of every limit. This and the following calls tell whether the
   * server has confirmed it. If not, they have changed the limits of `onStoreError: 'local'` only.
   */
  refund(key: string | Uint8Array, cost?: number): Promise<boolean>;
  /** Takes a cost of every limit, even if it is not there; at most one window more. */
  penalize(key: string | Uint8Array, cost: number): Promise<boolean>;
  /** Refuses the key for a time, from 1 ms to 366 days, in place of an earlier block. */
  block(key: string | Uint8Array, ms: number): Promise<boolean>;
  /** Ends the block of the key. Its used units stay used. */
  unblock(key: string | Uint8Array): Promise<boolean>;
  /**
   * Changes the numbers of the limits for the calls of this object; change them in every process.
   * The names stay the same, else `ERR_INVALID_ARG_VALUE`. No key is forgotten, and none waits for
   * longer than its new burst and a window.
   */
  setLimits(limits: RateLimits): void;
  /** Reads the state. */
  status(): RedisRateLimiterStatus;
}

/** The options of {@link RedisRevocations.open}. */
export interface RedisRevocationsOptions {
  /**
   * The client. This package opens and closes two connections with its settings: one follows, the
   * other publishes. Set a database in the options of the client, not by `SELECT`. With `send`
   * there is no connection of its own: the client publishes, and asks every 50 ms.
   */
  client: RedisClient;
  /** A list in memory, without entries. `RevocationList.shared` serves all threads of a process. */
  list: RevocationList;
  /**
   * The longest time for which verifiers go on without an answer of the server, 1 second to 1 day.
   * After that they refuse every token with `ERR_REVOCATION_STALE`. The server is asked at least
   * four times in it.
   */
  maxStaleness: Duration;
  /**
   * A key that all processes have, 32 bytes or more, which may be disposed of afterwards. With it
   * the server learns no id, not even by guessing, and cannot revoke: processes ignore revocations
   * that were not made with the key. Without it, the keys of fingerprints are on the server, and
   * everyone that can write there can revoke.
   */
  key?: SecretBuffer;
  /** `'allow'`: verifiers go on with the last known revocations. Default: `'deny'`. */
  onStoreError?: 'deny' | 'allow';
  /**
   * The number of replicas that must have a revocation before its promise resolves, 0 to 100.
   * Default: 0. Not for `Cluster` of ioredis.
   */
  waitReplicas?: number;
  /**
   * The name on the server, 1 to 200 bytes without braces. Default: `'nodesec:revocations'`. Lists
   * with the same name are one list.
   */
  prefix?: string;
}

/** The state of a {@link RedisRevocations}. */
export interface RedisRevocationsStatus {
  /**
   * `following`: the list has every revocation, as of `lastAnswer`. `interrupted`: the server does
   * not answer, and verifiers go on. `stale`: it has not answered for `maxStaleness`. `closed`:
   * `close()` was called.
   */
  state: 'following' | 'interrupted' | 'stale' | 'closed';
  /** Why it is not `following`: see the event `revocation.lost`. */
  reason: string | undefined;
  /** The moment as of which the list has every revocation. */
  lastAnswer: Date;
  /** The revocations that came from other processes. */
  received: number;
  /** The revocations that the server has got from this process, again or for the first time. */
  published: number;
  /** The revocations whose promises wait for the server. */
  waiting: number;
  /** The revocations that this process publishes again, because the server may lack them. */
  unconfirmed: number;
  /** The revocations that were read and not taken: see the event `revocation.ignored`. */
  ignored: { forged: number; foreign: number; newer: number };
  /** The server's `maxmemory-policy`, if it tells. */
  evictionPolicy: string | undefined;
}

/**
 * A revocation list that machines share. A stream on the server has every revocation, and each
 * process follows it into its own list, so that verification asks no server.
 *
 * A revocation is refused in this process at once, and its promise resolves when the server has it.
 * If the server does not confirm it, the promise rejects with `ERR_REVOCATION_STORE`: this process
 * still refuses the token, and publishes the revocation again when the server answers. The
 * `Sync` forms throw `ERR_REVOCATION_SYNC`. The calls of `Sessions` in memory revoke here at once,
 * and do not wait for the server.
 *
 * If the server loses revocations, by a failover or a restart, each process that has them publishes
 * them again.
 *
 * @example
 * ```ts
 * import { createClient } from 'redis';
 * import { RevocationList, SecretBuffer } from '@nodesec/native';
 * import { RedisRevocations } from '@nodesec/native/redis';
 *
 * const client = createClient({ disableOfflineQueue: true, socket: { reconnectStrategy: false } });
 * const list = new RevocationList();
 * const key = SecretBuffer.random(32); // in a service: SecretBuffer.fromFile, the same everywhere
 * const opening = RedisRevocations.open({ client, list, key, maxStaleness: '1s' });
 * const { code } = await opening.catch((error) => error); // no server is running here
 * console.log(code); // ERR_REVOCATION_STORE
 * ```
 */
export class RedisRevocations {
  private constructor();
  /**
   * Puts a list on the server and reads all of it. From the call on, also if it fails, verifiers
   * with the list refuse every token until all was read (`ERR_REVOCATION_STALE`). Rejects with
   * `ERR_REVOCATION_STORE` if the server cannot be read within `maxStaleness`, or is a replica; it
   * can be called again, without `key` only for a list without entries.
   *
   * `ERR_INVALID_ARG_VALUE` if the list is on a store, is on a server already, or has entries.
   */
  static open(options: RedisRevocationsOptions): Promise<RedisRevocations>;
  /** Reads the state. */
  status(): RedisRevocationsStatus;
  /**
   * Waits for the revocations in progress, for 1 second at most, and ends following:
   * those without an answer reject with `ERR_REVOCATION_STORE`. Verifiers with the list refuse
   * after `maxStaleness`: close after the last request.
   */
  close(): Promise<void>;
}

/** The options of {@link RedisKeyRing.open}. */
export interface RedisKeyRingOptions extends Omit<KeyRingOptions, 'keys'> {
  /**
   * The client. This package opens and closes one connection with its settings. Set a database in
   * the options of the client, not by `SELECT`. With `send` there is no connection of its own.
   */
  client: RedisClient;
  /**
   * The key that seals the ring, 32 bytes or more, the same on every machine. It may be disposed of
   * afterwards. The server has the sealed ring only.
   */
  key: SecretBuffer;
  /**
   * The name on the server, 1 to 200 bytes without braces. Default: `'nodesec:keyring'`. Rings with
   * the same name are one ring.
   */
  prefix?: string;
}

/** The state of a {@link RedisKeyRing}. */
export interface RedisKeyRingStatus {
  /**
   * `following`: the ring is that of the server, as of `lastAnswer`. `interrupted`: the server does
   * not answer, or answers something wrong. `closed`: `close()` was called.
   */
  state: 'following' | 'interrupted' | 'closed';
  /** Why it is not `following`: see the event `keyring.lost`. */
  reason: string | undefined;
  /** The last moment at which the server had the version of this process. */
  lastAnswer: Date;
  /** The number of changes of the ring so far. */
  version: number;
}

/**
 * A key ring that machines share. The server has it sealed in one key. A change is a
 * compare-and-swap of the whole ring; each process polls the server once a second, so that signing
 * and verifying do not ask it.
 *
 * @example
 * ```ts
 * import { createClient } from 'redis';
 * import { SecretBuffer } from '@nodesec/native';
 * import { RedisKeyRing } from '@nodesec/native/redis';
 *
 * const client = createClient({ disableOfflineQueue: true, socket: { reconnectStrategy: false } });
 * const key = SecretBuffer.random(32); // in a service: SecretBuffer.fromFile, the same everywhere
 * const opening = RedisKeyRing.open({ client, key, alg: 'ES256', rotateEvery: '30d' });
 * const { code } = await opening.catch((error) => error); // no server is running here
 * console.log(code); // ERR_KEYRING_STORE
 * ```
 */
export interface RedisKeyRing extends KeyRing {
  /** Reads the state. */
  status(): RedisKeyRingStatus;
  /**
   * Ends the ring: waits for the attempt in progress, closes the connection and forgets the
   * keys. Changes that wait for their turn reject with `ERR_KEYRING_STORE`. Issuers and verifiers
   * with the ring then fail: close after the last request.
   */
  close(): Promise<void>;
}

/** Opens key rings that machines share. */
export const RedisKeyRing: {
  /**
   * Opens the ring of a server. The first process makes it, with a key that signs and the next.
   * An option that is given must be the ring's, else `ERR_INVALID_ARG_VALUE`; one that is left out
   * is the ring's. `alg`, `maxTokenTtl` and `jwksMaxAge` are fixed; `configure` of the ring changes
   * `rotateEvery` for all.
   *
   * On the ring, `addAsync`, `revokeAsync`, `rotate` and `configure` resolve when the server has
   * the change, and the other processes have it after their next poll, which is each second.
   * `rotate` makes one key if several processes call it at once. A change that the server does not
   * confirm within 5 seconds of the call rejects with `ERR_KEYRING_STORE`: it may still be carried
   * out, and then once. `add`, `revoke` and `tick` throw `ERR_KEYRING_SYNC`.
   *
   * In an outage the present keys sign and verify. With `rotateEvery`, signing ends 5 minutes after
   * the active key was to be replaced, with `ERR_KEYRING_STORE`. If the server loses a version,
   * each process that has it writes it again, merged with what others have changed meanwhile.
   *
   * Errors: `ERR_KEYRING_STORE` if the server does not answer within 5 seconds or is a replica;
   * `ERR_SECRET_SEAL` if it has something that does not open with this `key` as this ring;
   * `ERR_OUT_OF_RANGE` if the options of a new ring do not fit together.
   */
  open(options: RedisKeyRingOptions): Promise<RedisKeyRing>;
  /** The prototype of the rings, for `instanceof`. */
  readonly prototype: RedisKeyRing;
};

/** The options of {@link RedisSessions}. */
export interface RedisSessionsOptions
  extends Omit<SessionsOptions, 'store' | 'maxSessions' | 'maxSessionsPerSubject'> {
  /** The client. */
  client: RedisClient;
  /**
   * The key of all processes, 32 bytes or more. The keys of refresh tokens, of the names of
   * subjects and of what is encrypted are derived from it. The buffer may be disposed of
   * afterwards. With another key, all sessions are unknown.
   */
  key: SecretBuffer;
  /**
   * The beginning of the names of all keys, 1 to 200 bytes without braces. Default:
   * `'nodesec:sessions'`.
   */
  prefix?: string;
  /** The longest time that a call waits for the server, 1 to 60,000 ms. Default: 1000. */
  deadlineMs?: number;
  /** The most sessions of one subject: 1 to 1000. Default: 100. */
  maxSessionsPerSubject?: number;
}

/**
 * Sessions for all machines that use one server, with the calls and the rules of `Sessions`.
 * Give every process the same `key`, the same `prefix` and the same limits, and open `revocations`
 * with {@link RedisRevocations}, so that every verifier refuses the access tokens of sessions that
 * have ended.
 *
 * A call waits for one script on the server; `refresh` with a function for `claims` waits for two.
 * A call that ends a session also waits for the revocation of its access tokens. Sessions expire by
 * the clock of the server. The server has hashes of subjects under `key`, and encrypted subjects,
 * claims and meta data; it has no token.
 *
 * If the server does not answer within `deadlineMs`, or refuses the call, the call rejects with
 * `ERR_SESSION_STORE`. It may have been done: repeat it, a refresh with the same token, which gives
 * the same successor within `grace`. A `start` without an answer may leave a session that nobody
 * has a token of. After a failover, a token that is later than its session is exchanged like the
 * current one; a session that the server has lost is `unknown`.
 *
 * Differences from `Sessions`: no `store` and no `maxSessions`; the id of a session is a UUID
 * of version 8, whose last 62 bits all sessions of a subject have in common.
 *
 * @example
 * ```ts
 * import { Redis } from 'ioredis';
 * import { JwtIssuer, JwtKey, RevocationList, SecretBuffer } from '@nodesec/native';
 * import { RedisSessions } from '@nodesec/native/redis';
 *
 * const client = new Redis({
 *   port: 1, // 6379: nothing runs here
 *   lazyConnect: true,
 *   autoResendUnfulfilledCommands: false,
 *   enableOfflineQueue: false,
 *   maxRetriesPerRequest: 0,
 * });
 * client.on('error', () => {}); // your log
 * const issuer = new JwtIssuer({ keys: await JwtKey.generate('ES256'), expiresIn: '10m' });
 * const revocations = new RevocationList(); // in a service: opened by RedisRevocations.open
 * const key = SecretBuffer.random(32); // in a service: SecretBuffer.fromFile('…')
 * const sessions = new RedisSessions({ client, key, issuer, revocations });
 * const { code } = await sessions.start('alice', { role: 'admin' }).catch((error) => error);
 * console.log(code); // ERR_SESSION_STORE
 * client.disconnect();
 * ```
 */
export class RedisSessions extends Sessions {
  constructor(options: RedisSessionsOptions);
}

/** The options of {@link RedisDpopReplayCache}. */
export interface RedisDpopReplayCacheOptions {
  /** The client. */
  client: RedisClient;
  /**
   * The key of all processes, 32 bytes or more. The keys of fingerprints and nonces are derived
   * from it. The buffer may be disposed of afterwards. A process with another key than that of the
   * server refuses every proof, with the reason `KEY`: to replace it, give all a new `prefix`.
   */
  key: SecretBuffer;
  /**
   * The beginning of all names, 1 to 200 bytes without braces. Default: `'nodesec:dpop'`. Caches
   * with the same prefix are one cache.
   */
  prefix?: string;
  /** The longest time that a request waits for the server, 1 to 60,000 ms. Default: 1000. */
  deadlineMs?: number;
}

/** The state of a {@link RedisDpopReplayCache}. */
export interface RedisDpopReplayCacheStatus {
  /** Whether the server has answered the last call; true before the first. */
  available: boolean;
  /** Why not: `deadline`, `connection`, or the first word of the error of the server. */
  reason: string | undefined;
  /** The server's `maxmemory-policy`, once a proof was remembered, and if the server tells. */
  evictionPolicy: string | undefined;
}

/**
 * The cache of used DPoP proofs (RFC 9449) for all machines that use one server, for the option
 * `replay` of `dpop` and of `DpopProofs`. A proof that is right in everything else takes one
 * script, which remembers it by a keyed fingerprint of its key and `jti`, and judges its age also
 * by the clock of the server. Of all requests with one proof, exactly one is let in. With
 * `nonce: true`, every machine takes the nonces of the others.
 *
 * If the server does not answer within `deadlineMs` or answers with an error, the request is
 * refused (`ERR_DPOP_STORE`, 503), and the proof may count as used. After five failures in a row
 * no request waits, except one every 250 ms. The audit events `dpop.unavailable` and
 * `dpop.available` tell both.
 *
 * Proofs from before the server began are refused (401), because it may have forgotten some: it
 * begins with the first middleware, and after a restart, a failover and the loss of its data. A
 * server that evicts names forgets proofs without notice: see the event `dpop.evictable`.
 *
 * @example
 * ```ts
 * import { createClient } from 'redis';
 * import { SecretBuffer } from '@nodesec/native';
 * import { RedisDpopReplayCache } from '@nodesec/native/redis';
 *
 * const client = createClient({ disableOfflineQueue: true, socket: { reconnectStrategy: false } });
 * const key = SecretBuffer.random(32); // in a service: SecretBuffer.fromFile, the same everywhere
 * const replay = new RedisDpopReplayCache({ client, key });
 * console.log(replay.status().available); // true
 * // authenticate({ verifier, dpop: { replay } })
 * ```
 */
export class RedisDpopReplayCache {
  constructor(options: RedisDpopReplayCacheOptions);
  /** Reads the state. */
  status(): RedisDpopReplayCacheStatus;
}
