// The manual of @nodesec/native/redis: limits that machines share over Redis 6.2 or later, or
// Valkey. docs/redis.md is a guide.
//
// - Options are checked at construction: `ERR_UNKNOWN_OPTION`, `ERR_MISSING_OPTION`,
//   `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, `ERR_OUT_OF_RANGE`.
// - The client is yours: connect it and close it. This package opens no connection to limit.

/// <reference types="node" />

import type { ClockOptions, RateLimitResult, RateLimits } from './index.js';

/** The parts of a client of ioredis 5 and 6 or iovalkey, or of their `Cluster`, that are used. */
export interface IoRedisClient {
  callBuffer(command: string, ...args: any[]): Promise<any>;
  duplicate(...args: any[]): any;
  on(event: string, listener: (...args: any[]) => void): any;
}

/** The parts of a client of node-redis 5 and 6 (the package redis), or of its cluster. */
export interface NodeRedisClient {
  sendCommand(...args: any[]): Promise<any>;
  withTypeMapping(...args: any[]): any;
  duplicate(...args: any[]): any;
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
  /** Whether the last answer is missing: calls are decided by `onStoreError`. */
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
 * are calls, finds out when the server is back. The audit events `limit.degraded` and
 * `limit.recovered` tell both.
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
 *   maxRetriesPerRequest: 1,
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
