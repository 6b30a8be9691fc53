// The manual of @nodesec/native: every export with its options, units, limits and error codes.
//
// Sections, in the order in which a service needs them:
//
//   Passwords         hash, verify, PasswordHasher, passwordPool, calibrate, deriveKey
//   Keys and tokens   JwtKey, KeyRing, JwtIssuer, JwtVerifier, JwtVerifiers, RemoteJwks, signJws,
//                     verifyJws, unsafeDecode
//   Revocation        RevocationList
//   Store             Store
//   Sessions          Sessions
//   Proofs (DPoP)     DpopReplayCache, createDpopProof
//   Rate limits       RateLimiter, LoginThrottle, ConcurrencyLimiter, ipKey
//   Secrets           SecretBuffer, secureHeap, timingSafeEqual
//   SPIFFE            parseSpiffeId, spiffeIdOf
//   Ids               uuidv4, uuidv7, randomToken
//   Errors            NodesecError and its classes, the unions of codes
//
// Guides: README.md (an overview and a list of all guides), docs/migrating.md (from argon2, bcrypt,
// jsonwebtoken, jose, fast-jwt and limiters), docs/strictness.md (inputs that this module refuses
// and others accept), docs/errors.md (each code with its remedy and HTTP status), SECURITY.md
// (threats, measures, limits).
//
// Conventions:
//
// - Units: a name that ends in `Ms` is in milliseconds, `memoryCost` is in KiB, `modulusLength` is
//   in bits, every other size is in bytes. A `Duration` is in seconds or has a unit; a `Moment` is
//   a Date or seconds since 1970.
// - Lengths of text are counted in bytes of UTF-8. 1 KiB is 1024 bytes.
// - A wrong argument throws an `ArgumentError` before anything is done: a wrong type
//   (`ERR_INVALID_ARG_TYPE`), a wrong value (`ERR_INVALID_ARG_VALUE`, `ERR_OUT_OF_RANGE`), a
//   missing option (`ERR_MISSING_OPTION`) or a misspelt one (`ERR_UNKNOWN_OPTION`).
// - A function that returns a promise never throws synchronously: its errors are rejections.
// - An object of options is a plain object, of which only own properties count.

/// <reference types="node" />

import type { KeyObject, X509Certificate, webcrypto } from 'node:crypto';

/** Whole seconds, or a whole number with a unit: `'90s'`, `'15m'`, `'12h'`, `'30d'`, `'2w'`. */
export type Duration = number | string;

/** A Date, or seconds since 1970. A number above 1e11 is refused: it was meant in milliseconds. */
export type Moment = Date | number;

/** Text, which must be well-formed and counts as UTF-8; bytes; or a {@link SecretBuffer}. */
export type Bytes = string | Uint8Array | SecretBuffer;

// ── Passwords (Argon2, RFC 9106) ────────────────────────────────────────────────────────────
//
// `hash`, `verify` and `needsRehash` have the signatures of npm `argon2`. A service uses one
// `PasswordHasher` instead: it holds the policy, the peppers and the older schemes.

/** For {@link CostOptions.type}: Argon2d. */
export const argon2d: 0;
/** For {@link CostOptions.type}: Argon2i. */
export const argon2i: 1;
/** For {@link CostOptions.type}: Argon2id, the default. */
export const argon2id: 2;

/** The costs of a hash. An option that is left out has the value of `profile`. */
export interface CostOptions {
  /** The variant. Default: argon2id. */
  type?: 0 | 1 | 2 | 'argon2d' | 'argon2i' | 'argon2id';
  /**
   * The defaults of the costs. Default: `rfc9106-low`.
   *
   * | profile | memoryCost | timeCost | parallelism |
   * |---|---|---|---|
   * | `rfc9106-low` | 65536 KiB (64 MiB) | 3 | 4 |
   * | `rfc9106-high` | 2097152 KiB (2 GiB) | 1 | 4 |
   * | `owasp` | 19456 KiB (19 MiB) | 2 | 1 |
   * | `test` | 64 KiB | 1 | 1 |
   *
   * With `test`, every function that reads the costs throws `ERR_PASSWORD_PROFILE` if `NODE_ENV` is
   * `production`; `verify` does not read them.
   */
  profile?: 'rfc9106-low' | 'rfc9106-high' | 'owasp' | 'test';
  /**
   * Memory in KiB: at least 8 × parallelism, at most 4194304 (4 GiB). Above 1048576 (1 GiB), as
   * with `rfc9106-high`, {@link verify} needs `limits.memoryCost`.
   */
  memoryCost?: number;
  /**
   * Passes: 1 to 65536. Above 64, {@link verify} needs `limits.timeCost`; if memory times passes is
   * above 8 GiB, it needs `limits.work`.
   */
  timeCost?: number;
  /**
   * Lanes: 1 to 255. Above 64, {@link verify} needs `limits.parallelism`.
   */
  parallelism?: number;
  /** Length of the tag: 4 to 1024 bytes. Default: 32. */
  hashLength?: number;
  /** Length of the random salt: 8 to 1024 bytes. Default: 16. */
  saltLength?: number;
  /** The version of Argon2. Default: 0x13. */
  version?: 0x10 | 0x13;
}

/** The options of {@link hash}. */
export interface HashOptions extends CostOptions {
  /** A salt of 8 to 1024 bytes in place of a random one. Never use a salt twice. */
  salt?: Uint8Array;
  /** A pepper (the secret value K of RFC 9106): 1 to 4096 bytes. The digest does not contain it. */
  secret?: Uint8Array | SecretBuffer;
  /** Associated data, at most 1024 bytes. The tag depends on it, and the digest contains it. */
  associatedData?: Uint8Array;
  /** Gives the bare tag in place of a PHC string. Default: false. */
  raw?: boolean;
  /** Cancels the hash (see {@link passwordPool}). {@link hashSync} does not accept it. */
  signal?: AbortSignal;
}

/**
 * The options of {@link verify}. The options of {@link hash} may be passed as well; apart from
 * `secret` and `signal` they are ignored, because the digest states its own costs.
 */
export interface VerifyOptions extends Omit<HashOptions, 'secret'> {
  /** The pepper with which the digest was made: 1 to 4096 bytes. */
  secret?: Uint8Array | SecretBuffer;
  /**
   * The highest costs that a digest may ask for. Default: `memoryCost` 1048576 KiB (1 GiB),
   * `timeCost` 64, `parallelism` 64, and `work`, which is memory in KiB times passes, 8388608
   * (8 GiB). A digest that asks for more is refused with `ERR_PASSWORD_LIMIT` before memory is
   * allocated.
   */
  limits?: { memoryCost?: number; timeCost?: number; parallelism?: number; work?: number };
  /** Cancels the verification (see {@link passwordPool}). {@link verifySync} does not accept it. */
  signal?: AbortSignal;
}

/** The options of a synchronous function: there is no `signal`, because its caller waits. */
export type SyncOptions<T> = Omit<T, 'signal'>;

/** The parts of an Argon2 digest. */
export interface HashInfo {
  /** The variant. */
  type: 'argon2d' | 'argon2i' | 'argon2id';
  /** The version of Argon2. */
  version: 0x10 | 0x13;
  /** Memory in KiB. */
  memoryCost: number;
  /** Passes. */
  timeCost: number;
  /** Lanes. */
  parallelism: number;
  /** The salt. */
  salt: Buffer;
  /** The tag. */
  hash: Buffer;
  /** The id of the pepper, 1 to 8 bytes; absent if the digest names none. */
  keyid?: Buffer;
  /** The associated data; absent if there is none. */
  associatedData?: Buffer;
}

/**
 * Hashes a password of at most 4096 bytes with Argon2. The empty password is allowed. A password of
 * more than 4096 bytes is `ERR_OUT_OF_RANGE`, here and in {@link verify}.
 *
 * The work runs on the module's own threads ({@link passwordPool}), not on libuv's. While cores are
 * idle, the lanes of one hash run in parallel; the tag is the same.
 *
 * Errors: `ERR_PASSWORD_BUSY` if the queue is full, `ERR_PASSWORD_MEMORY` if the hash needs more
 * than the pool's `maxMemory`, `ERR_PASSWORD_THREADS` if the system gives no thread,
 * `ERR_PASSWORD_PROFILE`, and `ABORT_ERR` from `signal`.
 *
 * @returns a PHC string, `$argon2id$v=19$m=65536,t=3,p=4$salt$hash`, or with `raw` the tag
 *
 * @example
 * ```ts
 * import { hash, verify } from '@nodesec/native';
 *
 * const digest = await hash('correct horse battery staple', { profile: 'owasp' });
 * console.log(digest); // $argon2id$v=19$m=19456,t=2,p=1$…
 * console.log(await verify(digest, 'correct horse battery staple')); // true
 * ```
 */
export function hash(password: Bytes, options: HashOptions & { raw: true }): Promise<Buffer>;
export function hash(password: Bytes, options?: HashOptions & { raw?: false }): Promise<string>;
export function hash(password: Bytes, options?: HashOptions): Promise<string | Buffer>;

/**
 * Hashes a password on the calling thread. Use it in scripts; in a server it blocks the event loop.
 *
 * Its memory counts towards the pool's `maxMemory`. Because the call cannot wait, it throws
 * `ERR_PASSWORD_BUSY` if the memory is not free at once. Otherwise as {@link hash}.
 *
 * @example
 * ```ts
 * import { hashSync } from '@nodesec/native';
 *
 * const digest = hashSync('a password', { profile: 'test' });
 * console.log(digest.startsWith('$argon2id$')); // true
 * ```
 */
export function hashSync(password: Bytes, options: SyncOptions<HashOptions> & { raw: true }): Buffer;
export function hashSync(
  password: Bytes,
  options?: SyncOptions<HashOptions> & { raw?: false },
): string;
export function hashSync(password: Bytes, options?: SyncOptions<HashOptions>): string | Buffer;

/**
 * Tells whether the password is the one of the digest.
 *
 * It resolves to `false` for another password, for another pepper, and for a digest of another
 * scheme such as bcrypt, after the work of a check with the default costs, or with `limits` where
 * they are lower. To verify other schemes use {@link PasswordHasherOptions.legacy}. A text is
 * malformed if it has the form of no hash, or if it begins as an Argon2 digest and is none;
 * docs/migrating.md lists the forms of hashes. The call ignores NUL bytes at the end, with which
 * libsodium fills its buffer.
 *
 * Errors: `ERR_PASSWORD_DIGEST` for a malformed digest, `ERR_PASSWORD_LIMIT` for a digest beyond
 * `limits`, and those of {@link hash}.
 *
 * @example
 * ```ts
 * import { hash, SecretBuffer, verify } from '@nodesec/native';
 *
 * const pepper = SecretBuffer.random(32);
 * const digest = await hash('a password', { secret: pepper });
 * console.log(await verify(digest, 'a password', { secret: pepper })); // true
 * console.log(await verify(digest, 'a password')); // false
 * ```
 */
export function verify(digest: string, password: Bytes, options?: VerifyOptions): Promise<boolean>;

/**
 * Verifies a password on the calling thread. It blocks and throws `ERR_PASSWORD_BUSY` as
 * {@link hashSync}, and its results are those of {@link verify}.
 *
 * @example
 * ```ts
 * import { hashSync, verifySync } from '@nodesec/native';
 *
 * const digest = hashSync('a password', { profile: 'test' });
 * console.log(verifySync(digest, 'another')); // false
 * ```
 */
export function verifySync(
  digest: string,
  password: Bytes,
  options?: SyncOptions<VerifyOptions>,
): boolean;

/** The rule by which {@link needsRehash} and {@link PasswordHasher} decide. */
export interface RehashOptions {
  /**
   * The digests that are due for a new hash. Default: `exact`.
   *
   * - `exact`: every digest that differs in type, version, a cost, hash length or salt length,
   *   weaker or stronger.
   * - `atLeast`: every digest of another type, and every digest of which the version, the memory,
   *   the passes, the lanes, the hash length or the salt length is smaller.
   *
   * Under both rules a digest of another pepper id is due.
   */
  policy?: 'exact' | 'atLeast';
}

/**
 * Tells whether a digest differs from what `options` would give now, so that it should be replaced
 * at the next login.
 *
 * It is true for every digest of another scheme, and for every digest that names a pepper, because
 * {@link hash} names none. The options of {@link hash} may be passed as they are; only the costs
 * count. `ERR_PASSWORD_DIGEST` for a malformed digest.
 *
 * @example
 * ```ts
 * import { hash, needsRehash } from '@nodesec/native';
 *
 * const digest = await hash('a password', { profile: 'owasp' });
 * console.log(needsRehash(digest, { profile: 'owasp' })); // false
 * console.log(needsRehash(digest, { profile: 'rfc9106-low' })); // true
 * ```
 */
export function needsRehash(digest: string, options?: HashOptions & RehashOptions): boolean;

/**
 * Reads the parts of an Argon2 digest. `ERR_PASSWORD_DIGEST` for a malformed digest and for one of
 * another scheme.
 *
 * @example
 * ```ts
 * import { hash, parseHash } from '@nodesec/native';
 *
 * const { type, memoryCost } = parseHash(await hash('a password', { profile: 'owasp' }));
 * console.log(type, memoryCost); // argon2id 19456
 * ```
 */
export function parseHash(digest: string): HashInfo;

/** The name of an older scheme, for {@link PasswordHasherOptions.legacy}. */
export type LegacyScheme =
  | 'bcrypt'
  | 'scrypt'
  | 'pbkdf2'
  | 'django'
  | 'werkzeug'
  | 'aspnet'
  | 'better-auth'
  | 'spring';

/** The options of {@link PasswordHasher}: the costs of new digests, peppers, older schemes. */
export interface PasswordHasherOptions extends CostOptions, RehashOptions {
  /**
   * Peppers by id: at most 64, each id 1 to 8 bytes, each pepper 16 to 4096 bytes.
   *
   * New digests use the pepper `current` and name it (`keyid` of the PHC string). A digest that
   * names another pepper is verified with that one. The hasher keeps its own copy: a `SecretBuffer`
   * may be disposed of afterwards, an array is copied into secret memory.
   */
  peppers?: { current: string; keys: Record<string, Uint8Array | SecretBuffer> };
  /**
   * The pepper for digests that name none: 1 to 4096 bytes. Without `peppers` it is the pepper of
   * all digests. With `peppers` it is the pepper of the digests from before `peppers` was
   * introduced. Default: digests that name no pepper are verified without one.
   */
  secret?: Uint8Array | SecretBuffer;
  /**
   * Older schemes to verify; the hasher never makes such hashes. Default: none, and their hashes
   * match no password.
   *
   * - `bcrypt`: `$2a$`, `$2b$`, `$2x$` and `$2y$`, for which only the first 72 bytes of the
   *   password count; passlib's `$bcrypt-sha256$`, AdonisJS's `$bcrypt$v=98$r=…$salt$hash` and, of
   *   WordPress since 6.8, `$wp$2y$`. WordPress trims the password before it hashes it.
   * - `scrypt`: `$scrypt$ln=…,r=…,p=…$salt$hash`, or with `n=…` or `N=…`, N itself; Ory Kratos
   *   writes N as `ln`, which is read from 64 on. The Base64 may be padded.
   * - `pbkdf2`: `$pbkdf2-sha256$i=…$salt$hash`, padded or not, and passlib's
   *   `$pbkdf2-sha256$…$salt$hash`, with SHA-1, SHA-256 or SHA-512.
   * - `django`: `pbkdf2_sha256$…`, `pbkdf2_sha1$…`, `argon2$…`, `scrypt$…`, `bcrypt$…` and
   *   `bcrypt_sha256$…`. `!…`, a user without a password, matches nothing.
   * - `werkzeug`: `scrypt:N:r:p$salt$hash`, `pbkdf2:sha256:…$salt$hash` and, from before version 3,
   *   `sha256$salt$hash`, with SHA-1, SHA-256 or SHA-512.
   * - `aspnet`: ASP.NET Identity, versions 2 and 3 (`AQAAAA…`).
   * - `better-auth`: `salt:hash`. The password is normalized (NFKC) before it is hashed.
   * - `spring`: Spring Security's `{bcrypt}…`, `{argon2}…`, `{scrypt}…` and `{pbkdf2}…`, with the
   *   costs of its versions before 5.8 and, as `{…@SpringSecurity_v5_8}`, from 5.8 on.
   *
   * Dovecot's `{BLF-CRYPT}…` and `{CRYPT}…` are read with `bcrypt`, its `{PBKDF2}…` with `pbkdf2`,
   * and its `{ARGON2ID}…` and `{ARGON2I}…` always.
   *
   * The hash of a scheme that is not named here matches no password, after the work of a check with
   * the policy's costs, and is due for a rehash. docs/migrating.md lists the forms of hashes; all
   * other text is `ERR_PASSWORD_DIGEST`.
   *
   * A password that Better Auth would normalize, or WordPress would trim, matches, but
   * {@link PasswordHasher.verifyAndUpdate} gives no new digest of it.
   *
   * bcrypt repeats a password with a NUL byte in between, and scrypt and PBKDF2 pad it with NUL
   * bytes, so two passwords become equal. The longer one matches nothing, after the work of its
   * check: for bcrypt a password with a NUL byte, unless the scheme hashes it before bcrypt; for
   * scrypt and PBKDF2 a password that ends with a NUL byte.
   */
  legacy?: LegacyScheme[];
  /**
   * The highest costs that a stored digest may ask for. A digest beyond them is refused with
   * `ERR_PASSWORD_LIMIT` before any work.
   */
  limits?: {
    /**
     * Memory in KiB of an Argon2 digest. Default: 1048576 (1 GiB), or the policy's own if that is
     * higher. It also limits the 128·r·(N + p + 1) bytes of scrypt (N, r and p are the parameters
     * of RFC 7914), of which one in 256 is free, so that a table of 128·r·N bytes may be as large
     * as the limit.
     */
    memoryCost?: number;
    /** Passes of an Argon2 digest. Default: 64, or the policy's own if that is higher. */
    timeCost?: number;
    /** Lanes of an Argon2 digest. Default: 64, or the policy's own if that is higher. */
    parallelism?: number;
    /**
     * Memory in KiB times passes of an Argon2 digest, to which its time is proportional: 8 to
     * 2^53 − 1. Default: 8388608 (8 GiB), or the policy's own if that is higher.
     */
    work?: number;
    /** The cost of bcrypt: 4 to 31. Default: 16. */
    bcryptCost?: number;
    /** The product N·r·p of scrypt, where N counts as at least 8: 1 to 2^29. Default: 2^24. */
    scryptWork?: number;
    /**
     * Iterations of PBKDF2, multiplied by the number of SHA blocks in the hash: 1 to 2^32 − 1.
     * Default: 10 million.
     */
    pbkdf2Iterations?: number;
  };
}

/**
 * The password policy of a service: costs, peppers, and older schemes that it still verifies.
 *
 * Its jobs run on the {@link passwordPool}, where the memory of scrypt counts as that of Argon2;
 * the errors of {@link hash} apply. A password has at most 4096 bytes; its copies in native memory
 * are wiped. `signal` cancels a job; a hash of an older scheme that already runs is not
 * interrupted. See docs/migrating.md for the way from another package.
 *
 * @example
 * ```ts
 * import { PasswordHasher, SecretBuffer } from '@nodesec/native';
 *
 * const passwords = new PasswordHasher({
 *   profile: 'owasp',
 *   peppers: { current: 'k1', keys: { k1: SecretBuffer.random(32) } },
 *   legacy: ['bcrypt'],
 * });
 *
 * const stored = '$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW';
 * const { valid, newDigest } = await passwords.verifyAndUpdate(stored, 'U*U');
 * console.log(valid, newDigest); // true $argon2id$v=19$m=19456,t=2,p=1,keyid=azE$…
 * ```
 */
export class PasswordHasher {
  /**
   * Checks the policy.
   *
   * Errors: `ERR_OUT_OF_RANGE`, `ERR_INVALID_ARG_VALUE` if `peppers.current` is not among the keys,
   * `ERR_PASSWORD_PROFILE`.
   */
  constructor(policy?: PasswordHasherOptions);
  /** Hashes a password under the policy and the current pepper. Resolves to a PHC string. */
  hash(password: Bytes, options?: { signal?: AbortSignal }): Promise<string>;
  /**
   * Tells whether the password is the one of the digest. It resolves to `false` for another
   * password, and for a hash of a scheme that `legacy` does not name.
   *
   * Errors: `ERR_PASSWORD_DIGEST` for a malformed digest, `ERR_PASSWORD_PEPPER` if the digest names
   * a pepper that `peppers.keys` does not hold, `ERR_PASSWORD_LIMIT` beyond `limits`.
   */
  verify(digest: string, password: Bytes, options?: { signal?: AbortSignal }): Promise<boolean>;
  /**
   * Verifies a password and, if it is right and the digest is due for replacement, gives a new
   * digest from the same job. Store `newDigest` with compare-and-swap: only if the old digest is
   * still there. `newDigest` is left out if the old scheme changes this spelling of the password
   * before it hashes it (Better Auth, WordPress): it would lock out the other spelling.
   *
   * Pass `null` or `undefined` if there is no such user. The hasher then does the work of a
   * verification under the policy and resolves to `{ valid: false }`, so that the login of an
   * unknown user takes the time of one whose digest is of the policy. It does the same for a hash
   * of a scheme that `legacy` does not name. The login of an account whose digest has another
   * scheme or other costs takes more or less time, so an attacker can see that it exists until the
   * digest has been replaced. An error of a digest (`ERR_PASSWORD_DIGEST`, `ERR_PASSWORD_LIMIT`,
   * `ERR_PASSWORD_PEPPER`) comes before any work: in a login, log it, call
   * `verifyAndUpdate(null, password)`, and answer as for a wrong password. Errors as
   * {@link PasswordHasher.verify}.
   *
   * @example
   * ```ts
   * import { PasswordHasher } from '@nodesec/native';
   *
   * const passwords = new PasswordHasher({ profile: 'owasp' });
   * console.log(await passwords.verifyAndUpdate(null, 'a password')); // { valid: false }
   * ```
   */
  verifyAndUpdate(
    digest: string | null | undefined,
    password: Bytes,
    options?: { signal?: AbortSignal },
  ): Promise<{ valid: boolean; newDigest?: string }>;
  /**
   * Tells whether a digest is due for replacement: it was made under another policy (see
   * {@link RehashOptions.policy}), with another pepper than the current one, or by another scheme.
   * `ERR_PASSWORD_DIGEST` for a malformed digest.
   */
  needsRehash(digest: string): boolean;
}

/**
 * Derives a key of `hashLength` bytes (default 32) from a password and a salt of 8 to 1024 bytes.
 * The same inputs give the same key.
 *
 * The key is written into secret memory and never enters JavaScript's heap. Errors as {@link hash}.
 *
 * @example
 * ```ts
 * import { deriveKey, randomToken } from '@nodesec/native';
 *
 * const salt = Buffer.from(randomToken(16)); // store it beside the data
 * const key = await deriveKey('a passphrase', salt, { profile: 'owasp' });
 * console.log(key); // [SecretBuffer 32 bytes]
 * ```
 */
export function deriveKey(
  password: Bytes,
  salt: Uint8Array,
  options?: Omit<HashOptions, 'raw' | 'salt' | 'saltLength'>,
): Promise<SecretBuffer>;

/** The options of {@link calibrate}. */
export interface CalibrateOptions {
  /** The time that one hash may take: 1 to 60,000 ms. */
  targetMs: number;
  /**
   * The most memory of one hash, in KiB: 7168 to 4194304 (4 GiB). Default: the pool's `maxMemory`
   * divided by its threads, but at least 19456 and at most 1048576.
   */
  memoryCost?: number;
  /** Lanes: 1 to 255. Default: 4. */
  parallelism?: number;
  /** Called after each measurement. An error that it throws ends the calibration. */
  onProgress?(measurement: Measurement): void;
  /** Cancels the calibration with an {@link AbortError}. */
  signal?: AbortSignal;
}

/** One measurement of {@link calibrate}. */
export interface Measurement {
  /** Memory in KiB. */
  memoryCost: number;
  /** Passes. */
  timeCost: number;
  /** Lanes. */
  parallelism: number;
  /** The median time of three hashes. */
  measuredMs: number;
}

/** The result of {@link calibrate}. */
export interface Calibration {
  /** The costs found, to be passed to {@link hash}. */
  options: { type: 'argon2id'; memoryCost: number; timeCost: number; parallelism: number };
  /** The time of one hash while no other runs. */
  measuredMs: number;
  /** Whether `measuredMs` is at most `targetMs`. */
  withinTarget: boolean;
  /**
   * Hashes per second with the pool fully used: as many at once as `threads` and `maxMemory` allow.
   */
  perSecond: number;
}

/**
 * Finds the strongest costs that take at most `targetMs` on this machine (RFC 9106 section 4): as
 * much memory as allowed, then as many passes as there is time for, at most 64.
 *
 * The result is never weaker than the minimum of OWASP (19456 KiB with 2 passes, or as strong with
 * less memory), even if that takes longer than `targetMs`; `withinTarget` tells. The measurements
 * run on the {@link passwordPool}, so other hashes disturb them: calibrate at deployment, not under
 * load.
 *
 * @example
 * ```ts
 * import { calibrate, PasswordHasher } from '@nodesec/native';
 *
 * const { options, withinTarget, perSecond } = await calibrate({ targetMs: 250, memoryCost: 32768 });
 * const passwords = new PasswordHasher(options);
 * console.log(options.type, options.memoryCost <= 32768); // argon2id true
 * ```
 */
export function calibrate(options: CalibrateOptions): Promise<Calibration>;

/** The options of `passwordPool.configure`. */
export interface PoolOptions {
  /** Hashes that run at the same time: 1 to 512. Default: the cores that the process may use. */
  threads?: number;
  /**
   * Argon2 memory of all running hashes together, in bytes: 8192 to 2^50. Default: a quarter of
   * the memory of the machine or the control group (cgroup), but at least 64 MiB, which is one hash
   * of the default policy.
   */
  maxMemory?: number;
  /**
   * Hashes that wait: 0 to 2^20. Default: 1024. A finished hash counts as running until its memory
   * has been wiped. With `maxQueue: 0`, a call right after a result may therefore be refused.
   */
  maxQueue?: number;
  /** The longest time that a hash waits: 1 ms to 24 hours. Default: 30,000 ms. */
  queueTimeoutMs?: number;
}

/** The result of `passwordPool.stats`. */
export interface PoolStats {
  /** Hashes that may run at the same time. */
  threads: number;
  /** Hashes that run now. */
  running: number;
  /** Hashes that wait now. */
  queued: number;
  /** Argon2 memory of the running hashes, in bytes. */
  bytes: number;
  /**
   * Wiped memory kept for the next hashes, in bytes. `bytes` + `keptBytes` is at most `maxMemory`.
   */
  keptBytes: number;
  /** The configured budget, in bytes. */
  maxMemory: number;
  /** The configured length of the queue. */
  maxQueue: number;
  /** The configured longest wait. */
  queueTimeoutMs: number;
  /** Hashes completed since the process started. */
  completed: number;
  /** Hashes refused with `ERR_PASSWORD_BUSY` since the process started. */
  rejected: number;
  /** Hashes aborted since the process started, while queued or running. */
  aborted: number;
  /**
   * The median time of the last 1000 hashes, verifications included, without their time in the
   * queue. Absent before the first.
   */
  p50Ms?: number;
  /** The 99th percentile of the same times. */
  p99Ms?: number;
}

/**
 * The pool on which passwords are hashed: one for the process and all its worker threads.
 *
 * The queue is strictly first in, first out: a hash that waits for memory is not overtaken. A hash
 * is refused with `ERR_PASSWORD_BUSY` if `maxQueue` others wait already, or once it has waited for
 * `queueTimeoutMs`; `retryAfterMs` of the error estimates when there will be room. A hash larger
 * than `maxMemory` is refused at once with `ERR_PASSWORD_MEMORY`.
 *
 * An `AbortSignal` rejects its call at once with an {@link AbortError}. A waiting hash leaves
 * the queue, and its password is wiped. A running hash stops at the next slice (a quarter of a
 * pass); its memory counts until then.
 *
 * Memory is wiped after each hash, kept for the next hash of that size, and given back after 5 idle
 * seconds. The memory of an unusually expensive digest (more than 64 MiB, and more than any policy
 * used so far in the process) is given back at once.
 *
 * @example
 * ```ts
 * import { hash, passwordPool, PasswordError } from '@nodesec/native';
 *
 * passwordPool.configure({ maxMemory: 512 * 2 ** 20, maxQueue: 200, queueTimeoutMs: 5_000 });
 * try {
 *   await hash('a password', { signal: AbortSignal.timeout(10_000) });
 * } catch (error) {
 *   if (!(error instanceof PasswordError) || error.code !== 'ERR_PASSWORD_BUSY') throw error;
 *   console.log(`503, Retry-After: ${Math.ceil((error.retryAfterMs ?? 1000) / 1000)}`);
 * }
 * console.log(passwordPool.stats().queued); // 0
 * ```
 */
export const passwordPool: {
  /**
   * Changes the bounds, at any time. An option that is left out keeps its value. Running hashes
   * continue, and waiting hashes keep their place.
   */
  configure(options: PoolOptions): void;
  /** Reads the pool's state and counters. */
  stats(): PoolStats;
};

// ── Keys and tokens (JWS RFC 7515, JWK RFC 7517, JWT RFC 7519, RFC 8725) ────────────────────
//
// A `KeyRing` holds the keys that sign and rotates them; a `JwtIssuer` signs, a `JwtVerifier`
// verifies. A service that verifies tokens of another one takes its keys from a `RemoteJwks`.

/**
 * The signature algorithms (RFC 7518 section 3, RFC 8037, RFC 9864).
 *
 * `EdDSA` and `Ed25519` are two names of one algorithm. A key signs under the name it was made for
 * and verifies both, unless a list of `algorithms` names only one.
 */
export type Algorithm =
  | 'HS256'
  | 'HS384'
  | 'HS512'
  | 'RS256'
  | 'RS384'
  | 'RS512'
  | 'PS256'
  | 'PS384'
  | 'PS512'
  | 'ES256'
  | 'ES384'
  | 'ES512'
  | 'EdDSA'
  | 'Ed25519';

/** The options with which a {@link JwtKey} is made. */
export interface KeyOptions {
  /** The one algorithm for which the key is used. */
  alg: Algorithm;
  /**
   * The key id: 1 to 256 bytes. Default: the RFC 7638 thumbprint; for HMAC a random id. Give an
   * HMAC key a `kid` if another process, or this one after a restart, must verify its tokens.
   */
  kid?: string;
}

/** The options of {@link JwtKey.fromPem} and {@link JwtKey.fromDer}. */
export interface KeyFileOptions extends KeyOptions {
  /** The passphrase of an encrypted PKCS#8 file: at most 1024 bytes. Only for such a file. */
  passphrase?: Bytes;
}

/**
 * A key, bound to one algorithm and parsed once.
 *
 * The method states the format, which is never guessed: `fromSecret` accepts no text and refuses
 * key files. `ERR_JWT_KEY` for malformed and weak keys: HMAC shorter than the output of its hash,
 * RSA below 2048 bits, with an even exponent or with the fingerprint of ROCA (CVE-2017-15361),
 * points off the curve or of small order.
 *
 * A key for RSASSA-PSS only (RFC 4055) is for the PS algorithm that its parameters allow: their
 * hashes are those of the algorithm, and their least salt is at most as long as the hash. Without
 * parameters it is for each of PS256, PS384 and PS512.
 *
 * A key prints as `[JwtKey …]` without key material. `structuredClone` and `postMessage` refuse it.
 *
 * @example
 * ```ts
 * import { JwtIssuer, JwtKey } from '@nodesec/native';
 *
 * const key = await JwtKey.generate('ES256');
 * const issuer = new JwtIssuer({ keys: key, expiresIn: '15m' });
 * console.log(issuer.sign({ sub: 'alice' }).split('.').length); // 3
 * ```
 */
export class JwtKey {
  private constructor();
  /**
   * Makes a key. `modulusLength` is for RSA: 2048, 3072 or 4096 bits, default 2048. An RSA key
   * takes up to seconds, on a thread of libuv's pool.
   */
  static generate(
    alg: Algorithm,
    options?: { kid?: string; modulusLength?: number },
  ): Promise<JwtKey>;
  /**
   * Makes an HMAC key of a secret: at least 32, 48 or 64 bytes for HS256, HS384 or HS512, at most
   * 4096 bytes. Pass `kid` if another process verifies the tokens: the default is a random id.
   *
   * `ERR_JWT_KEY` if the bytes are a key file: with a public key as the HMAC secret, anybody could
   * sign. Recognized are PEM, JWKs, keys in XML (`RSAKeyValue`), OpenSSH and PuTTY files, keys as
   * OpenSSL prints them (`-text`, `-modulus`), DER of keys and certificates with or without bytes
   * after it, PKCS#7, PKCS#12, Java key stores, uncompressed and hybrid points; and texts that
   * stand for any of these: base64 or base64url, hex as in `30:82` and `0x30, 0x82`, lists of
   * numbers as `JSON.stringify(buffer)` writes them, escapes of JSON, shells and URLs, each in
   * quotes or behind a prefix (`base64:`), up to three around one another. A bare Ed25519 key, a
   * compressed point and a modulus look like random bytes and are not recognized. A random secret,
   * in any encoding, is refused by mistake with a probability below 2^-40.
   *
   * @example
   * ```ts
   * import { JwtKey, SecretBuffer } from '@nodesec/native';
   *
   * const secret = SecretBuffer.random(32); // or .fromFile('…'), .fromEnv('…')
   * const key = JwtKey.fromSecret(secret, { alg: 'HS256', kid: '2026-11' });
   * secret.dispose(); // the key keeps its own copy
   * console.log(key.kid, key.private); // 2026-11 true
   * ```
   */
  static fromSecret(secret: Uint8Array | SecretBuffer, options: KeyOptions): JwtKey;
  /**
   * Reads one key in PEM of at most 64 KiB: PKCS#8, PKCS#1, SEC 1 or SPKI.
   *
   * The grammar is the lax one of RFC 7468 section 3: any line ends, lines of any length, white
   * space anywhere between the boundaries, text around them. Sections that are no keys, such as
   * `EC PARAMETERS` and certificates, are ignored. `ERR_JWT_KEY` if there are two keys, and for
   * headers inside the section (RFC 1421). It also says if the line ends are the two characters
   * `\n`, as in many environment files: replace these with `pem.replaceAll('\\n', '\n')`.
   *
   * With `passphrase` the file is PKCS#8 encrypted with PBES2 (RFC 8018): AES or triple DES, under
   * PBKDF2 with any hash of SHA-1 and SHA-2 and at most 2,000,000 iterations, which may take a
   * second, or under scrypt with at most 64 MiB. `ERR_JWT_KEY` for another encryption, a wrong
   * passphrase, and a passphrase for a file that is not encrypted.
   *
   * A point of a curve may be uncompressed, compressed or hybrid; the key and its `kid` are the
   * same. A private EC key may omit its curve or spell out its parameters; a public one may not
   * (RFC 5480 section 2.1.1). The number `d` of an RSA key must be below its modulus.
   *
   * @example
   * ```ts
   * import { generateKeyPairSync } from 'node:crypto';
   * import { JwtKey } from '@nodesec/native';
   *
   * const { privateKey } = generateKeyPairSync('ec', {
   *   namedCurve: 'P-256',
   *   privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
   *   publicKeyEncoding: { type: 'spki', format: 'pem' },
   * });
   * const key = JwtKey.fromPem(privateKey, { alg: 'ES256' });
   * console.log(key.alg, key.private); // ES256 true
   * ```
   */
  static fromPem(pem: Bytes, options: KeyFileOptions): JwtKey;
  /**
   * Reads the same structures as DER (X.690). No byte may follow the structure. `ERR_JWT_KEY` names
   * the call for a certificate, for PEM, and for base64.
   */
  static fromDer(der: Uint8Array | SecretBuffer, options: KeyFileOptions): JwtKey;
  /**
   * Takes the public key of one X.509 certificate (RFC 5280) of at most 64 KiB, in PEM, as DER or
   * as an `X509Certificate` of Node. Keys and text beside the certificate in a PEM are ignored; a
   * second certificate is refused. A member of `x5c` (RFC 7515 section 4.1.6) is the base64 of DER:
   * pass `Buffer.from(x5c[0], 'base64')`.
   *
   * `ERR_JWT_KEY` if this is no certificate, or if its key is not one for `alg`.
   *
   * **Nothing but the key is read.** The period of validity, the signature, the chain, the names
   * and the key usage are not checked: an expired or self-signed certificate gives its key, too.
   * The caller must have the certificate from a source that it trusts, as it must have a key.
   *
   * @example
   * ```ts
   * import { JwtKey } from '@nodesec/native';
   *
   * // `openssl req -x509 -newkey ed25519 -nodes -subj /CN=id`
   * const certificate = `-----BEGIN CERTIFICATE-----
   * MIIBOjCB7aADAgECAhRg160yUg9Y/4v84R5q4mAimmMhxjAFBgMrZXAwEjEQMA4G
   * A1UEAwwHZWQyNTUxOTAgFw0yNjExMjkwODI4MjlaGA8yMTI2MTEwNTA4MjgyOVow
   * EjEQMA4GA1UEAwwHZWQyNTUxOTAqMAUGAytlcAMhAEt7VQLcCoXIFgCcpLK8e5dk
   * q2AB5CHo28rVfPFzJr26o1MwUTAdBgNVHQ4EFgQUM4ep35fi8ameV4u4VsAqEiEd
   * LKcwHwYDVR0jBBgwFoAUM4ep35fi8ameV4u4VsAqEiEdLKcwDwYDVR0TAQH/BAUw
   * AwEB/zAFBgMrZXADQQCUm+e/iRwrd1DITPHidkrIG0gGNDkfWPsxhhgf8+adP/Do
   * GjDq9Sn2WkE5P0KyrfsMGgFKPwYo8YSolRYIMrAG
   * -----END CERTIFICATE-----`;
   * const key = JwtKey.fromCertificate(certificate, { alg: 'EdDSA', kid: '2026-11' });
   * console.log(key.kid, key.private); // 2026-11 false
   * ```
   */
  static fromCertificate(certificate: Bytes | X509Certificate, options: KeyOptions): JwtKey;
  /**
   * Reads a public, private or symmetric JWK (RFC 7517). `alg` and `kid` of the JWK are the
   * defaults of the options. Only own members of the object count.
   *
   * If the JWK has a `use`, it must be `sig`. If it has `key_ops`, they must name the purpose of
   * the key: `verify` for a public key, `sign` for a private key, both for a symmetric key. Other
   * operations may stand beside it, as Azure Key Vault lists them; none may occur twice (RFC 7517
   * section 4.3).
   *
   * Members are read as other libraries write them, here and in a JWK Set:
   *
   * - A member that is `null` or an empty text counts as missing.
   * - Numbers are read as numbers. `n` and `e`, `x` and `y` of a curve P-256, P-384 or P-521, and
   *   the private members may have leading zeros (RFC 7518 sections 6.2 and 6.3 forbid them for
   *   RSA) or lack them (the sections demand them for coordinates). The key, its thumbprint and
   *   {@link JwtKey.toPublicJwk} are the same as without the difference. `x` of Ed25519 is no
   *   number and has exactly 32 bytes (RFC 8037 section 2).
   * - Public members may be base64 of the standard alphabet or have complete padding (RFC 7515
   *   section 2 has neither). White space is refused, and so are unused bits that are not zero.
   * - `k`, the secret of a symmetric key, is bytes: zeros count, and it is base64url without
   *   padding.
   * - If a public JWK has an `issuer` that is a URL, as the keys of Microsoft's identity platform
   *   have, verifiers accept the key for tokens with exactly this `iss` only; `{tenantid}` in it
   *   stands for the token's `tid`. Other tokens are `ERR_JWT_CLAIM`. A key of Microsoft's tenant
   *   `https://login.microsoftonline.com/…/v2.0` also verifies the tenant's tokens of version 1.0,
   *   of `https://sts.windows.net/…/`; so do the keys of `login.microsoftonline.us`, and those of
   *   `login.partner.microsoftonline.cn` for `https://sts.chinacloudapi.cn/…/`. {@link verifyJws}
   *   reads no claims and compares nothing. An `issuer` that is no URL has no meaning (RFC 7517
   *   section 4).
   *
   * A fault of the JWK is `ERR_JWT_KEY`, also a bad `alg` or `kid` of the JWK and a JWK of more
   * than 64 KiB. Without any `alg` the error is `ERR_MISSING_OPTION`.
   */
  static fromJwk(jwk: object, options?: Partial<KeyOptions>): JwtKey;
  /**
   * Reads the usable public keys of a JWK Set (RFC 7517 section 5), given as an object or as JSON
   * text. The result may be empty and has at most 1000 keys.
   *
   * `ERR_JWT_KEY` for a set that is malformed, longer than 1 MiB or of more than 1000 entries, for
   * entries of which none is an object, and for text in which an object has a member twice; also if
   * the set would give more than 1000 keys.
   *
   * Keys that cannot be used are left out, and the property `ignored` of the result, which is not
   * enumerable, says which and why:
   *
   * - entries that are no object, such as `null`;
   * - keys of an unknown `kty`, `crv` or `alg`, malformed and weak keys, `oct` keys;
   * - keys with a `kid` of more than 256 bytes, and keys for another use;
   * - keys with private members, whose private half is public now, and every other entry with the
   *   same public key;
   * - both of two different keys with the same `kid` and `alg`.
   *
   * A key without `kid` gets its thumbprint. Members are read as by {@link JwtKey.fromJwk}.
   *
   * @example
   * ```ts
   * import { JwtKey, JwtVerifier } from '@nodesec/native';
   *
   * const published = (await JwtKey.generate('ES256')).toPublicJwk();
   * const keys = JwtKey.fromJwks({ keys: [published, { ...published, kid: 'e', use: 'enc' }] });
   * console.log(keys.ignored[0]?.reason); // the JWK's "use" is not "sig"
   * const verifier = new JwtVerifier({ keys, issuer: 'https://id.example', audience: 'api' });
   * console.log(keys.length); // 1
   * ```
   */
  static fromJwks(
    jwks: object | string,
    options?: JwksImportOptions,
  ): JwtKey[] & {
    /** The keys that are left out: at most 100, then one entry with the number of the others. */
    readonly ignored: IgnoredKey[];
  };
  /**
   * Takes the key of a `KeyObject`, or of a `CryptoKey` of Web Crypto.
   *
   * A `CryptoKey` keeps its restrictions. `ERR_JWT_KEY` if its algorithm, hash or curve is not that
   * of `alg`, and if its usages lack `sign` for a private key, `verify` for a public key, or one of
   * both for a secret. It need not be extractable, because `KeyObject.from` reads other keys, too;
   * from Node 24 on that emits the deprecation warning DEP0204.
   *
   * @example
   * ```ts
   * import { webcrypto } from 'node:crypto';
   * import { JwtKey } from '@nodesec/native';
   *
   * const algorithm = { name: 'ECDSA', namedCurve: 'P-256' };
   * const pair = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
   * const key = JwtKey.fromKeyObject(pair.privateKey, { alg: 'ES256' });
   * console.log(key.alg, key.private); // ES256 true
   * ```
   */
  static fromKeyObject(key: KeyObject | webcrypto.CryptoKey, options: KeyOptions): JwtKey;
  /** The key id. */
  readonly kid: string;
  /** The one algorithm for which the key is used. */
  readonly alg: Algorithm;
  /** Whether the key can sign. */
  readonly private: boolean;
  /**
   * Gives the public JWK, never with private members. `ERR_JWT_KEY` for HMAC, which has no public
   * half.
   */
  toPublicJwk(): JsonWebKeyPublic;
  /** A description without key material. */
  toString(): string;
  /** The same description. */
  toJSON(): string;
}

/** A public JWK (RFC 7517), as {@link JwtKey.toPublicJwk} gives it. */
export interface JsonWebKeyPublic {
  /** The key type. */
  kty: 'RSA' | 'EC' | 'OKP';
  /** The use: signatures. */
  use: 'sig';
  /** The algorithm. */
  alg: Algorithm;
  /** The key id. */
  kid: string;
  /** The modulus, for RSA. */
  n?: string;
  /** The public exponent, for RSA. */
  e?: string;
  /** The curve, for EC and OKP. */
  crv?: string;
  /** The x coordinate for EC, the public key for OKP. */
  x?: string;
  /** The y coordinate, for EC. */
  y?: string;
  /** The issuer whose tokens the key verifies, if it was made from a JWK that names one. */
  issuer?: string;
}

/** A key of a set that is left out: see {@link JwtKey.fromJwks} and {@link RemoteJwks.status}. */
export interface IgnoredKey {
  /** Its `kid`, if it has one of 1 to 256 bytes. */
  kid?: string;
  /** Why it is left out: a sentence of at most 200 characters, which quotes nothing of the set. */
  reason: string;
}

/** The options of {@link JwtKey.fromJwks}, and part of those of {@link RemoteJwks}. */
export interface JwksImportOptions {
  /**
   * The algorithms whose keys are taken. HMAC is not possible. Default: all others.
   *
   * A key without `alg` is for the algorithm of its curve. An RSA key without `alg` becomes one key
   * for each RSA algorithm in this list; without a list it becomes a key for RS256 or, with
   * `use: 'jwt-svid'`, one key for each RS and PS algorithm. An Ed25519 key without `alg` is for
   * `EdDSA`. With `use: 'jwt-svid'` the default is all RS, ES and PS algorithms.
   */
  algorithms?: Algorithm[];
  /**
   * The use of the keys. Default: `sig`.
   *
   * - `sig`: keys with this `use`, and keys without one.
   * - `jwt-svid` (SPIFFE): only keys with this `use` and with a `kid`. To verify JWT-SVIDs, give
   *   the bundle, or a {@link RemoteJwks} with this `use`, to {@link JwtVerifier.spiffe}; other
   *   verifiers refuse such a `RemoteJwks`. Do not give keys that {@link JwtKey.fromJwks} read with
   *   this `use` to a {@link JwtVerifier}: it would not check the trust domain.
   */
  use?: 'sig' | 'jwt-svid';
}

/** The options of {@link KeyRing}. */
export interface KeyRingOptions {
  /** The algorithm of the keys that rotation makes; RSA keys have 2048 bits. Default: ES256. */
  alg?: Algorithm;
  /**
   * The keys to begin with, at most 1000. The first one signs. The others are retired: they verify
   * for `maxTokenTtl` plus 300 seconds from now and are then forgotten.
   */
  keys?: JwtKey[];
  /** The longest lifetime of a token that the ring signs: at most ten years. Default: 24 hours. */
  maxTokenTtl?: Duration;
  /**
   * How long verifiers may cache the JWKS: 0 to 100 years. Default: 10 minutes. A new key signs
   * only after it has been published for this time plus 30 seconds, for a response that was sent
   * just before. With 0 the key signs at once. Verifiers that still cache, such as a
   * {@link RemoteJwks} with its `minAge` and `cooldown`, refuse its tokens until they fetch.
   */
  jwksMaxAge?: Duration;
  /**
   * The time after which the next key takes over. Default: never.
   *
   * It must be longer than `jwksMaxAge`, and at least (`maxTokenTtl` + 300 seconds) / 900, so that
   * at most 900 retired keys are held at a time. There is no timer: a call that signs, verifies or
   * asks for the JWKS does the rotation that is due. RSA keys are made on another thread and so a
   * moment later. On a store, a process that has it open does the rotation, also without a call.
   */
  rotateEvery?: Duration;
}

/** A key of a ring, as {@link KeyRing.list} gives it. */
export interface KeyInfo {
  /** The key id. */
  kid: string;
  /** The algorithm. */
  alg: Algorithm;
  /** The state (see {@link KeyRing}). */
  state: 'next' | 'active' | 'retired' | 'revoked';
  /** The time at which the key entered the state. */
  since: Date;
}

/** A change of a key's state. */
export interface KeyRingChange {
  /** The key id. */
  kid: string;
  /** The algorithm. */
  alg: Algorithm;
  /** The former state; absent for a new key. */
  from?: KeyInfo['state'];
  /** The new state; absent if the key is forgotten, because every token it signed has expired. */
  to?: KeyInfo['state'];
  /** The time of the change. */
  at: Date;
}

/**
 * The signing keys of an issuer, with rotation and revocation.
 *
 * A key is in one of four states:
 *
 * - `next`: published in the JWKS, does not sign yet.
 * - `active`: signs and verifies.
 * - `retired`: verifies until the longest token that it signed has expired (`maxTokenTtl` plus 300
 *   seconds, the largest clock tolerance). Its private half has been wiped.
 * - `revoked`: refused at once and permanently: its tokens are `ERR_JWT_REVOKED`. When the longest
 *   token that it signed has certainly expired (`maxTokenTtl` plus 300 seconds, and an hour that
 *   proves the clock), the key is forgotten, and its tokens are `ERR_JWT_KEY_NOT_FOUND`. The id of
 *   a key that was added with `add` or `keys` cannot be used again even then, up to 4000 such ids.
 *
 * A ring holds at most 1000 keys, revoked ones included. While the ring is full, `add` and `rotate`
 * throw `ERR_KEYRING_FULL` and `rotateEvery` rotates nothing; the active key continues to sign.
 *
 * A ring is in memory, or with {@link KeyRing.open} on a {@link Store}, which keeps it for every
 * process of the machine. docs/key-rings.md says which to choose.
 * Signing without an active key throws `ERR_KEYRING_NO_ACTIVE_KEY`; with `rotateEvery`, an empty
 * ring makes its first key when it is needed. An RSA key takes up to a second, on another thread:
 * await {@link KeyRing.ready} before the first token is signed. {@link JwtIssuer.signAsync} waits
 * by itself.
 *
 * @example
 * ```ts
 * import { JwtIssuer, JwtVerifier, KeyRing } from '@nodesec/native';
 *
 * const keys = new KeyRing({ alg: 'ES256', rotateEvery: '30d' });
 * await keys.rotate(); // the first key: active at once; its successor is published
 *
 * const issuer = new JwtIssuer({ keys, issuer: 'https://id.example', expiresIn: '15m' });
 * const verifier = new JwtVerifier({ keys, issuer: 'https://id.example', audience: false });
 * console.log(verifier.verify(issuer.sign({ sub: 'alice' })).sub); // alice
 * ```
 */
export class KeyRing {
  constructor(options?: KeyRingOptions);
  /**
   * Gives the process's ring of this name (1 to 256 bytes), which all worker threads share. The
   * first call makes it, and it stays until the process ends; there are at most 1000 names.
   *
   * Options that are given must equal those of the ring, else `ERR_INVALID_ARG_VALUE`.
   */
  static shared(name: string, options?: Omit<KeyRingOptions, 'keys'>): KeyRing;
  /**
   * Opens the ring of a store: one ring for every process and thread of the machine, also after a
   * restart. A store has one ring; a ring with another algorithm needs a store of its own. The
   * first call on a store makes the ring with its first keys. Resolves to a ring that was made with
   * an active key.
   *
   * - The options are kept in the store. One that is given must be the ring's, else
   *   `ERR_INVALID_ARG_VALUE`; one that is left out is the ring's. {@link KeyRing.configure}
   *   changes `rotateEvery`.
   * - Before it signs, verifies or publishes, a ring compares one number in shared memory, and
   *   reads the store only if another process has changed something. A key that `revoke` has
   *   refused is refused by every process as soon as the call returns, and all processes give the
   *   same JWKS.
   * - A rotation that is due is made by one process, on another thread; the present key signs
   *   meanwhile. It also happens in a process that only has the store open. A `next` key is
   *   published for `jwksMaxAge`, 30 seconds, `busyMs` and one more second before it signs.
   * - Calls that change the ring wait for the disk: `add`, `revoke` and `tick` block, at most
   *   `busyMs` and a second; `rotate`, `revokeAsync` and `configure` do not. They fail with the
   *   codes of a {@link StoreError}, and the ring stays as it was, or with `ERR_STORE_BUSY` may be
   *   changed later.
   * - While the store cannot be read, verifiers refuse every token with `ERR_REVOCATION_STORE`, and
   *   signing, `jwks` and `list` throw a {@link StoreError}. With `onStoreError: 'allow'` they go
   *   on with the keys that they know, unless the store is damaged or closed.
   * - A retired key is forgotten an hour later than in memory, when the time is proven.
   *
   * Private keys are encrypted in the store, under a key that is derived from the store's `key`.
   *
   * @example
   * ```ts
   * import { mkdtempSync } from 'node:fs';
   * import { tmpdir } from 'node:os';
   * import { join } from 'node:path';
   * import { JwtIssuer, JwtVerifier, KeyRing, SecretBuffer, Store } from '@nodesec/native';
   *
   * const path = join(mkdtempSync(join(tmpdir(), 'example-')), 'store');
   * const store = await Store.open(path, { key: SecretBuffer.random(32) });
   * const keys = await KeyRing.open(store, { alg: 'ES256', rotateEvery: '30d' });
   * const issuer = new JwtIssuer({ keys, issuer: 'https://id.example', expiresIn: '15m' });
   * const verifier = new JwtVerifier({ keys, issuer: 'https://id.example', audience: false });
   * const token = issuer.sign({ sub: 'alice' });
   * console.log(verifier.verify(token).sub); // alice
   * for (const { kid, state } of keys.list()) if (state === 'active') await keys.revokeAsync(kid);
   * console.log(verifier.tryVerify(token).code); // ERR_JWT_REVOKED
   * await store.close();
   * ```
   */
  static open(store: Store, options?: Omit<KeyRingOptions, 'keys'>): Promise<KeyRing>;
  /**
   * Opens the result of {@link KeyRing.seal}. `options` replace the sealed ones. The sealed bytes
   * do not contain `rotateEvery`: pass it in at most one process, which rotates the ring and seals
   * it again. The others unseal the new bytes and make new issuers and verifiers.
   *
   * With `shared`, the ring becomes the process's ring of that name, as with
   * {@link KeyRing.shared}. If there is one already, the call gives it and ignores `sealed`, so
   * that every thread may make the same call at its start; options that are given must equal those
   * of that ring, else `ERR_INVALID_ARG_VALUE`.
   *
   * Errors: `ERR_SECRET_SEAL` if the key is another one, the bytes have been changed, or a later
   * version of this module made them; `ERR_OUT_OF_RANGE` if `options` do not fit the ring.
   */
  static unseal(
    sealed: Uint8Array,
    key: SecretBuffer,
    options?: Omit<KeyRingOptions, 'keys'> & { shared?: string },
  ): KeyRing;
  /**
   * Adds a key. Default state: `active` if the ring has no active key, else `next`. If the ring has
   * a key in that state (`active` or `next`), that key is retired. A key added as `active` signs
   * before verifiers in other processes have fetched it.
   *
   * Errors: `ERR_KEYRING_DUPLICATE` if the ring holds a key with this `kid`, or held one that was
   * revoked (RS256 and PS256 keys of one RSA key have the same `kid` by default), `ERR_JWT_KEY` for
   * a public key in a state that signs, `ERR_KEYRING_FULL`.
   */
  add(key: JwtKey, options?: { state?: 'next' | 'active' | 'retired' }): void;
  /**
   * As {@link KeyRing.add}, without blocking while the ring is on a store. A ring of `RedisKeyRing`
   * has this form only: there `add`, `revoke` and `tick` throw `ERR_KEYRING_SYNC`.
   */
  addAsync(key: JwtKey, options?: { state?: 'next' | 'active' | 'retired' }): Promise<void>;
  /**
   * Refuses a key at once, in every issuer and verifier of the ring. `ERR_KEYRING_UNKNOWN_KEY` if
   * the ring has no key with this id.
   *
   * If it was the active key, signing throws `ERR_KEYRING_NO_ACTIVE_KEY`: call `rotate({ force:
   * true })` next. Verifiers that fetch the JWKS learn of the revocation and of the new key at
   * their next fetch; until then they accept the revoked key and may refuse tokens of the new one.
   * A ring that was sealed before still contains the key: seal it again. On a store every process
   * refuses the key when the call returns, and the call blocks until then.
   */
  revoke(kid: string): void;
  /**
   * As {@link KeyRing.revoke}, without blocking while the ring is on a store. Resolves when every
   * process refuses the key. It occupies a thread of libuv's pool meanwhile.
   */
  revokeAsync(kid: string): Promise<void>;
  /**
   * Changes `rotateEvery`; `null` ends rotation by time. On a store the change holds for every
   * process, and is kept. Errors: `ERR_OUT_OF_RANGE` for a time that is too short (see
   * {@link KeyRingOptions}), `ERR_MISSING_OPTION` without `rotateEvery`, those of the store.
   *
   * @example
   * ```ts
   * import { KeyRing } from '@nodesec/native';
   *
   * const keys = new KeyRing({ alg: 'EdDSA' });
   * await keys.configure({ rotateEvery: '7d' });
   * console.log(keys.jwks().maxAge); // 600
   * ```
   */
  configure(options: { rotateEvery: Duration | null }): Promise<void>;
  /**
   * Rotates the keys. Resolves to the key that signs now.
   *
   * - With a `next` key: promotes it, retires the active key and publishes a new one.
   *   `ERR_KEYRING_NOT_PUBLISHED` if it has not been published for `jwksMaxAge` plus 30 seconds,
   *   unless `force` is true.
   * - Without a `next` key: publishes one. If there is no active key either, or with `force`, the
   *   ring also gets a new active key at once.
   *
   * On a store the call rotates only if no other process has rotated since this one last looked,
   * also with `force`; otherwise it resolves to the key that signs now. Of several processes that
   * rotate at once, one makes a key.
   *
   * `ERR_KEYRING_FULL` if there is no room for the new keys.
   */
  rotate(options?: { force?: boolean }): Promise<{ kid: string }>;
  /**
   * Resolves when the ring has an active key. With `rotateEvery`, an empty ring makes it. The call
   * waits for a key that is being made, also by a `rotate` that has not been awaited, and keeps the
   * process running meanwhile. It occupies one thread of libuv's pool, once a ring.
   * `ERR_KEYRING_NO_ACTIVE_KEY` if none is being made: `add` one or, if the active key was revoked,
   * `rotate({ force: true })`.
   *
   * @example
   * ```ts
   * import { JwtIssuer, KeyRing } from '@nodesec/native';
   *
   * const keys = new KeyRing({ alg: 'RS256', rotateEvery: '30d' });
   * const issuer = new JwtIssuer({ keys, expiresIn: '15m' });
   * await keys.ready(); // at the start of the service
   * console.log(issuer.sign({ sub: 'alice' }).length > 0); // true
   * ```
   */
  ready(): Promise<void>;
  /**
   * Does what is due at `now` (default: the present) and gives the changes. A ring in use or on a
   * store needs no call; `tick` is for idle processes and for tests: keys that no token needs
   * any more are forgotten and, with `rotateEvery`, the next key is promoted and a new one
   * published. One key is promoted, no matter how much time has passed.
   *
   * A `now` in the past counts as the present. A `now` in the future is for tests: the keys that it
   * forgets are lost permanently.
   */
  tick(now?: Moment): KeyRingChange[];
  /** Lists the keys and their states. */
  list(): KeyInfo[];
  /**
   * Gives the public keys that verify now, ready to be served.
   *
   * @example
   * ```ts
   * import { createServer } from 'node:http';
   * import { KeyRing } from '@nodesec/native';
   *
   * const keys = new KeyRing();
   * await keys.rotate();
   * const server = createServer((request, response) => {
   *   const { body, etag, maxAge } = keys.jwks();
   *   response.setHeader('Content-Type', 'application/jwk-set+json');
   *   response.setHeader('Cache-Control', `max-age=${maxAge}`);
   *   response.setHeader('ETag', etag);
   *   if (request.headers['if-none-match'] === etag) response.writeHead(304).end();
   *   else response.end(body);
   * });
   * console.log(JSON.parse(keys.jwks().body).keys.length); // 2
   * ```
   */
  jwks(): {
    /** The JWK Set as JSON, for `Content-Type: application/jwk-set+json`. */
    body: string;
    /** The value of the `ETag` header, with its quotes. */
    etag: string;
    /**
     * The value for `Cache-Control: max-age`, in seconds: `jwksMaxAge`; a smaller value if a
     * retired key is forgotten before; 0 if there is neither an active nor a `next` key.
     */
    maxAge: number;
  };
  /**
   * Encrypts the ring, private keys included, under `key` (32 bytes or more), as
   * {@link SecretBuffer.seal} does. `rotateEvery` is not included. Later changes are not included
   * either: seal again after each rotation, and above all after `revoke`. Revocations of tokens are
   * in a {@link RevocationList}, not in the ring: after a restart with a sealed ring, tokens that
   * were revoked before are accepted again until they expire, unless the list is on a
   * {@link Store}.
   *
   * @example
   * ```ts
   * import { KeyRing, SecretBuffer } from '@nodesec/native';
   *
   * const master = SecretBuffer.random(32); // in a service: .fromFile('…')
   * const keys = new KeyRing();
   * await keys.rotate();
   * const sealed = keys.seal(master); // a Buffer to store
   * const copy = KeyRing.unseal(sealed, master);
   * console.log(copy.list().length); // 2
   * ```
   */
  seal(key: SecretBuffer): Buffer;
  /**
   * Calls `listener` after every change, in order, also of other threads, and on a store of other
   * processes. A process notices changes of others within a second while it does nothing. If it
   * missed several, it hears of their sum: a key that is new and was revoked comes as `revoked`.
   * Listening does not keep the process running. An error that a listener throws is an uncaught
   * exception; the other listeners are still called. On a shared ring a listener stays until
   * `off`, or until its thread ends.
   */
  on(event: 'change', listener: (change: KeyRingChange) => void): this;
  /** Removes a listener. */
  off(event: 'change', listener: (change: KeyRingChange) => void): this;
}

/**
 * The claims of a token (RFC 7519 section 4.1). Times are seconds since 1970, at most 1e11, which
 * is in the year 5138.
 */
export interface Claims {
  /** The issuer. */
  iss?: string;
  /** The subject. */
  sub?: string;
  /** The audience. */
  aud?: string | string[];
  /**
   * The expiry. A verifier with `requireExp: false` may give claims without it, against this type.
   */
  exp: number;
  /** The time before which the token is not valid. */
  nbf?: number;
  /** The time of issue. */
  iat?: number;
  /** The token id. */
  jti?: string;
  /** The session id (OpenID Connect Front-Channel Logout 1.0 section 3). */
  sid?: string;
  [claim: string]: unknown;
}

/** The header of a verified token. It is frozen. */
export interface JwtHeader {
  /** The algorithm. */
  readonly alg: Algorithm;
  /** The key id. */
  readonly kid?: string;
  /** The type. */
  readonly typ?: string;
  readonly [parameter: string]: unknown;
}

/**
 * A clock for tests: an option of {@link JwtIssuer}, {@link JwtVerifier}, {@link Sessions},
 * {@link RevocationList} and {@link RateLimiter}.
 *
 * Each object reads its own clock only. Pass the same function to every object of a test, also to
 * the list and the sessions: an object without it uses the system's time. A {@link KeyRing} follows
 * the clocks of its issuers and verifiers into the future, as with {@link KeyRing.tick}.
 *
 * @example
 * ```ts
 * import { JwtIssuer, JwtKey, JwtVerifier } from '@nodesec/native';
 *
 * let time = new Date('2030-01-01T12:00:00Z');
 * const clock = () => time;
 * const keys = await JwtKey.generate('ES256');
 * const issuer = new JwtIssuer({ keys, issuer: 'id', expiresIn: '15m', clock });
 * const verifier = new JwtVerifier({ keys, issuer: 'id', audience: false, clock });
 *
 * const token = issuer.sign({ sub: 'alice' });
 * console.log(verifier.verify(token).sub); // alice
 * time = new Date('2030-01-01T12:15:00Z');
 * console.log(verifier.tryVerify(token).code); // ERR_JWT_EXPIRED
 * ```
 */
export interface ClockOptions {
  /**
   * The time in place of the system's, asked for once when the object is made and before each call
   * that uses it. `() => new Date()` follows the fake timers of Jest, Vitest, Sinon and
   * `node:test`, which the native part does not see otherwise.
   *
   * If it throws, or returns anything but a valid `Date` from 1970 to 5138, the call throws
   * `ERR_INVALID_RETURN_VALUE`, also a call of `tryVerify`. While `NODE_ENV` is `production`, the
   * constructor throws `ERR_INVALID_ARG_VALUE`, unless `allowClockInProduction` is true.
   */
  clock?: () => Date;
  /** Allows `clock` while `NODE_ENV` is `production`. Default: false. */
  allowClockInProduction?: boolean;
}

/** The options of {@link JwtIssuer}. */
export interface JwtIssuerOptions extends ClockOptions {
  /** The ring that signs, or one private key. */
  keys: KeyRing | JwtKey;
  /** The claim `iss`: 1 to 2048 bytes. Default: none. */
  issuer?: string;
  /** The claim `aud`: at most 100 names of 1 to 2048 bytes each. Default: none. */
  audience?: string | string[];
  /**
   * The lifetime of a token: one second to ten years, and at most the ring's `maxTokenTtl`, else
   * `ERR_OUT_OF_RANGE`.
   */
  expiresIn: Duration;
  /** The header parameter `typ`: at most 256 bytes. Default: `JWT`. */
  typ?: string;
  /** Gives every token a `jti`, a UUID of version 7. Default: true. */
  jti?: boolean;
}

/** The options of one call of {@link JwtIssuer.sign}, in place of the issuer's. */
export interface JwtOverrides {
  /** The claim `aud` of this token. */
  audience?: string | string[];
  /** The lifetime of this token, counted from now. */
  expiresIn?: Duration;
  /** The claim `nbf`, counted from now. */
  notBefore?: Duration;
  /**
   * The claim `iat` in seconds from now: -300 to 0. Default: 0. `exp` still counts from now.
   *
   * A service whose clock is behind refuses an `iat` in its future; GitHub asks for -60. With
   * `revocations`, a verifier counts the lifetime of the token from its `iat`, and
   * `revokeSubject()` refuses the token if its `iat` is before the revocation.
   */
  issuedAt?: number;
  /**
   * More header parameters of this token, such as `cty`. Their values are JSON; the header has at
   * most 8 KiB in base64url, else `ERR_OUT_OF_RANGE`.
   *
   * `ERR_INVALID_ARG_VALUE` for `alg`, `kid` and `typ`, which the issuer sets; for `jwk`, `jku`,
   * `x5c` and `x5u`, because a JWT does not say where its key is (see {@link signJws}); and for
   * `crit`, `b64`, `enc` and `zip`, because a verifier would refuse the token.
   */
  header?: object;
}

/**
 * Signs tokens.
 *
 * @example
 * ```ts
 * import { JwtIssuer, JwtKey } from '@nodesec/native';
 *
 * const issuer = new JwtIssuer({
 *   keys: await JwtKey.generate('EdDSA'),
 *   issuer: 'https://id.example',
 *   audience: 'api',
 *   expiresIn: '15m',
 * });
 * const token = issuer.sign({ sub: 'alice', role: 'admin' });
 * const short = issuer.sign({ sub: 'alice' }, { expiresIn: '1m' });
 *
 * // For GitHub, whose clock may be behind, and for Twilio.
 * const app = issuer.sign({ sub: 'app' }, { issuedAt: -60, expiresIn: '9m' });
 * const grant = issuer.sign({ grants: {} }, { header: { cty: 'twilio-fpa;v=1' } });
 * ```
 */
export class JwtIssuer {
  constructor(options: JwtIssuerOptions);
  /**
   * Signs the claims together with `iat`, `exp` and the claims that the issuer sets.
   *
   * Errors: `ERR_JWT_CLAIM` for a claim that the issuer sets itself, for a claim of the wrong type,
   * and for claims that JSON cannot hold or that nest deeper than 32; `ERR_OUT_OF_RANGE` for a
   * token of more than 16 KiB; `ERR_KEYRING_NO_ACTIVE_KEY`.
   */
  sign(claims: object, overrides?: JwtOverrides): string;
  /**
   * Signs as {@link JwtIssuer.sign}. An RSA signature, which takes half a millisecond and more, is
   * computed on a thread of libuv's pool; other keys sign at once.
   *
   * libuv's pool has `UV_THREADPOOL_SIZE` threads, by default 4, which also serve files and DNS.
   * Claims, key, time and id are those of the moment of the call. While the first key of the ring
   * is still being made, the call waits for it, as {@link KeyRing.ready} does; time and id are then
   * those of the moment at which the key is there.
   */
  signAsync(claims: object, overrides?: JwtOverrides): Promise<string>;
}

/** The options of {@link JwtVerifier}. */
export interface JwtVerifierOptions extends ClockOptions {
  /**
   * The keys of one issuer. Each of them may sign for every name in `issuer`. For several issuers
   * make a verifier each, or a token of one is accepted as a token of another (RFC 8725 section
   * 3.8); {@link JwtVerifiers} chooses among them.
   */
  keys: KeyRing | JwtKey | JwtKey[] | RemoteJwks;
  /**
   * The accepted algorithms. Default: those of the keys. `none` does not exist. A token of another
   * algorithm is `ERR_JWT_ALGORITHM`, but without this option and without a `kid` in the token
   * `ERR_JWT_KEY_NOT_FOUND`.
   */
  algorithms?: Algorithm[];
  /**
   * The exact names of one issuer: at most 100, of 1 to 2048 bytes each. `false` accepts every
   * issuer, and a token without `iss`.
   */
  issuer: string | string[] | false;
  /**
   * The names of this service; `aud` must contain one of them. At most 100, of 1 to 2048 bytes
   * each. `false` accepts every audience, and a token without `aud`.
   */
  audience: string | string[] | false;
  /**
   * The tolerance for clocks that differ: at most 300 seconds, for `exp`, `nbf`, `iat` and `maxAge`
   * alike. Default: 5 seconds for `iat` and `nbf`, because the clock of an issuer may be a little
   * ahead; 0 for `exp` and `maxAge`.
   */
  clockTolerance?: Duration;
  /**
   * The greatest age of a token since its `iat`, which is then required: 1 second to 100 years.
   * Default: not checked. A token is refused with `ERR_JWT_EXPIRED` from the millisecond at which
   * it has this age, plus a `clockTolerance` that is given.
   */
  maxAge?: Duration;
  /**
   * The header parameter `typ`. Case and a leading `application/` are ignored. Default: not
   * checked.
   */
  typ?: string;
  /**
   * The names of claims that a token must have: at most 100, of 1 to 256 bytes each. If a claim is
   * absent, the token is refused with `ERR_JWT_CLAIM` and the reason `missing`. If it is `null`,
   * the reason is `type` for `iss`, `sub`, `aud`, `exp`, `nbf`, `iat`, `jti` and `sid`, whose types
   * are always checked, and `missing` for other claims.
   */
  requiredClaims?: string[];
  /**
   * The exact values of claims, by name: a string, a number or a boolean, or a list of which the
   * claim must have one. At most 100 claims with names of 1 to 256 bytes, and 100 values each;
   * strings of 1 to 2048 bytes, numbers from -(2^53 - 1) to 2^53 - 1.
   *
   * A token is refused with `ERR_JWT_CLAIM`: with the reason `missing` if the claim is absent or
   * `null`, with `mismatch` if it has another value, an array or an object. Values are compared as
   * `JSON.parse` reads them, and strings character for character. `ERR_INVALID_ARG_VALUE` for
   * `iss`, `aud`, `exp`, `nbf` and `iat`, which have options of their own.
   */
  claims?: ExactClaims;
  /**
   * Whether `exp` is required. Default: true. With `false`, a token without `exp` lives until its
   * key goes; an `exp` that is present still counts. With `revocations`, `exp` is always required.
   */
  requireExp?: boolean;
  /**
   * The length of the longest token: 1 KiB to 1 MiB. Default: 16 KiB. A longer token is
   * `ERR_JWT_MALFORMED`.
   *
   * The header has at most 8 KiB in base64url. If `maxBytes` is above 16 KiB, the header may take
   * the whole token. It is read before the signature is verified, so the work for a forged token
   * grows with `maxBytes`. Node refuses request headers above 16 KiB unless `maxHeaderSize` allows
   * more.
   */
  maxBytes?: number;
  /**
   * `'allow'` accepts segments that are padded with `=` (RFC 4648 section 3.2), such as those of
   * AWS load balancers, beside segments that are not. The signature is over the padded text, as
   * they compute it. Default: padding is refused (RFC 7515 section 2).
   *
   * The padding of the signature itself is not signed: a token can be spelled with and without it.
   * Do not use the text of a token as its identity. docs/migrating.md has a recipe.
   */
  padding?: 'allow';
  /**
   * The list of revoked tokens. With it, a token without `jti` or `iat` is refused, and so is a
   * token that lives longer than the list's `maxTokenTtl`, because the list would forget it first.
   */
  revocations?: RevocationList;
  /**
   * Remembers accepted tokens, so that their signature is not verified again. Default: false;
   * `true` is 1000 entries. `maxEntries`: 1 to 100,000, default 1000.
   *
   * Times, keys and revocations are checked on every call. The claims are shared between calls and
   * deeply frozen. Tokens and payloads are kept in ordinary memory, the claims on JavaScript's
   * heap. Tokens and payloads together take at most 2 KiB × `maxEntries`, or 2 × `maxBytes` if
   * that is more. The entry that was used least recently is dropped first.
   */
  cache?: boolean | { maxEntries?: number };
}

/** The options of {@link JwtVerifier.accessToken}. RFC 9068 fixes the others. */
export interface AccessTokenOptions
  extends Omit<JwtVerifierOptions, 'issuer' | 'audience' | 'typ' | 'requireExp'> {
  /** The exact names of the authorization server. `false` is not possible. */
  issuer: string | string[];
  /** The names of this resource server. `false` is not possible. */
  audience: string | string[];
}

/** The options of {@link JwtVerifier.spiffe}. */
export interface SpiffeVerifierOptions
  extends Pick<
    JwtVerifierOptions,
    | 'clockTolerance'
    | 'maxAge'
    | 'requiredClaims'
    | 'claims'
    | 'revocations'
    | 'cache'
    | 'clock'
    | 'allowClockInProduction'
  > {
  /** The trust domain: `example.org`, or `spiffe://example.org`. Else `ERR_SPIFFE_ID`. */
  trustDomain: string;
  /**
   * The bundle of the trust domain: a JWK Set, its JSON text, or a {@link RemoteJwks} made with
   * `use: 'jwt-svid'`.
   *
   * The verifier takes keys with the `use` `jwt-svid` and a `kid`, and ignores other keys,
   * `spiffe_sequence` and `spiffe_refresh_hint`. With a bundle without such keys every token is
   * refused with `ERR_JWT_KEY_NOT_FOUND`. `ERR_JWT_KEY` if the bundle is not a JWK Set. A new
   * bundle needs a new verifier; a `RemoteJwks` fetches it, by `maxAge` and Cache-Control.
   */
  bundle: RemoteJwks | object | string;
  /** The names of this workload. `false` is not possible. */
  audience: string | string[];
}

/** A value that a claim must have; see {@link JwtVerifierOptions.claims}. */
export type ExactValue = string | number | boolean;

/** Exact values of claims, by name; see {@link JwtVerifierOptions.claims}. */
export type ExactClaims = { readonly [claim: string]: ExactValue | readonly ExactValue[] };

/**
 * The claims that a verifier with these options requires, beyond {@link Claims}: with `revocations`
 * `jti` and `iat`, with `maxAge` `iat`, with `claims` those that it names.
 */
export type RequiredClaims<Options> = NamedClaims<Options> &
  (Options extends { revocations: RevocationList } ? { jti: string; iat: number } : unknown) &
  (Options extends { maxAge: Duration } ? { iat: number } : unknown);

/** The claims that `claims` names, each with one of its values. */
export type NamedClaims<Options> = Options extends { claims: infer Exact extends ExactClaims }
  ? string extends keyof Exact
    ? unknown
    : {
        -readonly [Name in keyof Exact]: Exact[Name] extends readonly (infer Value)[]
          ? Value
          : Exact[Name];
      }
  : unknown;

/** The claims that every OAuth 2.0 access token has (RFC 9068 section 2.2). */
export interface AccessTokenClaims {
  /** The authorization server. */
  iss: string;
  /** The resource servers. */
  aud: string | string[];
  /** The resource owner, or the client itself. */
  sub: string;
  /** The client to which the token was issued. */
  client_id: string;
  /** The time of issue. */
  iat: number;
  /** The token id. */
  jti: string;
}

/** The claims that every JWT-SVID has. */
export interface JwtSvidClaims {
  /** The SPIFFE ID of the workload. */
  sub: string;
  /** The audience. */
  aud: string | string[];
}

/** The result of {@link JwtVerifier.tryVerify}. */
export type VerifyResult<T, Required = unknown> =
  | {
      /** The token is accepted. */
      ok: true;
      /** The claims. */
      claims: T & Claims & Required;
      /** The header, frozen. */
      header: JwtHeader;
      /** Absent. */
      code?: undefined;
      /** Absent. */
      message?: undefined;
      /** Absent. */
      claim?: undefined;
      /** Absent. */
      reason?: undefined;
    }
  | {
      /** The token is refused. */
      ok: false;
      /** Absent. */
      claims?: undefined;
      /** Absent. */
      header?: undefined;
      /** The cause. */
      code: JwtRejectionCode;
      /**
       * The reason in a sentence for developers, such as "no token was given". It contains nothing
       * of the token. The wording may change.
       */
      message: string;
      /** With `ERR_JWT_CLAIM`: the name of the claim. */
      claim?: string;
      /** With `ERR_JWT_CLAIM`: the fault of the claim. */
      reason?: 'missing' | 'type' | 'mismatch';
    };

/**
 * Verifies tokens: signature, times, issuer, audience and revocation in one call.
 *
 * It is strict. A token has three segments of canonical base64url and at most 16 KiB (`maxBytes`,
 * and `padding` for AWS load balancers, say otherwise); its objects have no duplicate members and
 * nest at most 32 deep; `exp` is required; an `iat` further in the future than `clockTolerance`, 5
 * seconds by default, is refused (`ERR_JWT_CLAIM`), as is every time after the year 5138; `crit` is
 * refused. A token without `kid` is accepted only if exactly one key has the token's `alg`, else it
 * is `ERR_JWT_KEY_NOT_FOUND`. docs/strictness.md has a reason and a remedy for each difference from
 * jose, jsonwebtoken and fast-jwt.
 *
 * @example
 * ```ts
 * import { JwtIssuer, JwtKey, JwtVerifier, RevocationList } from '@nodesec/native';
 *
 * const keys = await JwtKey.generate('ES256');
 * const revocations = new RevocationList();
 * const policy = { keys, issuer: 'https://id.example', audience: 'api' };
 * const issuer = new JwtIssuer({ ...policy, expiresIn: '15m' });
 * const verifier = new JwtVerifier({ ...policy, revocations, cache: true });
 *
 * const { sub } = verifier.verify(issuer.sign({ sub: 'alice' }));
 * console.log(sub); // alice
 * ```
 */
export class JwtVerifier<
  Options extends JwtVerifierOptions = JwtVerifierOptions,
  Required = RequiredClaims<Options>,
> {
  constructor(options: Options);
  /**
   * Makes a verifier of OAuth 2.0 access tokens (RFC 9068 section 4).
   *
   * `typ` must be `at+jwt`. `iss`, `exp`, `aud`, `sub`, `client_id` (a string), `iat` and `jti` are
   * required; `requiredClaims` may name 93 more. Encrypted tokens are refused.
   *
   * @example
   * ```ts
   * import { JwtIssuer, JwtKey, JwtVerifier } from '@nodesec/native';
   *
   * const policy = {
   *   keys: await JwtKey.generate('ES256'),
   *   issuer: 'https://id.example',
   *   audience: 'https://api.example',
   * };
   * const issuer = new JwtIssuer({ ...policy, expiresIn: '10m', typ: 'at+jwt' });
   * const token = issuer.sign({ sub: 'alice', client_id: 'app', scope: 'read' });
   * const verifier = JwtVerifier.accessToken(policy);
   * console.log(verifier.verify<{ scope: string }>(token).scope); // read
   * ```
   */
  static accessToken<Exact extends ExactClaims>(
    options: AccessTokenOptions & { claims?: Exact },
  ): JwtVerifier<JwtVerifierOptions, AccessTokenClaims & NamedClaims<{ claims: Exact }>>;
  /**
   * Makes a verifier of JWT-SVIDs of one trust domain (SPIFFE JWT-SVID). The claim `sub` is the
   * SPIFFE ID of the workload.
   *
   * Only RS, ES and PS algorithms are accepted. The header has no parameters but `alg`, `kid` and
   * `typ` (`JWT` or `JOSE`), else `ERR_JWT_MALFORMED`. `sub` must be a SPIFFE ID of the trust
   * domain with a path; `aud` and `exp` are required. With `revocations`, `jti` and `iat` are
   * required too, so the tokens of SPIRE, which lack at least one of them, are refused.
   *
   * @example
   * ```ts
   * import { JwtIssuer, JwtKey, JwtVerifier } from '@nodesec/native';
   *
   * const key = await JwtKey.generate('ES256');
   * const issuer = new JwtIssuer({ keys: key, audience: 'api', expiresIn: '5m' });
   * const svid = issuer.sign({ sub: 'spiffe://example.org/web' });
   *
   * const verifier = JwtVerifier.spiffe({
   *   trustDomain: 'example.org',
   *   bundle: { keys: [{ ...key.toPublicJwk(), use: 'jwt-svid' }] },
   *   audience: 'api',
   * });
   * console.log(verifier.verify(svid).sub); // spiffe://example.org/web
   * ```
   */
  static spiffe<Exact extends ExactClaims>(
    options: SpiffeVerifierOptions & { claims?: Exact },
  ): JwtVerifier<JwtVerifierOptions, JwtSvidClaims & NamedClaims<{ claims: Exact }>>;
  /**
   * Verifies a token and gives its claims. Throws a {@link JwtRejectionCode}: all are those of a
   * {@link JwtError} except `ERR_REVOCATION_CLOSED`, a {@link RevocationError}.
   */
  verify<T = unknown>(token: string): NoInfer<T> & Claims & Required;
  /**
   * Verifies a token and gives the outcome as a value. It does not throw, even if the token is not
   * a string.
   *
   * @example
   * ```ts
   * import { JwtKey, JwtVerifier } from '@nodesec/native';
   *
   * const verifier = new JwtVerifier({
   *   keys: await JwtKey.generate('ES256'),
   *   issuer: 'https://id.example',
   *   audience: 'api',
   * });
   * const result = verifier.tryVerify('not a token');
   * console.log(result.ok ? result.claims.sub : result.code); // ERR_JWT_MALFORMED
   * ```
   */
  tryVerify<T = unknown>(token: unknown): VerifyResult<T, Required>;
  /**
   * Verifies as {@link JwtVerifier.verify}. With a {@link RemoteJwks} it waits, once, for a key
   * that it has not fetched; with other keys it does not wait.
   */
  verifyAsync<T = unknown>(token: string): Promise<NoInfer<T> & Claims & Required>;
  /** Verifies as {@link JwtVerifier.tryVerify} and waits as {@link JwtVerifier.verifyAsync}. */
  tryVerifyAsync<T = unknown>(token: unknown): Promise<VerifyResult<T, Required>>;
  /**
   * Verifies up to 10,000 tokens, each as {@link JwtVerifier.tryVerify}, and gives the results in
   * their order. `ERR_OUT_OF_RANGE` for more.
   *
   * All but the parsing of payloads happens on one thread of libuv's pool, 200 tokens or some 3 MiB
   * at a time, so that files and DNS do not wait for all of them. Each token is judged by the time
   * at which its turn comes.
   */
  verifyMany<T = unknown>(tokens: readonly unknown[]): Promise<VerifyResult<T, Required>[]>;
}

/** The claims that one of these verifiers requires. */
export type RequiredClaimsOf<Verifier> =
  Verifier extends JwtVerifier<JwtVerifierOptions, infer Required> ? Required : never;

/**
 * Verifies the tokens of several issuers, such as tenants, each with a verifier of its own.
 *
 * The claim `iss` chooses the verifier before anything is verified. This verifier then judges the
 * token, with its own keys and options, and demands this very issuer, so that no issuer can sign
 * for another (RFC 8725 section 3.8). Names are compared character for character.
 *
 * A token for which there is no verifier is refused, and its signature is not verified:
 * `ERR_JWT_MALFORMED` if its segments are not base64url or its payload is no JSON object, else
 * `ERR_JWT_CLAIM` with the claim `iss` and the reason `missing`, `type` or, for an unknown issuer,
 * `mismatch`. The header is read by the verifier.
 *
 * @example
 * ```ts
 * import { JwtIssuer, JwtKey, JwtVerifier, JwtVerifiers } from '@nodesec/native';
 *
 * const [ours, theirs] = [await JwtKey.generate('ES256'), await JwtKey.generate('EdDSA')];
 * const audience = 'api';
 * const verifiers = new JwtVerifiers({
 *   'https://id.example': new JwtVerifier({ keys: ours, issuer: 'https://id.example', audience }),
 *   'https://partner.example': new JwtVerifier({
 *     keys: theirs,
 *     issuer: 'https://partner.example',
 *     audience,
 *   }),
 * });
 *
 * const issuer = 'https://partner.example';
 * const token = new JwtIssuer({ keys: theirs, issuer, audience, expiresIn: '15m' }).sign({});
 * console.log(verifiers.verify(token).iss); // https://partner.example
 *
 * const forged = new JwtIssuer({ keys: ours, issuer, audience, expiresIn: '15m' }).sign({});
 * console.log(verifiers.tryVerify(forged).code); // ERR_JWT_KEY_NOT_FOUND
 * ```
 */
export class JwtVerifiers<
  Verifier extends JwtVerifier<JwtVerifierOptions, unknown> = JwtVerifier,
> {
  /**
   * Takes 1 to 10,000 verifiers by the names of their issuers, of 1 to 2048 bytes each: the own
   * members of a plain object, or a `Map`. Later changes of it have no effect. Enter a verifier
   * that accepts several issuers once under each name.
   *
   * `ERR_INVALID_ARG_VALUE` if the option `issuer` of a verifier does not contain the name for
   * which the verifier stands, or is `false`. So a verifier of {@link JwtVerifier.spiffe}, which
   * demands no issuer, is refused.
   */
  constructor(verifiers: { readonly [issuer: string]: Verifier } | ReadonlyMap<string, Verifier>);
  /** Verifies as {@link JwtVerifier.verify} of the verifier for its `iss`. */
  verify<T = unknown>(token: string): NoInfer<T> & Claims & RequiredClaimsOf<Verifier>;
  /** Verifies as {@link JwtVerifier.tryVerify} of the verifier for its `iss`. */
  tryVerify<T = unknown>(token: unknown): VerifyResult<T, RequiredClaimsOf<Verifier>>;
  /** Verifies as {@link JwtVerifier.verifyAsync} of the verifier for its `iss`. */
  verifyAsync<T = unknown>(token: string): Promise<NoInfer<T> & Claims & RequiredClaimsOf<Verifier>>;
  /** Verifies as {@link JwtVerifier.tryVerifyAsync} of the verifier for its `iss`. */
  tryVerifyAsync<T = unknown>(token: unknown): Promise<VerifyResult<T, RequiredClaimsOf<Verifier>>>;
  /**
   * Verifies up to 10,000 tokens, each with the verifier for its `iss`, and gives the results in
   * their order, as {@link JwtVerifier.verifyMany} does.
   */
  verifyMany<T = unknown>(
    tokens: readonly unknown[],
  ): Promise<VerifyResult<T, RequiredClaimsOf<Verifier>>[]>;
}

/** A request of a {@link RemoteJwks} that has ended. */
export type RemoteJwksEvent = {
  /**
   * The reason of the request.
   *
   * - `due`: the first use of the set, or its keys expire soon.
   * - `unknown-key`: a token matched no key of the set.
   * - `unavailable`: a token came while there were no keys, after an earlier request had failed.
   * - `refresh`: a call of {@link RemoteJwks.refresh}.
   */
  trigger: 'due' | 'unknown-key' | 'unavailable' | 'refresh';
} & (
  | {
      /** The set was fetched, or confirmed. */
      type: 'refreshed';
      /** Whether the set differs from the one before. */
      changed: boolean;
      /** The seconds for which the set is fresh. */
      freshFor: number;
      /** The keys of the set that are left out, as `status().ignored`. */
      ignored: IgnoredKey[];
    }
  | {
      /** The request failed. */
      type: 'failed';
      /**
       * `ERR_JWT_KEYS_UNAVAILABLE`. The message contains neither the URL nor the answer. Its
       * `cause`, which is not enumerable, may name the host; loggers such as pino print it.
       */
      error: JwtError;
      /** The keys that verify tokens until the next request. */
      keys: 'fresh' | 'stale' | 'none';
    }
);

/** The options of {@link RemoteJwks}. */
export interface RemoteJwksOptions extends JwksImportOptions {
  /**
   * The format of the answer. Default: `jwks`.
   *
   * - `jwks`: a JWK Set.
   * - `x509`: a JSON object with a PEM for each `kid`: a certificate, as Google and Firebase
   *   publish it at `https://www.googleapis.com/robot/v1/metadata/x509/…`, or a public key, as
   *   Google IAP does at `https://www.gstatic.com/iap/verify/public_key`. The algorithm is that of
   *   the key: RS256 for RSA, unless `algorithms` say more, as for a JWK without `alg`. The
   *   certificate only carries the key: its dates, its chain and its purpose are not checked, as in
   *   {@link JwtKey.fromCertificate}, so only https vouches for it. Values that are no PEM, and
   *   private keys, are left out. It excludes `use: 'jwt-svid'`.
   */
  format?: 'jwks' | 'x509';
  /**
   * Accepts an `http:` URL of any machine, such as a container in the same private network. Default:
   * false. Everyone on the path between the machines can replace the keys, and then signs tokens
   * that are accepted. The first such URL of a process emits the warning `NODESEC_JWKS_HTTP`.
   */
  allowInsecureHttp?: boolean;
  /** Headers of every request, such as an API key: at most 64, values of at most 8192 bytes. */
  headers?: Record<string, string>;
  /**
   * The function that makes the requests, for a proxy or a private authority. Default: the global
   * `fetch`.
   *
   * It is called with the URL and `method`, `headers`, `signal` and `redirect: 'manual'`. Inside of
   * it use `verify` with this set, never `verifyAsync` or `refresh()`: they would wait for this
   * very request until `timeoutMs`.
   */
  fetch?: (url: string, init: RequestInit) => Promise<Response>;
  /**
   * The longest time from the request to the last byte of the answer: 1 to 60,000 ms. Default:
   * 5000. A request in progress keeps the process running for that time, also one in the
   * background.
   */
  timeoutMs?: number;
  /** The longest answer, uncompressed: at most 1 MiB. Default: 512 KiB. */
  maxBytes?: number;
  /**
   * The shortest time for which a set is fresh, also if its Cache-Control is shorter: 1 second to
   * `maxAge`. Default: 1 minute, or `maxAge` if that is less.
   */
  minAge?: Duration;
  /**
   * The longest time for which a set is fresh, and its time if the answer has no `max-age`: 1
   * second to 7 days. Default: 10 minutes.
   */
  maxAge?: Duration;
  /**
   * After a request, a token that matches no key triggers no further request for this time: 1
   * second to 100 years. Default: 30 seconds.
   */
  cooldown?: Duration;
  /**
   * How long keys are still used after they have stopped being fresh, if a request has failed: at
   * most 7 days. Default: 0. A key that the provider has withdrawn in the meantime is used as well.
   */
  staleIfError?: Duration;
  /** Called after every request. An error that it throws is dropped. */
  onEvent?: (event: RemoteJwksEvent) => void;
}

/**
 * The keys that another service publishes at one URL, a JWK Set or certificates, for verifiers.
 * Nothing in a token changes the URL.
 *
 * **When it fetches.** Keys are fetched at their first use. The first use after four fifths of the
 * time for which they are fresh starts a refetch in the background, for which it does not wait.
 * That time is the answer's `max-age` minus its `Age`, within `minAge` and `maxAge`. `no-store` and
 * `no-cache` count as `minAge`. An entity tag is sent back. A token that matches no key also
 * triggers a refetch, at most once per `cooldown`. An HMAC token triggers none and is
 * `ERR_JWT_ALGORITHM`. There is one request at a time and no timer except its timeout. After
 * failures there are pauses of 1 second to 1 minute, which `refresh()` ignores.
 *
 * **Waiting.** `verify`, `tryVerify` and `verifyJws` never wait: without keys they refuse with
 * `ERR_JWT_KEYS_UNAVAILABLE` while the request is in progress. `verifyAsync`, `tryVerifyAsync` and
 * `verifyMany` wait for it. To have the keys before the first token, `await jwks.refresh()`.
 * `status().lastError` says why the last request failed.
 *
 * **Which answer counts.** The status must be 200 and the body a JWK Set as {@link JwtKey.fromJwks}
 * accepts it, or for `format: 'x509'` an object of at most 1000 members of which one at least is
 * PEM, or none; the Content-Type does not matter. A 304 confirms the keys, which are fresh again.
 * Redirects are not followed. A new set replaces all keys, even if none is left: that is how a
 * provider withdraws all of them. Any other answer leaves the keys as they are.
 *
 * If a refetch for an unknown key fails, or `cooldown` forbids it, the token is refused with
 * `ERR_JWT_KEY_NOT_FOUND`, although its key may be newer than the set. Answer 503 instead of 401 if
 * `status().lastError` is set; after a refetch that succeeded within the `cooldown`, the key is
 * most likely made up, and 401 is right. A key that the provider drops verifies until the next
 * fetch. Setting the system clock does not make keys live longer.
 *
 * @example
 * ```ts
 * import { JwtIssuer, JwtVerifier, KeyRing, RemoteJwks } from '@nodesec/native';
 *
 * const ring = new KeyRing({ alg: 'ES256' }); // stands for the other service
 * await ring.rotate();
 *
 * const keys = new RemoteJwks('https://id.example/.well-known/jwks.json', {
 *   fetch: async () => new Response(ring.jwks().body), // leave it out to use the global fetch
 * });
 * const verifier = new JwtVerifier({ keys, issuer: 'https://id.example', audience: false });
 * const issuer = new JwtIssuer({ keys: ring, issuer: 'https://id.example', expiresIn: '15m' });
 * const { sub } = await verifier.verifyAsync(issuer.sign({ sub: 'alice' }));
 * console.log(sub); // alice
 * ```
 */
export class RemoteJwks {
  /**
   * Takes an `https:` URL of at most 4096 bytes, without credentials and fragment. `http:` is
   * accepted for `localhost`, 127.0.0.0/8 and `[::1]`, and elsewhere with `allowInsecureHttp`.
   */
  constructor(url: string | URL, options?: RemoteJwksOptions);
  /**
   * Fetches the keys now, or waits for the request in progress. Rejects with
   * `ERR_JWT_KEYS_UNAVAILABLE` if the request fails.
   */
  refresh(): Promise<void>;
  /** Lists the keys that verify now. */
  list(): { kid: string; alg: Algorithm }[];
  /** Tells the state of the keys and of the last request. */
  status(): {
    /**
     * `fresh`; `stale` if `staleIfError` alone keeps the keys; `none` before the first request and
     * when the keys are too old.
     */
    keys: 'fresh' | 'stale' | 'none';
    /** The time at which the provider last confirmed the keys. */
    loadedAt: Date | undefined;
    /** The error of the last request, if it failed. */
    lastError: JwtError | undefined;
    /**
     * The keys of the last set that are left out, such as keys for encryption and malformed keys:
     * at most 100, and then one entry with the number of the others. If tokens are refused with
     * `ERR_JWT_KEY_NOT_FOUND` although `keys` is `fresh`, look here first.
     */
    ignored: IgnoredKey[];
  };
}

/**
 * Signs any payload as a compact JWS (RFC 7515): a string, as UTF-8, or bytes. For claims that
 * expire, use a {@link JwtIssuer}.
 *
 * `header` has more header parameters, as protocols such as DPoP, ACME and security event tokens
 * (RFC 9449, 8555, 8417) ask for: `typ`, `cty`, `jwk`, `x5c`, `url`, `nonce` and others, as JSON.
 * `kid` says whether the header names the key. Default: true. With `kid: false` the header has no
 * `kid`, or the one in `header`: a string of 1 to 256 bytes. The key's algorithm is the `alg`. The
 * token has at most 1 MiB; for one above 16 KiB, {@link verifyJws} needs `maxBytes`. The call signs
 * at once, also with RSA.
 *
 * Errors: `ERR_INVALID_ARG_VALUE` for the parameters `alg` and `kid` if the key sets them; for
 * `crit`, `b64`, `enc` and `zip`, because no extension is supported and payloads are neither
 * encrypted nor compressed; for a `typ` that is no string; for a `jwk` with private members; and
 * for a lone surrogate in the payload. `ERR_OUT_OF_RANGE` for a longer token, `ERR_JWT_KEY` for a
 * public key.
 *
 * In ACME, the first request has a `jwk`, later ones the URL of the account as `kid`:
 * `signJws(payload, key, { kid: false, header: { kid: accountUrl, nonce, url } })`.
 *
 * @example
 * ```ts
 * import { JwtKey, randomToken, signJws, unsafeDecode } from '@nodesec/native';
 *
 * // A DPoP proof (RFC 9449 section 4.2) has its public key in the header, and no kid.
 * const key = await JwtKey.generate('ES256');
 * const { kty, crv, x, y } = key.toPublicJwk();
 * const claims = { htm: 'POST', htu: 'https://server.example/token', jti: randomToken() };
 * const proof = signJws(JSON.stringify({ ...claims, iat: Math.floor(Date.now() / 1000) }), key, {
 *   header: { typ: 'dpop+jwt', jwk: { kty, crv, x, y } },
 *   kid: false,
 * });
 * console.log(Object.keys(unsafeDecode(proof).header).join()); // alg,typ,jwk
 * ```
 */
export function signJws(
  payload: string | Uint8Array,
  key: JwtKey,
  options?: { header?: object; kid?: boolean },
): string;

/**
 * Verifies a compact JWS (RFC 7515) and gives its payload, which need not be JSON.
 *
 * Use it for signed content that is not a JWT. It checks signature, key and header as a
 * {@link JwtVerifier} does; it does not check claims and knows no revoked tokens, but a key that is
 * revoked in a `KeyRing` is refused. `algorithms` must not be empty. It does not wait for a
 * {@link RemoteJwks}: `await jwks.refresh()` first. Throws a {@link JwtError}.
 *
 * `maxBytes` and `padding` are those of {@link JwtVerifierOptions}. The notifications of App Store
 * servers, for example, need 32 KiB. Chains of certificates in the header (`x5c`) are not validated
 * and not used: the keys are those that you give.
 *
 * @example
 * ```ts
 * import { JwtKey, signJws, verifyJws } from '@nodesec/native';
 *
 * const key = await JwtKey.generate('ES256');
 * const token = signJws('not claims', key);
 * const payload = verifyJws(token, key, { algorithms: ['ES256'], maxBytes: 32 * 1024 });
 * console.log(payload.toString()); // not claims
 * ```
 */
export function verifyJws(
  token: string,
  keys: KeyRing | JwtKey | JwtKey[] | RemoteJwks,
  options: { algorithms: Algorithm[]; maxBytes?: number; padding?: 'allow' },
): Buffer;

/**
 * Decodes a token **without verifying it**: for logs, never for decisions.
 *
 * It reads the token as a {@link JwtVerifier} with the right key does, by the same code, so a log
 * shows the token that was judged. `ERR_JWT_MALFORMED` if a verifier gives this code; the message
 * names the reason, such as "its payload has two members of one name", and quotes nothing of the
 * token. A token that a verifier refuses for its algorithm, key, signature or claims is decoded.
 * `maxBytes` and `padding` are those of {@link JwtVerifierOptions}; give those of your verifier.
 *
 * @example
 * ```ts
 * import { JwtIssuer, JwtKey, unsafeDecode } from '@nodesec/native';
 *
 * const key = await JwtKey.generate('ES256', { kid: 'k1' });
 * const token = new JwtIssuer({ keys: key, expiresIn: 60 }).sign({ sub: 'alice' });
 * console.log(unsafeDecode(token).header.kid); // k1
 * ```
 */
export function unsafeDecode(
  token: string,
  options?: { maxBytes?: number; padding?: 'allow' },
): {
  /** The header, unverified. */
  header: Record<string, unknown>;
  /** The payload, unverified. */
  claims: Record<string, unknown>;
};

// ── Revocation ──────────────────────────────────────────────────────────────────────────────

/** The options of {@link RevocationList}. */
export interface RevocationListOptions extends ClockOptions {
  /** The most entries: 1 to 1e8. Default: 1,000,000. An entry takes at most 64 bytes. */
  maxEntries?: number;
  /**
   * The longest lifetime of a token that is checked against the list: 1 second to ten years.
   * Default: 30 days.
   */
  maxTokenTtl?: Duration;
  /**
   * The behaviour of a full list. Default: `error`.
   *
   * - `error`: a revocation fails with `ERR_REVOCATION_FULL`, and nothing is revoked.
   * - `reject-older`: every token whose `iat` is at most now plus the largest `clockTolerance` of
   *   the verifiers with this list is refused, which makes the entries of single tokens and
   *   subjects superfluous. Every client has to log in or refresh again. The new token is accepted
   *   at once if its `jti` proves that it was issued later, as with
   *   {@link RevocationList.revokeSubject}, and otherwise after that tolerance. Revoked keys and
   *   the sessions that you revoked stay; sessions that {@link Sessions} ended may be dropped,
   *   unless several machines share the list or the sessions. If the entries that stay fill the
   *   list, the call fails with `ERR_REVOCATION_FULL`. While the system's clock is more than 300
   *   seconds ahead of the time that the boot clock counts, the call fails as with `error`, because
   *   it would refuse all tokens for that long.
   */
  onFull?: 'error' | 'reject-older';
  /**
   * The store that keeps the list. Default: none, the list is in memory. The first list on a store
   * in a process sets the other options; a list with other ones, or with another `clock`, is
   * `ERR_INVALID_ARG_VALUE`.
   */
  store?: Store;
}

/** The scope of an id. */
export interface IssuerScope {
  /** The issuer whose id is meant. Default: the id of every issuer. */
  issuer?: string;
}

/** A revocation, for listeners of {@link RevocationList.on}. It is frozen, and names no id. */
export interface RevocationEvent {
  /**
   * By which property tokens are refused: `jti`, `sid`, `sub`, the key, or `all` tokens of an
   * issuer or of any. A full list with `onFull: 'reject-older'` that makes room gives `all` first,
   * because it refuses all tokens issued until now, and then the event of the new entry.
   */
  readonly kind: 'id' | 'session' | 'subject' | 'key' | 'all';
  /**
   * When the last of these tokens has expired, in seconds since 1970: `expiresAt`, or the time of
   * issue plus `maxTokenTtl`. `undefined` for a key, which stays revoked.
   */
  readonly until: number | undefined;
  /** `local`: revoked in this process, in any thread. `remote`: in another process. */
  readonly origin: 'local' | 'remote';
  /**
   * The number of revocations right before this one that the listener is not told of, because more
   * than 10,000 waited for its thread: 0, unless its event loop was blocked meanwhile.
   * `isRevoked` knows them all.
   */
  readonly missed: number;
}

/**
 * The revoked tokens, sessions, subjects and keys, exact.
 *
 * A list is in memory and forgotten at a restart, unless it is on a {@link Store}. In memory it
 * belongs to the thread that made it, or with {@link RevocationList.shared} to all threads of the
 * process. On a store it is one list for every process of the machine: all lists on the store in a
 * process share one table, which answers without reading the store, and a revocation of any process
 * is refused by every process as soon as its promise resolves. docs/revocation.md says which to
 * choose. A list in memory becomes one for several machines with `RedisRevocations.open` of
 * @nodesec/native/redis.
 *
 * The entry of a token or session is kept for 300 seconds, the largest clock
 * tolerance, beyond its `expiresAt`; that of a subject or of all tokens for `maxTokenTtl` and 300
 * seconds, or 600 without `issuedBefore`; that of a key permanently.
 *
 * An entry leaves the list only when its time is proven to have passed: the system's clock and the
 * boot clock, which nobody can set, have agreed for an hour beyond it. So no entry leaves in the
 * first hour of a list, and none because a clock was wrong.
 *
 * In memory, both forms of a function take effect before they return. On a store the promise
 * resolves when the revocation is durable, and the synchronous form blocks until then, at most
 * for `busyMs` and a second. A call on a full list fails with `ERR_REVOCATION_FULL` (see
 * {@link RevocationListOptions.onFull}), one on a closed list with `ERR_REVOCATION_CLOSED`, and one
 * on a store with the store's error, such as `ERR_STORE_FULL`.
 *
 * While the store cannot be read, `isRevoked` throws `ERR_REVOCATION_STORE`, and verifiers refuse
 * every token with this code, unless the store was opened with `onStoreError: 'allow'`. With a list
 * over Redis the code is `ERR_REVOCATION_STALE`, and the synchronous forms throw
 * `ERR_REVOCATION_SYNC`.
 *
 * @example
 * ```ts
 * import { JwtIssuer, JwtKey, JwtVerifier, RevocationList } from '@nodesec/native';
 *
 * const revocations = new RevocationList();
 * const policy = { keys: await JwtKey.generate('ES256'), issuer: 'id', audience: 'api' };
 * const token = new JwtIssuer({ ...policy, expiresIn: '15m' }).sign({ sub: 'alice' });
 * const verifier = new JwtVerifier({ ...policy, revocations });
 *
 * await revocations.revoke(verifier.verify(token)); // its jti, exp and iss
 * console.log(verifier.tryVerify(token).code); // ERR_JWT_REVOKED
 * ```
 */
export class RevocationList {
  constructor(options?: RevocationListOptions);
  /**
   * Gives the process's list of this name, which all threads share. The first call with a name
   * makes the list, which stays for as long as the process runs; `close()` in one thread closes it
   * in all, permanently. The name has 1 to 256 bytes; `ERR_OUT_OF_RANGE` for more than 1000 names.
   *
   * Later calls pass equal options, or leave options out: `ERR_INVALID_ARG_VALUE` if one differs. A
   * shared list has no `clock`.
   *
   * @example
   * ```ts
   * import { RevocationList } from '@nodesec/native';
   *
   * const list = RevocationList.shared('logins', { maxTokenTtl: '1h' }); // in each worker thread
   * list.revokeKeySync('stolen');
   * console.log(RevocationList.shared('logins').isRevoked({ kid: 'stolen' })); // true
   * ```
   */
  static shared(
    name: string,
    options?: Omit<RevocationListOptions, keyof ClockOptions | 'store'>,
  ): RevocationList;
  /**
   * Opens a store of its own for a list, which `close()` closes. It takes the options of
   * {@link Store.open} and those of a list.
   *
   * @example
   * ```ts
   * import { mkdtempSync } from 'node:fs';
   * import { tmpdir } from 'node:os';
   * import { join } from 'node:path';
   * import { RevocationList, SecretBuffer } from '@nodesec/native';
   *
   * const path = join(mkdtempSync(join(tmpdir(), 'example-')), 'revocations');
   * const key = SecretBuffer.random(32); // in a service: SecretBuffer.fromFile
   * const list = await RevocationList.open(path, { key, maxTokenTtl: '1d' });
   * await list.revokeKey('stolen');
   * await list.close();
   *
   * const later = await RevocationList.open(path, { key, maxTokenTtl: '1d' });
   * console.log(later.isRevoked({ kid: 'stolen' })); // true
   * await later.close();
   * ```
   */
  static open(
    path: string,
    options: StoreOptions & Omit<RevocationListOptions, keyof ClockOptions | 'store'>,
  ): Promise<RevocationList>;
  /** Revokes one token. With `iss`, only the token of that issuer. */
  revoke(claims: { jti: string; exp: Moment; iss?: string }): Promise<void>;
  /** As {@link RevocationList.revoke}, synchronously. */
  revokeSync(claims: { jti: string; exp: Moment; iss?: string }): void;
  /** Revokes one token by its `jti`. `expiresAt` is the token's `exp`. */
  revokeId(jti: string, expiresAt: Moment, options?: IssuerScope): Promise<void>;
  /** As {@link RevocationList.revokeId}, synchronously. */
  revokeIdSync(jti: string, expiresAt: Moment, options?: IssuerScope): void;
  /** Revokes every token with this `sid`. `expiresAt` is the `exp` of the last of them. */
  revokeSession(sid: string, expiresAt: Moment, options?: IssuerScope): Promise<void>;
  /** As {@link RevocationList.revokeSession}, synchronously. */
  revokeSessionSync(sid: string, expiresAt: Moment, options?: IssuerScope): void;
  /**
   * Revokes the tokens of a subject whose `iat` is at most `issuedBefore`. `iat` is in whole
   * seconds, so a token issued later in the same second is refused as well.
   *
   * Default: now. Then a token is also refused if its `iat` is later by at most the largest
   * `clockTolerance` of the verifiers with this list, because the clock of its issuer may be ahead.
   * A `jti` that is a UUID of version 7, as a {@link JwtIssuer} sets it, proves the millisecond of
   * issue: if it is from the second of `iat` and later than the call, the token is accepted, so
   * that a user can log in again at once. Without such a `jti`, new tokens are refused until the
   * tolerance has passed. Both times are those of the issuer: if its clock is ahead, a token with
   * such a `jti` that it made before the call, by less than its lead, is accepted. If that may be,
   * pass a later `issuedBefore`.
   *
   * If the system's clock was set back, now is the time before, until the clocks have agreed for an
   * hour: otherwise tokens that were issued just before would pass. If the clock is ahead, now is
   * the time that it shows.
   */
  revokeSubject(sub: string, issuedBefore?: Moment, options?: IssuerScope): Promise<void>;
  /** As {@link RevocationList.revokeSubject}, synchronously. */
  revokeSubjectSync(sub: string, issuedBefore?: Moment, options?: IssuerScope): void;
  /** Revokes every token that a key signed, permanently. */
  revokeKey(kid: string): Promise<void>;
  /** As {@link RevocationList.revokeKey}, synchronously. */
  revokeKeySync(kid: string): void;
  /**
   * Revokes every token, of `issuer` or of any, whose `iat` is at most `issuedBefore`: the "not
   * before" of Keycloak. Default: now, exactly as with {@link RevocationList.revokeSubject}. Takes
   * one entry for each issuer, two if it is called with and without `issuedBefore`.
   *
   * @example
   * ```ts
   * import { RevocationList } from '@nodesec/native';
   *
   * const list = new RevocationList();
   * await list.revokeAll({ issuer: 'https://id.example', issuedBefore: 1_700_000_000 });
   * const claims = { jti: 'a', iss: 'https://id.example' };
   * console.log(list.isRevoked({ ...claims, iat: 1_700_000_000 })); // true
   * console.log(list.isRevoked({ ...claims, iat: 1_700_000_001 })); // false
   * ```
   */
  revokeAll(options?: {
    /** The issuer of the tokens. Default: any, also tokens without one. */
    issuer?: string;
    /** The last second of issue that is refused. Default: now. */
    issuedBefore?: Moment;
  }): Promise<void>;
  /** As {@link RevocationList.revokeAll}, synchronously. */
  revokeAllSync(options?: { issuer?: string; issuedBefore?: Moment }): void;
  /**
   * Calls `listener` after every revocation of any thread that succeeds, in order, in a later turn
   * of the event loop. Listening does not keep the process running. An error that a listener throws
   * is an uncaught exception; the revocation stands, and the other listeners are still called. On a
   * shared list a listener stays until `off`, or until its thread ends. While its thread is busy,
   * the last 10,000 revocations wait for it, and the next event says how many it `missed`. A
   * listener hears neither of entries that leave the list nor of `close()`.
   *
   * @example
   * ```ts
   * import { RevocationList } from '@nodesec/native';
   *
   * const list = new RevocationList();
   * const told = new Promise((resolve) => list.once('revoked', resolve));
   * await list.revokeId('a', 1_700_000_000);
   * const running = setInterval(() => {}, 1000); // as a server is
   * console.log(await told); // { kind: 'id', until: 1700000000, origin: 'local', missed: 0 }
   * clearInterval(running);
   * ```
   */
  on(event: 'revoked', listener: (event: RevocationEvent) => void): this;
  /** As {@link RevocationList.on}, for the next revocation only. */
  once(event: 'revoked', listener: (event: RevocationEvent) => void): this;
  /** Removes a listener. */
  off(event: 'revoked', listener: (event: RevocationEvent) => void): this;
  /**
   * Tells whether a token with these claims and this `kid` is revoked. If the list cannot know, it
   * throws: `ERR_REVOCATION_STORE` while the store cannot be read or is damaged,
   * `ERR_REVOCATION_STALE` while a list over Redis is stale, `ERR_STORE_CLOSED` once the store is
   * closed, and `ERR_REVOCATION_CLOSED` for a closed list in memory.
   */
  isRevoked(claims: {
    /** The token id. */
    jti?: string;
    /** The session id. */
    sid?: string;
    /** The subject. */
    sub?: string;
    /** The time of issue, in seconds since 1970. */
    iat?: number;
    /** The id of the key that signed the token. */
    kid?: string;
    /** The issuer. */
    iss?: string;
  }): boolean;
  /** The number of entries. */
  readonly size: number;
  /** Reads the counts of entries by kind. */
  stats(): {
    /** Revoked tokens. */
    ids: number;
    /** Revoked sessions. */
    sessions: number;
    /** Revoked subjects. */
    subjects: number;
    /** Revoked keys. */
    keys: number;
    /** Entries of {@link RevocationList.revokeAll}: one or two for each issuer, and for any. */
    all: number;
    /** The configured maximum. */
    maxEntries: number;
    /**
     * The second, since 1970, until which all issued tokens are refused, unless their `jti` proves
     * that they were issued later. 0 unless the list made room under `reject-older`, or its store
     * has lost changes: see `lostAt` of {@link StoreStats}.
     */
    rejectsIssuedUntil: number;
  };
  /**
   * Frees the entries. Afterwards every call, and every verification with the list, is refused. A
   * list of {@link RevocationList.open} closes its store; one that was given a `store` stays as it
   * is, because others share it: close the store.
   */
  close(): Promise<void>;
}

// ── Store ───────────────────────────────────────────────────────────────────────────────────

/** The options of {@link Store.open}. */
export interface StoreOptions {
  /**
   * Seals the keys of fingerprints, the key ring and the sessions, and authenticates every row: at
   * least 32 bytes. All processes pass the same key; another is `ERR_STORE_KEY`. It may be disposed
   * of afterwards.
   */
  key: SecretBuffer;
  /**
   * The longest wait for the transaction of another process: 1 to 600,000 ms. Default: 2000. Then a
   * change fails with `ERR_STORE_BUSY`.
   */
  busyMs?: number;
  /**
   * The answer of verifiers while the store cannot be read. Default: `deny`.
   *
   * - `deny`: they refuse every token with `ERR_REVOCATION_STORE`, and a key ring does not sign.
   * - `allow`: they go on with the revocations and keys that they know, unless the store is damaged
   *   or closed.
   *
   * It does not hold for {@link Sessions}, whose calls fail with the store's code.
   */
  onStoreError?: 'deny' | 'allow';
  /**
   * The losses that a change survives once its promise has resolved: a revocation, or a change of
   * sessions or of the key ring. Default: `power-loss`.
   *
   * - `power-loss`: the machine loses power. Each group of changes is written to the disk.
   * - `process`: any process is killed. If the machine stops, the last changes may be lost; the
   *   next opener notices that, and every token that was issued before is refused by verifiers
   *   with a list. See `lostAt` of {@link StoreStats}, and the event `store.lost` of the audit
   *   trail. Changes of sessions and of a key ring may be lost, too: revoke keys again.
   */
  durability?: 'power-loss' | 'process';
  /**
   * Opens on a file system that several machines may use (nfs, cifs, 9p, fuse), which is
   * `ERR_STORE_FILESYSTEM` otherwise, and emits the warning `NODESEC_STORE_FILESYSTEM` once.
   * Default: false. Rootless containers and gVisor have such file systems. If another machine opens
   * the same directory, revocations, sessions and keys are lost.
   */
  allowFilesystem?: boolean;
}

/** The state of a {@link Store}. */
export interface StoreStats {
  /** Revocations in the log, with those that no token needs any more. */
  entries: number;
  /** Bytes of all files of the store. */
  bytes: number;
  /** The number of the last transaction, of any process. */
  sequence: number;
  /** Transactions that this process has committed since it opened the store. */
  commits: number;
  /** The mean number of rows of these transactions. */
  meanGroup: number;
  /** The most rows of one of these transactions. */
  largestGroup: number;
  /** Stores that are open in this process on this directory. */
  openers: number;
  /** Transactions that this process has not read yet. The next verification reads them. */
  lag: number;
  /**
   * When a process noticed last that changes were lost, because the machine stopped under
   * `durability: 'process'`. The tokens that were issued until then are refused. `undefined` if
   * nothing was ever lost.
   */
  lostAt: Date | undefined;
}

/**
 * A directory that keeps revocations, sessions and a key ring for every process of a machine, also
 * after a restart.
 *
 * Pass it to `new RevocationList({ store })`, to `new Sessions({ store })` and to
 * {@link KeyRing.open}. A change is durable and seen by every process that has the store open once
 * its promise resolves. Changes of many callers are committed together. Verifiers compare one
 * number in shared memory, and read only what other processes have added since.
 *
 * The directory is made with mode 0700 if it does not exist; its parent must exist. It belongs to
 * this process's user and to nobody else, and is on a local disk. One store is open for a directory
 * in a process, for all its threads: other options than those of the first opener are
 * `ERR_INVALID_ARG_VALUE`. Close it after the last request, or leave it open until the process
 * ends.
 *
 * The files hold fingerprints of what is revoked (SipHash under keys that `key` seals) and times.
 * The key ring, and the subjects, claims and meta data of sessions are encrypted; the ids of
 * sessions are not. A store that has lost rows, or whose database is older than what was
 * acknowledged, does not open: `ERR_STORE_CORRUPT`. The errors are {@link StoreError}s. Under
 * Node's permission model the process needs `--allow-fs-read` and `--allow-fs-write` for the
 * directory.
 *
 * @example
 * ```ts
 * import { mkdtempSync } from 'node:fs';
 * import { tmpdir } from 'node:os';
 * import { join } from 'node:path';
 * import { RevocationList, SecretBuffer, Store } from '@nodesec/native';
 *
 * const path = join(mkdtempSync(join(tmpdir(), 'example-')), 'store');
 * const store = await Store.open(path, { key: SecretBuffer.random(32) });
 * const revocations = new RevocationList({ store });
 * await revocations.revokeSession('session-7', new Date('2099-01-01'));
 * console.log(store.stats().entries); // 1
 * await store.close();
 * ```
 */
export class Store {
  private constructor();
  /**
   * Opens a store, or makes it, and reads it: about 0.3 seconds for a million revocations, on a
   * thread of libuv's pool. The path has at most 4096 bytes. Rejects with a {@link StoreError}.
   */
  static open(path: string, options: StoreOptions): Promise<Store>;
  /** The state of the store. */
  stats(): StoreStats;
  /**
   * Makes a new directory with a consistent copy, which {@link Store.open} opens with the same key,
   * while the store is in use. An existing path is `ERR_STORE_OPEN`.
   */
  backup(path: string): Promise<void>;
  /**
   * Closes this store. The last one of the process waits for backups, writes the changes that
   * wait, and then its lists, sessions and key ring refuse every call with `ERR_STORE_CLOSED`.
   */
  close(): Promise<void>;
}

// ── Sessions (RFC 9700 section 4.14.2) ──────────────────────────────────────────────────────

/** The options of {@link Sessions}. */
export interface SessionsOptions extends ClockOptions {
  /**
   * Signs the access tokens. Its `expiresIn` should be minutes. `ERR_INVALID_ARG_VALUE` if it has
   * `jti: false`, because verifiers with a list would refuse its tokens.
   */
  issuer: JwtIssuer;
  /**
   * Holds the ended sessions. Give the same list to the verifiers. With `store` it is a list on
   * that store.
   */
  revocations: RevocationList;
  /**
   * The store that keeps the sessions. Default: none, they are in memory. All sessions on a store
   * in a process are one table; other options than those of the first, or another `clock`, are
   * `ERR_INVALID_ARG_VALUE`.
   */
  store?: Store;
  /** The lifetime of a session from its start: 1 second to 100 years. Default: 30 days. */
  refreshTtl?: Duration;
  /** The longest time between two refreshes: 1 second to 100 years. Default: `refreshTtl`. */
  idleTtl?: Duration;
  /**
   * For this time after a rotation, the old refresh token gives the same successor again, because a
   * response may have been lost: at most 300 seconds. Default: 30 seconds.
   */
  grace?: Duration;
  /**
   * Whether after `grace` the old refresh token gives *another* successor, as long as the last one
   * has not been used. The last one is then void, and presenting it is reuse. Default: `false`, the
   * old token is reuse. For clients that store a token before they use it, such as phones, together
   * with `grace: 0`: a thief and the owner then never share a successor. docs/sessions.md has the
   * choice.
   */
  retryUntilUsed?: boolean;
  /**
   * The most sessions: 1 to 1e8. Default: 1,000,000. Beyond it `start` fails with
   * `ERR_SESSION_FULL`. Processes that share a store may exceed it by the sessions that they start
   * at the same moment; so for `maxSessionsPerSubject`.
   */
  maxSessions?: number;
  /** The most sessions of one subject: 1 to 1e8. Default: a tenth of `maxSessions`, rounded up. */
  maxSessionsPerSubject?: number;
  /**
   * The behaviour of `start` for a subject with `maxSessionsPerSubject` sessions. Default:
   * `reject`.
   *
   * - `reject`: it fails with `ERR_SESSION_LIMIT`.
   * - `end-oldest`: the session that started first ends, as with {@link Sessions.end}.
   */
  onSessionLimit?: 'reject' | 'end-oldest';
}

/** The tokens of a session. */
export interface TokenPair {
  /** The access token, a JWT. */
  accessToken: string;
  /** The refresh token: 98 characters, opaque. */
  refreshToken: string;
  /** The lifetime of the access token, in seconds. */
  expiresIn: number;
  /** The time at which the refresh token expires unless it is used before. */
  refreshExpiresAt: Date;
  /** The id of the session, which is the access token's `sid`. */
  sessionId: string;
}

/** Claims of a session, or a function that gives them for its subject. */
export type SessionClaims = object | ((subject: string) => object | PromiseLike<object>);

/** A session, as {@link Sessions.list} gives it. */
export interface SessionInfo {
  /** The id of the session. */
  sessionId: string;
  /** The time of its start. */
  startedAt: Date;
  /** The time of the last refresh, or of the start. */
  usedAt: Date;
  /**
   * The time at which it ends: its start plus `refreshTtl`, or its last use plus `idleTtl` if that
   * is earlier.
   */
  expiresAt: Date;
  /** The meta data that `start` or `refresh` was given last. */
  meta?: Record<string, unknown>;
}

/**
 * Access and refresh tokens, with rotation and reuse detection.
 *
 * A refresh token works once; only the last one may be repeated, within `grace`. Any other reuse
 * means that somebody has a copy: the session ends, and its access tokens are revoked.
 *
 * Without `store`, sessions live in memory and belong to the thread that made the object; worker
 * threads and other processes do not see them. On a {@link Store} they survive a restart and are
 * the same for every process of the machine. A promise then resolves when its change is on the
 * disk, and every process sees it; a session ends in one transaction with the revocation of its
 * tokens. The first call of a process reads all sessions, on another thread. If the store cannot
 * answer, calls reject with its code, and nothing was used up or ended. Subjects, claims and meta
 * data are encrypted there, ids and numbers are not.
 *
 * `RedisSessions` of `@nodesec/native/redis` are sessions of all machines.
 *
 * With and without a store, a full list with `onFull: 'error'` ends a session in part: see
 * {@link Sessions.end}. docs/sessions.md has lifetimes, tabs and phones.
 *
 * @example
 * ```ts
 * import { JwtIssuer, JwtKey, RevocationList, Sessions } from '@nodesec/native';
 *
 * const issuer = new JwtIssuer({ keys: await JwtKey.generate('ES256'), expiresIn: '10m' });
 * const sessions = new Sessions({ issuer, revocations: new RevocationList() });
 *
 * const first = await sessions.start('alice', { role: 'admin' });
 * const result = await sessions.refresh(first.refreshToken);
 * if (result.pair) console.log(result.status, result.pair.expiresIn); // rotated 600
 * await sessions.endAll('alice');
 * ```
 */
export class Sessions {
  constructor(options: SessionsOptions);
  /**
   * Starts a session. `claims` go into every access token of the session; `sub` and `sid` are set
   * by the session. `meta` is for {@link Sessions.list} and is in no token: a plain object of at
   * most 4096 bytes as JSON. `ERR_SESSION_FULL` if there are `maxSessions`, and `ERR_SESSION_LIMIT`
   * if the subject has `maxSessionsPerSubject`.
   *
   * While the first key of the issuer's ring is still being made, `start` and `refresh` wait for
   * it, as {@link JwtIssuer.signAsync} does.
   */
  start(subject: string, claims?: object, options?: { meta?: object }): Promise<TokenPair>;
  /**
   * Exchanges a refresh token for a new pair. A call that fails uses nothing up.
   *
   * `claims` replace those of the session from here on, so that a demoted administrator is one for
   * no longer than an access token lives; `meta` replaces its meta data. Default: they stay.
   *
   * If `claims` is a function, it is called with the subject of a token that works, and its object,
   * or that of its promise, counts. If it throws or rejects, the call rejects with its error and
   * nothing was used up. The token is judged again afterwards: the function must be quicker than
   * `grace`, or two calls with one token may be a reuse.
   *
   * - `rotated`: a new pair. A token that is later than its session, because the store was restored
   *   from a backup or the machine has lost its last changes, is exchanged like the current one;
   *   the audit trail has `session.restored`.
   * - `replayed`: the token that was rotated last, again within the grace period. The refresh token
   *   is the same successor, the access token is new.
   * - `reuse`: an older token, one after its grace period, or one that a retry has voided. The
   *   session has been ended; tell its owner.
   * - `expired`: the session has passed `refreshTtl` or `idleTtl`.
   * - `unknown`: a token of a session that `end` or `endAll` ended, and any other text.
   */
  refresh(
    refreshToken: string,
    options?: { claims?: SessionClaims; meta?: object },
  ): Promise<
    | { status: 'rotated' | 'replayed'; pair: TokenPair }
    | { status: 'reuse' | 'expired'; sessionId: string; subject: string; pair?: undefined }
    | { status: 'unknown'; pair?: undefined }
  >;
  /**
   * Ends a session: its refresh token stops working and its access tokens are revoked, so verifiers
   * with the list refuse them at once. An unknown id is no error; a text that is not a UUID is
   * `ERR_INVALID_ARG_VALUE`. If the list is full, with `onFull: 'error'`, the call fails with
   * `ERR_REVOCATION_FULL`: the refresh token has stopped working and {@link Sessions.list} no
   * longer has the session, but its access tokens stay valid until their `exp`. Repeat the call.
   */
  end(sid: string): Promise<void>;
  /**
   * Ends the session of a refresh token, for a logout without a valid access token. A token that is
   * used up ends its session as well. Resolves to whether there was such a session.
   */
  endByRefreshToken(refreshToken: string): Promise<boolean>;
  /**
   * Ends every session of a subject, as {@link Sessions.end}, and revokes every other access token
   * of the subject from before the current second. A session that starts after the call is not
   * affected. Many sessions end in groups, between which other work runs; all have ended when the
   * promise resolves. It reaches the sessions of this object, or of all processes on its store, and
   * access tokens only where a verifier uses this list.
   */
  endAll(subject: string): Promise<void>;
  /** Lists the sessions of a subject. */
  list(subject: string): Promise<SessionInfo[]>;
}

// ── Proofs of possession (DPoP) ─────────────────────────────────────────────────────────────

/** The options of {@link DpopReplayCache}. */
export interface DpopReplayCacheOptions {
  /**
   * The number of proofs that fit: 64 to 2^26. Each takes 16 bytes. Default: 262,144 (4 MiB), which
   * are 2900 requests a second, because a proof can be kept for 90 seconds if `maxAge` is 60: 30
   * seconds more than the longest `maxAge` of any middleware that has ever used the cache.
   */
  maxEntries?: number;
}

/**
 * Remembers the DPoP proofs (RFC 9449) that requests have come with, so that each counts once, and
 * makes the nonces of `authenticate({ dpop: { nonce: true } })`. docs/dpop.md is a guide.
 *
 * Only proofs that are right in everything else are remembered, beside an accepted token, by a
 * keyed fingerprint of key and `jti`. A proof is kept until no middleware accepts its age. If
 * there is no room for another, the request is refused (`ERR_DPOP_FULL`, 503). The longest `maxAge`
 * of any middleware counts for all proofs, as long as the cache lives, or its file.
 *
 * The constructor makes a cache of its own, {@link DpopReplayCache.shared} one of all threads, and
 * {@link DpopReplayCache.machine} one of all processes. A proof from before a cache began, or of
 * its first second, is refused, because it may have been used: after a restart of the only process,
 * clients get a 401 for proofs that they made before, and repeat the request with a new one. In
 * tests, wait for a second, or give a `clock` that goes on after the cache is made. A client whose
 * clock is up to 30 seconds ahead can make proofs that are later than the restart; only nonces, or
 * a cache of the machine, refuse their replay.
 *
 * @example
 * ```ts
 * import { DpopReplayCache } from '@nodesec/native';
 *
 * const replay = new DpopReplayCache({ maxEntries: 10_000 });
 * console.log(replay.stats()); // { capacity: 10000, entries: 0 }
 * ```
 */
export class DpopReplayCache {
  /**
   * Makes a cache. `clock` is also the clock by which `authenticate` judges the proofs. If there is
   * no memory, `ERR_DPOP_FULL`.
   */
  constructor(options?: DpopReplayCacheOptions & ClockOptions);

  /**
   * The cache of a name, one for all worker threads of the process. The first call makes it;
   * another `maxEntries` afterwards is `ERR_INVALID_ARG_VALUE`. Names have 1 to 256 bytes. The
   * process has at most 1000 of these caches, and keeps them until it ends. `authenticate` uses one
   * of its own unless it is given a cache.
   *
   * @example
   * ```ts
   * import { DpopReplayCache } from '@nodesec/native';
   *
   * const replay = DpopReplayCache.shared('api');
   * console.log(replay.stats().capacity); // 262144
   * ```
   */
  static shared(name: string, options?: DpopReplayCacheOptions): DpopReplayCache;

  /**
   * The cache of a file, one for all processes of the machine that open the path. The first call
   * makes the file. No broker and no lock is involved, so a process that is killed or stopped keeps
   * nobody waiting. The file outlives its processes, so a proof that was used before a restart of
   * the service is still refused; it begins anew when the machine starts. Nonces of one process are
   * those of all.
   *
   * Where to put the file, and the errors, are as for {@link RateLimiter.machine}, with the code
   * `ERR_DPOP_FILE`. Another `maxEntries` than that of the file is `ERR_INVALID_ARG_VALUE`. There
   * is no `clock`.
   *
   * @example
   * ```ts
   * import { mkdtempSync } from 'node:fs';
   * import { tmpdir } from 'node:os';
   * import { join } from 'node:path';
   * import { DpopReplayCache } from '@nodesec/native';
   *
   * const path = join(mkdtempSync(join(tmpdir(), 'dpop-')), 'proofs'); // or /run/my-service/proofs
   * const replay = DpopReplayCache.machine(path, { maxEntries: 100_000 });
   * console.log(replay.stats().entries); // 0
   * ```
   */
  static machine(path: string, options?: DpopReplayCacheOptions): DpopReplayCache;

  /** The number of proofs that fit, and of those that are kept. Reads the whole table. */
  stats(): { capacity: number; entries: number };
}

/** The request of a proof. */
export interface DpopProofOptions {
  /** The method, as it is sent: `GET`. 1 to 64 bytes. */
  method: string;
  /** The address, of http or https. Query and fragment are left out. At most 16 KiB. */
  url: string;
  /** The access token that is sent with the proof. A protected resource demands it. */
  accessToken?: string;
  /** The nonce of the last header `DPoP-Nonce` from this server. At most 1 KiB. */
  nonce?: string;
}

/**
 * Makes a DPoP proof (RFC 9449 section 4.2), for the header `DPoP` of one request. Make a new one
 * for each request, also for one that is repeated.
 *
 * `ERR_JWT_KEY` unless `key` is a key pair with its private half, `ERR_INVALID_ARG_VALUE` for a
 * `url` that is no address or is not ASCII: pass `URL.href`.
 *
 * @example
 * ```ts
 * import { JwtKey, createDpopProof, unsafeDecode } from '@nodesec/native';
 *
 * const key = await JwtKey.generate('ES256');
 * const proof = createDpopProof(key, { method: 'GET', url: 'https://api.example/orders?page=2' });
 * const { header, claims } = unsafeDecode(proof);
 * console.log(header.typ, claims.htm, claims.htu); // dpop+jwt GET https://api.example/orders
 * ```
 */
export function createDpopProof(key: JwtKey, options: DpopProofOptions): string;

// ── Rate limits (GCRA) ──────────────────────────────────────────────────────────────────────

/** The numbers of a limit. */
export interface RateLimit {
  /** Units per window: 1 to 1e9, or to 4,194,303 in fixed windows. */
  limit: number;
  /** The window: 1 ms to 366 days. */
  windowMs: number;
  /**
   * Units that may be taken at once: 1 to 1e9. Default: `limit`, or half of it with `strict`. In
   * any W milliseconds at most burst + W × limit / windowMs units are allowed. Not for fixed
   * windows.
   */
  burst?: number;
}

/** A limit of several. */
export interface NamedRateLimit extends RateLimit {
  /** 1 to 64 printable ASCII characters without `"` and `\`. Default: `'default'`. */
  name?: string;
}

/** One limit, or 1 to 4 limits that are decided together, and how strict they are. */
export type RateLimits = ((RateLimit & { limits?: undefined }) | RateLimitList) & {
  /**
   * With `true`, no window of any kind has more than `limit` units: `burst` (at most `limit`,
   * default half of it, rounded up) at once, and `limit - burst` more in a window. Default:
   * `false`.
   */
  strict?: boolean;
};

/** Limits that are decided together. */
export interface RateLimitList {
  /**
   * 1 to 4 limits with different names. A call takes its cost of all of them, or nothing if one
   * refuses it.
   */
  limits: NamedRateLimit[];
}

/** The table of a {@link RateLimiter}. */
export interface RateLimiterTable {
  /**
   * The number of keys that fit: 8 to 2^26. Default: 2^20. Memory grows on demand, at most 24 bytes
   * per key, and 8 more for each limit after the first.
   *
   * As long as no more keys are below their burst or blocked, none is forgotten. See `onFull` for
   * more keys.
   */
  maxKeys?: number;
  /**
   * The treatment of a new key while the table is full. `'evict'`: the table forgets the key that
   * recovers first, but none that has to wait for its next unit or is blocked; if all have to, the
   * newcomers share the units of one key. `'deny'`: the newcomer is refused until a key has
   * recovered. `'allow'`: as `'evict'`, but if all keys have to wait, the newcomers are allowed and
   * not counted, so that no client suffers from the keys of others. Default: `'evict'`.
   */
  onFull?: 'evict' | 'deny' | 'allow';
  /**
   * How units come back. `'gcra'`: one after the other. `'fixed-window'`: all together, `windowMs`
   * after the first was taken, as in the stores of other packages; the window may end up to a
   * millisecond late, which its `resetMs` and `retryAfterMs` do not count. Default: `'gcra'`.
   */
  algorithm?: 'gcra' | 'fixed-window';
}

/** The options of {@link RateLimiter}. */
export type RateLimiterOptions = RateLimits & RateLimiterTable & ClockOptions;

/** A limit, as results name it. */
export interface RateLimitPolicy {
  /** The name, `'default'` unless given. */
  readonly name: string;
  /** Units per window. */
  readonly limit: number;
  /** The window, in milliseconds. */
  readonly windowMs: number;
  /** Units that may be taken at once. */
  readonly burst: number;
}

/** The numbers of one limit in a result. */
export interface RateLimitNumbers {
  /** The configured units per window. */
  limit: number;
  /** The units left; at most the burst, and 0 if the key is blocked. */
  remaining: number;
  /** The time after which the same call is allowed; 0 if it was allowed. */
  retryAfterMs: number;
  /** The time after which the key has its full burst again. */
  resetMs: number;
}

/**
 * The result of {@link RateLimiter.consume}. The numbers are those of the tightest limit: the one
 * with the longest wait if the call is refused, else the one with the fewest units left.
 */
export interface RateLimitResult extends RateLimitNumbers {
  /** Whether the cost was taken. */
  allowed: boolean;
  /** The tightest limit, as configured. */
  policy: RateLimitPolicy;
  /** The numbers of every limit. */
  limits: (RateLimitNumbers & { name: string; windowMs: number })[];
  /**
   * The names of the limits that refuse the call. None if it is allowed, if the key is blocked, or
   * if `onFull: 'deny'` refuses a new key.
   */
  violated: string[];
}

/** The state of a limiter's table. */
export interface RateLimiterStats {
  /** `maxKeys`. */
  capacity: number;
  /** Keys below their burst. */
  keys: number;
  /** Keys that {@link RateLimiter.block} holds. */
  blocked: number;
  /**
   * Keys below their burst that were forgotten, since the limiter was made. If it grows, `maxKeys`
   * is too small, or somebody sends many keys.
   */
  evictions: number;
  /** Calls for which there was no slot: they shared the units of one key, or were refused. */
  overflows: number;
  /** How often there was no memory to grow. The table then keeps its size. */
  growthFailures: number;
}

/**
 * A token bucket per key (GCRA), in a table of bounded size. It lives in memory and belongs to the
 * thread that made it, unless it is {@link RateLimiter.shared} by the threads of a process, or by
 * all processes of a {@link RateLimiter.machine}.
 *
 * A key is text or bytes of a length of 1 to 8192 bytes; a cost is an integer from 1 on. A cost
 * above the burst of a limit throws `ERR_LIMIT_COST`. A refusal is a value, never an error; a key
 * that is empty, too long or has a lone surrogate throws an `ArgumentError`, so check the values of
 * a request first. The constructor throws `ERR_LIMIT_FULL` if there is no memory.
 *
 * For a key of the client's address behind one proxy in Express, set `app.set('trust proxy', 1)`
 * (never `true`, with which clients choose their address) and use {@link ipKey} of `req.ip`. For
 * logins there is {@link LoginThrottle}. For the headers of a 429: `Retry-After` is `retryAfterMs`
 * in seconds, rounded up; `RateLimit` (IETF draft) has `r` = `remaining` and `t` = `resetMs` in
 * seconds. docs/limits.md says which limits to set.
 *
 * @example
 * ```ts
 * import { RateLimiter } from '@nodesec/native';
 *
 * const logins = new RateLimiter({ limit: 5, windowMs: 60_000 });
 * const { allowed, remaining, retryAfterMs } = logins.consume('account:alice');
 * console.log(allowed, remaining, retryAfterMs); // true 4 0
 *
 * const api = new RateLimiter({
 *   limits: [
 *     { name: 'second', limit: 2, windowMs: 1000 },
 *     { name: 'hour', limit: 1000, windowMs: 3_600_000 },
 *   ],
 * });
 * for (let call = 1; call <= 2; call += 1) api.check('client:1');
 * const { violated, limits } = api.consume('client:1');
 * console.log(violated, limits.map((each) => each.remaining)); // [ 'second' ] [ 0, 998 ]
 * ```
 */
export class RateLimiter {
  constructor(options: RateLimiterOptions);
  /**
   * Gives the limiter of a name that all worker threads of the process share; the first call makes
   * it. It stays until the process ends. Every thread may pass the same options, or none once the
   * limiter exists; other options are `ERR_INVALID_ARG_VALUE`. A name has 1 to 256 bytes; a process
   * has at most 1000 (`ERR_OUT_OF_RANGE`). Without memory, `ERR_LIMIT_FULL`. There is no `clock`.
   *
   * @example
   * ```ts
   * import { RateLimiter } from '@nodesec/native';
   *
   * RateLimiter.shared('logins', { limit: 5, windowMs: 60_000 }).check('alice', 5);
   * console.log(RateLimiter.shared('logins').check('alice')); // false
   * ```
   */
  static shared(name: string, options?: (RateLimits | object) & RateLimiterTable): RateLimiter;
  /**
   * Gives the limiter of a file, which all processes and threads of this machine share that open
   * the path. The first call makes the file, for `maxKeys` keys at once: 24 bytes per key at most,
   * and 8 more for each limit after the first; 2^20 keys take 23 MiB. No broker and no lock is
   * involved, so a process that is killed or stopped keeps nobody waiting and frees no key; its
   * last call may leave its cost taken. The file keeps its keys when all processes end. It begins
   * anew when the machine starts. Its clock runs while the machine sleeps; there is no `clock`.
   *
   * Pass the same options everywhere, or none once the file exists. The limits may be those that
   * the file was made with or those that it has now; another option is `ERR_INVALID_ARG_VALUE`,
   * whose message names it. Without a file, limits are required (`ERR_MISSING_OPTION`).
   * {@link RateLimiter.setLimits} holds for all processes from their next call on.
   * {@link RateLimiter.clear} and `setLimits` may miss a call of another process that runs at the
   * same time. If processes compete for the last units of several limits, a call may be refused
   * although units are left; none is allowed too many. There is no snapshot (`ERR_LIMIT_SNAPSHOT`).
   *
   * Put the file where only the user of the service can write, best in memory: below `/run` or
   * `/dev/shm`. systemd deletes a `RuntimeDirectory` when the service stops, unless
   * `RuntimeDirectoryPreserve=restart` or `yes` is set. Its processes have to trust each other. The
   * path has 1 to 4096 bytes, and files whose names begin with it are made beside it for a moment.
   *
   * `ERR_LIMIT_FILE`: the path is a link, no regular file, on a network file system, of another
   * user or open to others (mode 0600 is required; not checked on Windows); the file is no
   * limiter's or was cut; the disk is full; another process has held the file locked for a second
   * while it changes limits, or for five while it begins the file anew. Under Node's permission
   * model, `ERR_ACCESS_DENIED` unless the path and all names that begin with it may be read and
   * written.
   *
   * @example
   * ```ts
   * import { mkdtempSync } from 'node:fs';
   * import { tmpdir } from 'node:os';
   * import { join } from 'node:path';
   * import { RateLimiter } from '@nodesec/native';
   *
   * const path = join(mkdtempSync(join(tmpdir(), 'limits-')), 'logins'); // or /run/my-service/logins
   * const logins = RateLimiter.machine(path, { limit: 5, windowMs: 60_000, maxKeys: 100_000 });
   * logins.check('alice', 5);
   * // In another process:
   * console.log(RateLimiter.machine(path).check('alice')); // false
   * ```
   */
  static machine(path: string, options?: (RateLimits | object) & RateLimiterTable): RateLimiter;
  /**
   * Makes a limiter with the keys of a {@link RateLimiter.snapshot}. The time in between counts, by
   * the wall clock. Limits are matched by name: one that the snapshot lacks starts anew, and one
   * with other numbers is changed as by {@link RateLimiter.setLimits}.
   *
   * With the same `maxKeys` and number of limits, every key is decided as before. Otherwise no
   * blocked key is freed; new keys may wait as long as those that found no slot, and a table that
   * is too small forgets keys as a full one does.
   *
   * Errors: `ERR_LIMIT_SNAPSHOT` if the bytes are no snapshot, are damaged, or of a later version;
   * `ERR_INVALID_ARG_VALUE` if it is of another `algorithm`; `ERR_LIMIT_FULL` without memory.
   */
  static restore(snapshot: Uint8Array, options: RateLimiterOptions): RateLimiter;
  /** Takes the cost (default 1) if it is there, and tells whether it was. */
  check(key: string | Uint8Array, cost?: number): boolean;
  /** Takes the cost (default 1) if it is there, and gives the numbers to tell the client. */
  consume(key: string | Uint8Array, cost?: number): RateLimitResult;
  /** Gives the result that a cost (default 1) would have, and takes nothing. */
  peek(key: string | Uint8Array, cost?: number): RateLimitResult;
  /** Gives the key its full burst, but does not unblock it. Tells whether that changed anything. */
  reset(key: string | Uint8Array): boolean;
  /**
   * Gives back a cost (default 1) that was taken, of every limit: for a request that turned out not
   * to count, such as a login with the right password. A key never gets more than its burst, so a
   * cost may be above it: it may have been taken before {@link RateLimiter.setLimits}. A key that a
   * full table has forgotten gets nothing.
   *
   * @example
   * ```ts
   * import { RateLimiter } from '@nodesec/native';
   *
   * const failures = new RateLimiter({ limit: 5, windowMs: 900_000 });
   * const passwordIsRight = true;
   * if (failures.check('alice') && passwordIsRight) failures.refund('alice');
   * console.log(failures.peek('alice').remaining); // 5
   * ```
   */
  refund(key: string | Uint8Array, cost?: number): void;
  /**
   * Takes a cost of every limit, from 1 to 1e9, even if it is not there. The key then waits longer,
   * at most one window more than with an empty bucket.
   */
  penalize(key: string | Uint8Array, cost: number): void;
  /**
   * Refuses the key for a time, from 1 ms to 366 days, in place of an earlier block. Its used
   * units stay used. The block is kept in a full table, by {@link RateLimiter.setLimits}, by
   * {@link RateLimiter.reset} and in a snapshot.
   *
   * If all slots are taken by blocked keys, the block takes the slot of the key itself, and then
   * lasts at least until the key has recovered; a key without one shares its block with the other
   * new keys of its part of the table.
   */
  block(key: string | Uint8Array, ms: number): void;
  /** Ends the block of the key. Its used units stay used. */
  unblock(key: string | Uint8Array): void;
  /** Forgets all keys and blocks. The counters of {@link RateLimiter.stats} stay. */
  clear(): void;
  /**
   * Changes the numbers of the limits, for all threads of a shared limiter and all processes of
   * the machine's. No key is forgotten:
   * each keeps the time until it has recovered, at most that of the new burst. Blocks stay.
   * Takes about a millisecond for 200,000 keys.
   *
   * The limits have the same names in the same order as before, else `ERR_INVALID_ARG_VALUE`.
   *
   * @example
   * ```ts
   * import { RateLimiter } from '@nodesec/native';
   *
   * const api = new RateLimiter({ limit: 10, windowMs: 1000 });
   * api.check('client:1', 10);
   * api.setLimits({ limit: 1000, windowMs: 1000 });
   * console.log(api.peek('client:1').policy.limit); // 1000
   * ```
   */
  setLimits(limits: RateLimits): void;
  /**
   * Gives the keys, blocks and counts of a full table as bytes, for {@link RateLimiter.restore}
   * after a deploy. They hold no key, but the secret of the table's hash: with it, an attacker can
   * find keys that collide.
   * Takes about a millisecond for 100,000 keys; 16 bytes per key, 8 more for each further limit.
   * Without memory, `ERR_LIMIT_FULL`.
   *
   * @example
   * ```ts
   * import { RateLimiter } from '@nodesec/native';
   *
   * const options = { limit: 5, windowMs: 60_000 };
   * const before = new RateLimiter(options);
   * before.check('alice', 5);
   * const after = RateLimiter.restore(before.snapshot(), options);
   * console.log(after.check('alice')); // false
   * ```
   */
  snapshot(): Buffer;
  /** Reads the state of the table: about a millisecond for 500,000 keys. */
  stats(): RateLimiterStats;
}

/** The options of {@link LoginThrottle}. */
export interface LoginThrottleOptions extends ClockOptions {
  /**
   * The failures of an account from one address before its blocks begin: 1 to 100. Default: 5.
   */
  freeFailures?: number;
  /**
   * The first block of an account from one address: 1 second to 1 day. Each further failure doubles
   * it. Default: 60,000.
   */
  blockMs?: number;
  /** The longest block: `blockMs` to 30 days. Default: one hour. */
  maxBlockMs?: number;
  /** The part of a block that is added at random, at most: 0 to 1. Default: 0.2. */
  jitter?: number;
  /**
   * The time after which the failures of an account from one address are forgotten, from the first
   * on: `maxBlockMs` to 366 days, at least a minute. Default: one day.
   */
  forgetMs?: number;
  /**
   * The attempts from one address that do not succeed, on all accounts together. Default: 20 a
   * minute and 1000 a day.
   */
  address?: RateLimits;
  /**
   * The failures of one account from all addresses, after which each address has one attempt before
   * its blocks begin. Default: 100 a day.
   */
  account?: RateLimits;
  /** As {@link RateLimiterTable.maxKeys}, for each of three tables. Default: 2^20. */
  maxKeys?: number;
  /** As {@link IpKeyOptions.ipv4Prefix}. */
  ipv4Prefix?: number;
  /** As {@link IpKeyOptions.ipv6Prefix}. */
  ipv6Prefix?: number;
}

/** An attempt to log in. */
export interface LoginAttempt {
  /**
   * The account: 1 to 1024 bytes. Pass the same text for every spelling that your login accepts,
   * for example in lower case.
   */
  account: string;
  /** The client's address, as {@link ipKey} reads it. */
  ip: string;
}

/**
 * Slows down guesses at passwords. Ask it before the password is hashed, and tell it the outcome.
 *
 * Three counts decide: those of an account from an address, of an address, and of an account. An
 * account from one address has `freeFailures` attempts; then each failure blocks this pair, first
 * for `blockMs`, then for twice as long each time. With the defaults an address has some 35 guesses
 * at an account a day. An address is refused beyond `address`. Beyond `account`, the pairs of this
 * account are blocked from their first failure on.
 *
 * Failures from other addresses never refuse an attempt, so nobody can lock a user out from
 * elsewhere: from an address without failures, the right password is always accepted. Users who
 * share an address share its limit. If all `maxKeys` pairs are blocked, new pairs are not counted,
 * and only `address` limits their guesses. If as many addresses are over their limit at once, new
 * addresses share the attempts of one, for the time of its window.
 *
 * An attempt counts from its start: a hundred at once count as a hundred, and one that has no
 * outcome, because the client hung up, counts as an attempt that failed. The tables are those of
 * {@link RateLimiter}, in the memory of one thread. A refusal publishes `limit.denied`. An
 * `account` or `ip` that cannot be used throws an `ArgumentError`.
 *
 * @example
 * ```ts
 * import { LoginThrottle, PasswordHasher } from '@nodesec/native';
 *
 * const throttle = new LoginThrottle();
 * const passwords = new PasswordHasher({ profile: 'owasp' });
 * const digest = await passwords.hash('correct horse');
 *
 * async function login(account: string, ip: string, password: string) {
 *   const { allowed, retryAfterMs } = throttle.check({ account, ip });
 *   if (!allowed) return `wait ${Math.ceil(retryAfterMs / 1000)} s`;
 *   const isRight = await passwords.verify(digest, password);
 *   if (isRight) throttle.success({ account, ip });
 *   else throttle.failure({ account, ip });
 *   return isRight ? 'welcome' : 'wrong password';
 * }
 *
 * for (let guess = 1; guess <= 5; guess += 1) await login('ann', '192.0.2.1', 'a guess');
 * console.log(await login('ann', '192.0.2.1', 'correct horse')); // wait … s
 * console.log(await login('ann', '198.51.100.7', 'correct horse')); // welcome
 * ```
 */
export class LoginThrottle {
  constructor(options?: LoginThrottleOptions);
  /** Takes an attempt, if one is there; else says when there will be one. */
  check(attempt: LoginAttempt): {
    /** Whether the password may be verified. */
    allowed: boolean;
    /** The time until the next attempt; 0 if this one is allowed. */
    retryAfterMs: number;
  };
  /** The password was right. Forgets the failures of the account from this address. */
  success(attempt: LoginAttempt): void;
  /** The password was wrong. */
  failure(attempt: LoginAttempt): void;
}

/** The options of {@link ConcurrencyLimiter}. */
export interface ConcurrencyLimiterOptions {
  /** The leases of all keys together: 1 to 1e9. */
  max: number;
  /** The leases of one key: 1 to 1e9. Default: no limit of its own. */
  perKey?: number;
}

/** A place of a {@link ConcurrencyLimiter}. */
export interface Lease {
  /** Gives the place back. Later calls do nothing. */
  release(): void;
  /** `using lease = …` gives the place back at the end of the block. */
  [Symbol.dispose](): void;
}

/** The numbers of the tighter limit of a {@link ConcurrencyLimiter}. */
export interface ConcurrencyResult {
  /** Whether there is a place. */
  allowed: boolean;
  /** `max`, or `perKey`. */
  limit: number;
  /** The free places. */
  remaining: number;
  /** The limit to which the numbers belong: `total` is `max`, `key` is `perKey`. */
  scope: 'total' | 'key';
}

/**
 * Limits the work that runs at the same time, such as requests that wait for a slow service. It
 * lives in the memory of one thread, and has one entry for each key that has leases.
 *
 * A key is 1 to 8192 bytes, or text, which is its bytes in UTF-8. With `perKey` it is needed
 * (`ERR_INVALID_ARG_TYPE`). A lease that is never released is lost.
 *
 * @example
 * ```ts
 * import { ConcurrencyLimiter } from '@nodesec/native';
 *
 * const reports = new ConcurrencyLimiter({ max: 100, perKey: 1 });
 * const lease = reports.acquire('customer:17');
 * console.log(reports.acquire('customer:17')); // null
 * lease?.release();
 * console.log(reports.peek('customer:17').remaining); // 1
 * ```
 */
export class ConcurrencyLimiter {
  constructor(options: ConcurrencyLimiterOptions);
  /** Takes a place, or gives `null` if there is none. */
  acquire(key?: string | Uint8Array): Lease | null;
  /** Tells whether there is a place, and takes none. */
  peek(key?: string | Uint8Array): ConcurrencyResult;
  /** The state of the limiter. */
  stats(): {
    /** The option `max`. */
    max: number;
    /** Leases that are not released. */
    active: number;
    /** Keys with leases, with `perKey`. */
    keys: number;
    /** Calls of `acquire` that gave `null`. */
    refused: number;
  };
}

/** The options of {@link ipKey}. */
export interface IpKeyOptions {
  /** The bits of an IPv4 address that count: 8 to 32. Default: 32. */
  ipv4Prefix?: number;
  /**
   * The bits of an IPv6 address that count: 16 to 128. Default: 56, the least that providers give
   * to a customer, who may use another address of it for every request.
   */
  ipv6Prefix?: number;
}

/**
 * Gives the key under which a client's address is counted: an IPv4 address, or the network of an
 * IPv6 address with the length of its prefix.
 *
 * It reads an address alone, an IPv6 address with a zone (`fe80::1%eth0`) or in brackets, and an
 * IPv4 address or a bracketed IPv6 address with a port. An IPv6 address that stands for an IPv4
 * address gives the key of that: mapped (`::ffff:0:0/96`), with the well-known prefix of NAT64
 * (`64:ff9b::/96`), and of 6to4 (`2002::/16`). Without this, all IPv4 clients of a server that
 * listens on IPv6 would be one client. A prefix that a NAT64 operator has chosen is not known here.
 *
 * Anything else is `ERR_INVALID_ARG_VALUE`: a name, a list of addresses, an IPv4 address with
 * leading zeros.
 *
 * @example
 * ```ts
 * import { ipKey } from '@nodesec/native';
 *
 * console.log(ipKey('::ffff:192.0.2.1')); // 192.0.2.1
 * console.log(ipKey('[2001:db8:1:2ff::1]:443')); // 2001:db8:1:200::/56
 * console.log(ipKey('2001:db8:1:2ff::1', { ipv6Prefix: 48 })); // 2001:db8:1::/48
 * ```
 */
export function ipKey(ip: string, options?: IpKeyOptions): string;

// ── Secrets ─────────────────────────────────────────────────────────────────────────────────

/**
 * Secret bytes, 1 byte to 1 MiB, outside of JavaScript's heap.
 *
 * The memory is locked and left out of dumps as far as the machine allows ({@link secureHeap}), and
 * wiped when its last user releases it. A secret prints as `[SecretBuffer 32 bytes]`;
 * `structuredClone` and `postMessage` refuse it with a `DataCloneError` ({@link SecretBuffer.share}
 * hands it to a worker).
 *
 * A full heap throws `ERR_SECRET_EXHAUSTED`, unless {@link SecureHeapOptions.overflow} says
 * otherwise. After `dispose`, every method except `dispose` throws `ERR_SECRET_DISPOSED`.
 *
 * @example
 * ```ts
 * import { hash, SecretBuffer } from '@nodesec/native';
 *
 * const pepper = SecretBuffer.random(32); // or .fromFile('…'), .fromEnv('…')
 * console.log(pepper); // [SecretBuffer 32 bytes]
 * const digest = await hash('a password', { secret: pepper });
 * pepper.dispose();
 * ```
 */
export class SecretBuffer {
  private constructor();
  /** Makes a secret of random bytes: 1 byte to 1 MiB. */
  static random(bytes: number): SecretBuffer;
  /**
   * Copies bytes into a secret. With `wipe: true` the source is zeroed afterwards.
   *
   * V8 keeps an array of at most 64 bytes in its own heap. This call, and every other that takes
   * secret bytes, moves the bytes out of that heap without leaving a copy.
   *
   * @example
   * ```ts
   * import { SecretBuffer } from '@nodesec/native';
   *
   * const bytes = new Uint8Array(128).fill(7);
   * const secret = SecretBuffer.from(bytes, { wipe: true });
   * console.log(secret.byteLength, bytes[0]); // 128 0
   * ```
   */
  static from(data: Uint8Array, options?: { wipe?: boolean }): SecretBuffer;
  /**
   * Reads a secret from a text of at most 4096 bytes. Default encoding: `utf8`.
   *
   * `hex`, `base64` (with padding) and `base64url` (without) are decoded in constant time. The text
   * is written straight into secret memory; the string itself stays on JavaScript's heap.
   */
  static fromString(
    text: string,
    encoding?: 'utf8' | 'hex' | 'base64' | 'base64url',
  ): SecretBuffer;
  /**
   * Reads a secret from a regular file, without a buffer in between. `path` has 1 to 4096 bytes.
   * Links are followed, because Kubernetes mounts secrets as links; the checks are made on the file
   * that was opened.
   *
   * Errors:
   * - `ERR_SECRET_PERMISSIONS`: the group or others may read or write the file (`mode & 0o066`), or
   *   it belongs to another user than root and the user of the process. Not checked on Windows.
   * - `ERR_SECRET_FILE`: the file cannot be read, is not regular, is empty, larger than `maxBytes`
   *   or malformed.
   * - `ERR_ACCESS_DENIED`, with `permission` and `resource` as in Node's own error: Node runs with
   *   `--permission` and without `--allow-fs-read` for the path, or Deno without `--allow-read`.
   *
   * @example
   * ```ts
   * import { writeFileSync, mkdtempSync } from 'node:fs';
   * import { tmpdir } from 'node:os';
   * import { join } from 'node:path';
   * import { SecretBuffer } from '@nodesec/native';
   *
   * const file = join(mkdtempSync(join(tmpdir(), 'secret-')), 'pepper');
   * writeFileSync(file, 'c2VjcmV0IHBlcHBlcg==\n', { mode: 0o600 });
   * const pepper = SecretBuffer.fromFile(file, { encoding: 'base64' });
   * console.log(pepper.byteLength); // 13
   * ```
   */
  static fromFile(path: string, options?: SecretFileOptions): SecretBuffer;
  /**
   * Takes a secret out of an environment variable, without a JavaScript string. The name has 1 to
   * 256 bytes; `encoding` as in {@link SecretBuffer.fromString}, default `utf8`.
   *
   * With `wipe` (default true) every occurrence of the variable in the environment block is
   * overwritten, and the variable is deleted, from `process.env` too. On Windows it is only
   * deleted.
   *
   * Call it first, before other code starts:
   * - Copies made before remain: strings that code has read from `process.env`, child processes,
   *   workers.
   * - C libraries do not lock the environment. Native code that looks up a variable in another
   *   thread at that moment may see this variable half wiped, or fail to find a different variable.
   *
   * `ERR_SECRET_ENV` if the variable is not set, empty or malformed (it is then left as it is), or
   * if a worker thread calls, whose `process.env` is a copy. In Bun every `process.env` is one: a
   * variable that code has assigned there is not set. `ERR_ACCESS_DENIED` if Deno runs without
   * `--allow-env` for the variable.
   *
   * @example
   * ```ts
   * import { SecretBuffer } from '@nodesec/native';
   *
   * process.env.SESSION_SECRET = 'a'.repeat(64); // in a service, set outside
   * const secret = SecretBuffer.fromEnv('SESSION_SECRET', { encoding: 'hex' });
   * console.log(secret.byteLength, process.env.SESSION_SECRET); // 32 undefined
   * ```
   */
  static fromEnv(
    name: string,
    options?: { encoding?: 'utf8' | 'hex' | 'base64' | 'base64url'; wipe?: boolean },
  ): SecretBuffer;
  /**
   * Decrypts the result of {@link SecretBuffer.seal} straight into secret memory. `ERR_SECRET_SEAL`
   * if the key or the context is another one, or the bytes have been changed; the error does not
   * say which.
   */
  static unseal(
    sealed: Uint8Array,
    key: SecretBuffer,
    options: { context: string },
  ): SecretBuffer;
  /**
   * Takes over a secret by the ticket of {@link SecretBuffer.share}, in another thread or the same.
   * `ERR_SECRET_TICKET` if the ticket is unknown, used or expired.
   */
  static adopt(ticket: string): SecretBuffer;

  /** The length in bytes. */
  readonly byteLength: number;
  /** Whether `dispose` has been called. */
  readonly disposed: boolean;
  /**
   * Lends a copy of the bytes to `fn`, wipes the copy when `fn` returns or throws, and gives the
   * result of `fn`.
   *
   * `ERR_SECRET_ESCAPED` if `fn` transfers the `ArrayBuffer` of the bytes elsewhere;
   * `ERR_INVALID_RETURN_VALUE` if `fn` returns a promise: use {@link SecretBuffer.useAsync}. `fn`
   * must wipe copies that it makes itself.
   *
   * @example
   * ```ts
   * import { createHmac } from 'node:crypto';
   * import { SecretBuffer } from '@nodesec/native';
   *
   * const secret = SecretBuffer.random(32);
   * const tag = secret.use((bytes) => createHmac('sha256', bytes).update('message').digest('hex'));
   * console.log(tag.length); // 64
   * ```
   */
  use<T>(fn: (bytes: Uint8Array) => T extends PromiseLike<unknown> ? never : T): T;
  /**
   * Lends a copy of the bytes to `fn` until its promise settles, and then wipes the copy in any
   * case. `fn` may return a value that is not a promise. `ERR_SECRET_ESCAPED` if `fn` transfers the
   * bytes elsewhere.
   *
   * @example
   * ```ts
   * import { SecretBuffer } from '@nodesec/native';
   *
   * const secret = SecretBuffer.random(32);
   * const key = await secret.useAsync((bytes) =>
   *   crypto.subtle.importKey('raw', new Uint8Array(bytes), 'AES-GCM', false, ['encrypt']),
   * );
   * console.log(key.type); // secret
   * ```
   */
  useAsync<T>(fn: (bytes: Uint8Array) => T | PromiseLike<T>): Promise<T>;
  /** Copies the secret into memory of its own. Disposing of one leaves the other. */
  clone(): SecretBuffer;
  /** Compares in constant time. Different lengths are unequal at once. */
  equals(other: SecretBuffer | Uint8Array): boolean;
  /**
   * Encrypts and authenticates the bytes, so that they can be stored: AES-256-GCM under a key that
   * HKDF-SHA256 derives from `key` (32 bytes or more) and a fresh salt. The result is 62 bytes
   * longer than the secret.
   *
   * `context` (1 to 1024 bytes) says what the secret is for, such as `'pepper 2026-11'`. It is
   * authenticated and not stored: {@link SecretBuffer.unseal} needs the same context.
   *
   * @example
   * ```ts
   * import { SecretBuffer } from '@nodesec/native';
   *
   * const master = SecretBuffer.random(32);
   * const sealed = SecretBuffer.random(16).seal(master, { context: 'pepper 2026-11' });
   * const pepper = SecretBuffer.unseal(sealed, master, { context: 'pepper 2026-11' });
   * console.log(sealed.length, pepper.byteLength); // 78 16
   * ```
   */
  seal(key: SecretBuffer, options: { context: string }): Buffer;
  /**
   * Gives a ticket for another thread of the process, which passes it to
   * {@link SecretBuffer.adopt}: 128 random bits as text, valid once and for 60 seconds.
   *
   * The bytes stay where they are and then have two owners. Each owner disposes of its own object,
   * and the last one wipes the bytes. You may dispose of this object at once: the ticket holds the
   * bytes until they are adopted or 60 seconds have passed. At most 1024 tickets wait at a time,
   * else `ERR_SECRET_TICKET`.
   *
   * @example
   * ```ts
   * import { once } from 'node:events';
   * import { Worker } from 'node:worker_threads';
   * import { SecretBuffer } from '@nodesec/native';
   *
   * const secret = SecretBuffer.random(32);
   * const program = `
   *   const { parentPort, workerData } = require('node:worker_threads');
   *   const { SecretBuffer } = require('@nodesec/native');
   *   const secret = SecretBuffer.adopt(workerData.ticket);
   *   parentPort.postMessage(secret.byteLength);
   *   secret.dispose();`;
   * const worker = new Worker(program, { eval: true, workerData: { ticket: secret.share() } });
   * secret.dispose(); // the ticket holds the bytes
   * const [length] = await once(worker, 'message');
   * console.log(length); // 32
   * ```
   */
  share(): string;
  /**
   * Releases the bytes. Call it rather than wait for the garbage collector, which does not run
   * within a synchronous loop and knows little of how full the secure heap is. Keys made from the
   * secret keep their own copy, which is wiped when the key and its issuers are collected or their
   * thread ends. A second call does nothing.
   */
  dispose(): void;
  /** The same as `dispose`, for `using`. */
  [Symbol.dispose](): void;
  /** `[SecretBuffer 32 bytes]`. */
  toString(): string;
  /** The same text. */
  toJSON(): string;
}

/** The options of {@link SecretBuffer.fromFile}. */
export interface SecretFileOptions {
  /**
   * The encoding of the file. Default: `raw`.
   *
   * `raw` takes the bytes as they are; `utf8` as well, if they are well-formed. The others are
   * decoded as in {@link SecretBuffer.fromString}.
   */
  encoding?: 'raw' | 'utf8' | 'hex' | 'base64' | 'base64url';
  /** The largest file: 1 byte to 1 MiB. Default: 64 KiB. */
  maxBytes?: number;
  /** Whether one line ending at the end is left off. Default: false for `raw`, otherwise true. */
  trim?: boolean;
  /**
   * Accepts a file that others than its owner may read or write, such as a Docker or Kubernetes
   * mount, or that belongs to another user. Default: false.
   */
  allowInsecure?: boolean;
}

/** The result of `secureHeap.status`. */
export interface SecureHeapStatus {
  /**
   * The kind of memory, best first: `memfd_secret` (Linux only), `mlock` (on Windows
   * `VirtualLock`), `dontdump` (not on macOS), `plain`.
   */
  backend: 'memfd_secret' | 'mlock' | 'dontdump' | 'plain';
  /** The reasons why a better kind is not used, with the errors of the system. */
  reasons: string[];
  /** Whether the memory is kept from swap, as the system reports it. */
  locked: boolean;
  /**
   * Whether the memory is left out of core dumps, as the kernel reports it. On Windows: whether
   * Windows Error Reporting has accepted the request to leave it out of its dumps. On macOS:
   * `RLIMIT_CORE` is 0, so no core file is written.
   */
  dumpExcluded: boolean;
  /** Whether the memory is outside of the kernel's own mapping, so that root cannot read it. */
  kernelUnmapped: boolean;
  /** Whether inaccessible pages lie on both sides. */
  guardPages: boolean;
  /** The size of the heap now, in bytes. */
  capacityBytes: number;
  /**
   * The bytes in use. A slot has the size of the secret plus 32 bytes, rounded up to a power of
   * two; above 4064 bytes rounded up to whole pages, between guard pages of its own.
   */
  usedBytes: number;
  /**
   * The slots in use: one per secret, one or more per key (an HMAC key: its bytes and its state).
   */
  liveSecrets: number;
  /** The SecretBuffers kept outside of it, encrypted ({@link SecureHeapOptions.overflow}). */
  sealedSecrets: number;
  /**
   * The private keys of RSA, ECDSA and Ed25519 that the crypto library has parsed. Until the key is
   * collected they lie on the ordinary heap, to which nothing of this status applies; their
   * originals lie in the secure heap.
   */
  parsedPrivateKeys: number;
  /** The SecretBuffers that were collected without `dispose`, since the process started. */
  leaked: number;
  /** The configured maximum, in bytes. */
  maxBytes: number;
  /** The soft `RLIMIT_MEMLOCK` in bytes; absent if unlimited, and on Windows. */
  memlockSoft?: number;
  /** The hard `RLIMIT_MEMLOCK` in bytes; absent if unlimited, and on Windows. */
  memlockHard?: number;
  /** Whether a `memfd_secret` mapping keeps the whole machine from hibernating. */
  hibernationBlocked: boolean;
  /** True if the memory is not locked, or not left out of dumps. */
  degraded: boolean;
}

/** The options of `secureHeap.configure`. */
export interface SecureHeapOptions {
  /**
   * The most memory of the heap: 4 KiB to 1 GiB, in bytes. Default: 16 MiB. The heap holds at most
   * 8192 secrets of more than 4064 bytes, also with a larger `maxBytes`.
   */
  maxBytes?: number;
  /**
   * The best kind of memory to try. If the machine refuses it, the next kind is tried. Default:
   * `auto`, which leaves out `memfd_secret` where hibernation is configured. The environment
   * variable `NODESEC_SECMEM`, with the name of a backend, takes precedence. If it has another
   * value, this call, `status` and every secret and key fail with `ERR_INVALID_ARG_VALUE`.
   */
  backend?: 'auto' | SecureHeapStatus['backend'];
  /**
   * The properties that the memory must have. If one is missing, this call and every secret fail
   * with `ERR_SECRET_DEGRADED`. Default: none.
   */
  require?: Array<'locked' | 'dumpExcluded' | 'kernelUnmapped'>;
  /**
   * The reaction to memory that is not both locked and left out of dumps. Default: `warn`, one
   * process warning with the code `NODESEC_SECRET_DEGRADED`. `error` is the same as
   * `require: ['locked', 'dumpExcluded']`, `ignore` does nothing.
   */
  onDegraded?: 'warn' | 'error' | 'ignore';
  /**
   * The fate of a new SecretBuffer if the heap is full and cannot grow. Default: `error`, it fails
   * with `ERR_SECRET_EXHAUSTED`.
   *
   * With `seal`, the bytes are kept on the ordinary heap, encrypted with AES-256-GCM under a key in
   * the secure heap, and decrypted there for the time of each call. 16 KiB of `maxBytes` are set
   * aside for that, and one thread at a time uses them; `maxBytes` is then at least 20 KiB, or 32
   * KiB where pages have 16 KiB.
   *
   * Only SecretBuffers of at most 4064 bytes (4063 from a string), decoded from a text or file of
   * at most that length, are encrypted. They stay encrypted until they are disposed of. Longer
   * ones, and data that is computed with at once, such as the state of an HMAC key, still fail with
   * `ERR_SECRET_EXHAUSTED`. This has nothing to do with {@link SecretBuffer.seal}.
   */
  overflow?: 'error' | 'seal';
}

/** The result of `secureHeap.hardenProcess`, read back from the system. */
export interface ProcessHardening {
  /** Whether the process's user may dump and trace it; absent where that cannot be set. */
  dumpable?: boolean;
  /**
   * The soft limit on core dumps in bytes, `Infinity` if unlimited; absent on Windows, which has no
   * such limit.
   */
  core?: number;
  /** The requests that failed, and those that have no effect on this system. */
  reasons: string[];
}

/**
 * The memory that holds every {@link SecretBuffer} and key of the process, except for parsed
 * private keys (see `parsedPrivateKeys`) and, with `overflow: 'seal'`, for SecretBuffers that are
 * encrypted on the ordinary heap.
 *
 * It configures itself at the first secret. Call `configure` before that to demand properties.
 *
 * @example
 * ```ts
 * import { SecretBuffer, secureHeap } from '@nodesec/native';
 *
 * secureHeap.configure({ maxBytes: 2 ** 22, onDegraded: 'ignore' });
 * const secret = SecretBuffer.random(32);
 * const { backend, liveSecrets } = secureHeap.status();
 * console.log(typeof backend, liveSecrets); // string 1
 * ```
 */
export const secureHeap: {
  /**
   * Configures the heap, before the first secret or key of the process in any thread. Afterwards
   * only a higher `maxBytes` is accepted; anything else throws `ERR_SECRET_CONFIGURED`. An option
   * that is left out keeps the value of an earlier call.
   */
  configure(options: SecureHeapOptions): void;
  /** Reads the properties of the memory back from the system. */
  status(): SecureHeapStatus;
  /**
   * Disposes of every SecretBuffer of the process, including those of worker threads and those that
   * wait to be adopted. Keys and issuers made from secrets keep their own copies and continue to
   * work; a password that is being hashed is finished. For the end of a service, or an emergency.
   */
  disposeAll(): void;
  /**
   * Looks for writes beyond the ends of secrets, which only native code can make. If there was one,
   * every secret is wiped and the process aborts with a message on stderr. The same check runs
   * whenever a secret is released.
   */
  verify(): void;
  /**
   * Protects the whole memory of the process from dumps, beyond the secure heap. Call it at the
   * start.
   * It gives the properties that hold afterwards; without options it only reads them.
   *
   * - `dumpable: false` (Linux): no core dumps, and no access for debuggers, profilers and
   *   `/proc/PID/mem` of the same user. Root is not stopped. It cannot be undone here, and programs
   *   that the process starts do not inherit it.
   * - `core` (Linux, macOS): the largest core dump in bytes, 0 for none. It lowers the soft limit
   *   and leaves the hard limit. Programs that the process starts inherit it. It does not stop
   *   systems that pipe dumps to a program; `reasons` then says so.
   *
   * @example
   * ```ts
   * import { secureHeap } from '@nodesec/native';
   *
   * const { core } = secureHeap.hardenProcess({ dumpable: false, core: 0 });
   * console.log(core ?? 0); // 0
   * ```
   */
  hardenProcess(options?: { dumpable?: false; core?: number }): ProcessHardening;
};

/**
 * Compares two values in constant time. Different lengths are unequal at once.
 *
 * @example
 * ```ts
 * import { randomToken, timingSafeEqual } from '@nodesec/native';
 *
 * const expected = randomToken();
 * console.log(timingSafeEqual(expected, 'a guess')); // false
 * ```
 */
export function timingSafeEqual(a: Bytes, b: Bytes): boolean;

// ── SPIFFE ──────────────────────────────────────────────────────────────────────────────────
//
// `JwtVerifier.spiffe` verifies the tokens of workloads.

/** A SPIFFE ID and its parts, frozen. */
export interface SpiffeId {
  /** The trust domain, such as `example.org`. */
  readonly trustDomain: string;
  /** The path with its leading slash; empty for the id of a trust domain itself. */
  readonly path: string;
  /** The whole id. Compare ids by it. */
  readonly uri: string;
}

/**
 * Reads a SPIFFE ID, `spiffe://<trust domain>/<path>` (SPIFFE-ID standard, section 2).
 *
 * An id has one spelling: scheme and trust domain are in lower case, nothing is percent-encoded,
 * and no segment of the path is empty, `.` or `..`. It has at most 2048 bytes, of which the trust
 * domain has at most 255. `ERR_SPIFFE_ID` otherwise; the message names the rule.
 *
 * @example
 * ```ts
 * import { parseSpiffeId } from '@nodesec/native';
 *
 * const { trustDomain, path } = parseSpiffeId('spiffe://example.org/web');
 * console.log(trustDomain, path); // example.org /web
 * ```
 */
export function parseSpiffeId(uri: string): SpiffeId;

/**
 * Reads the SPIFFE ID of a peer's certificate (X509-SVID). It does **not** validate the
 * certificate.
 *
 * `certificate` is an `X509Certificate`, the bytes of its DER, or a string with one PEM
 * certificate, before which text may stand and after which only white space. With mutual TLS, call
 * `spiffeIdOf(socket.getPeerX509Certificate())` in the server, and `spiffeIdOf(certificate.raw)` in
 * the client's `checkServerIdentity`.
 *
 * It checks the rules for the X509-SVID of a workload (sections 2 to 5.2 of the standard), else
 * `ERR_SPIFFE_CERTIFICATE`, with the rule:
 *
 * - exactly one URI among the alternative names, which is a SPIFFE ID with a path;
 * - not a certificate authority;
 * - a critical `keyUsage` with `digitalSignature`, without `keyCertSign` and `cRLSign`;
 * - if there is an `extKeyUsage`, it contains both `serverAuth` and `clientAuth`;
 * - no extension twice.
 *
 * Chain, signature, dates and revocation are the task of TLS (`rejectUnauthorized`, with the
 * authorities of the trust domain as `ca`), which also refuses unknown critical extensions. Anybody
 * can make a certificate with any id. Check `trustDomain` yourself: an authority in `ca` may sign
 * ids of any trust domain.
 *
 * @example
 * ```ts
 * import type { TLSSocket } from 'node:tls';
 * import { spiffeIdOf } from '@nodesec/native';
 *
 * // The workload at the other end, or undefined if it is not of this trust domain.
 * function workloadOf(socket: TLSSocket): string | undefined {
 *   const certificate = socket.getPeerX509Certificate();
 *   if (!socket.authorized || certificate === undefined) return undefined;
 *   const { trustDomain, path } = spiffeIdOf(certificate);
 *   return trustDomain === 'example.org' ? path : undefined;
 * }
 * ```
 */
export function spiffeIdOf(certificate: X509Certificate | Uint8Array | string): SpiffeId;

// ── Ids ─────────────────────────────────────────────────────────────────────────────────────

/** Makes a UUID of version 4: 122 random bits (RFC 9562 section 5.4). */
export function uuidv4(): string;
/**
 * Makes a UUID of version 7: milliseconds since 1970, then 74 random bits (RFC 9562 section 5.7).
 * UUIDs of different milliseconds sort by time, which suits database keys; those of one millisecond
 * are in random order.
 *
 * @example
 * ```ts
 * import { uuidv7 } from '@nodesec/native';
 *
 * console.log(uuidv7()); // 0…
 * ```
 */
export function uuidv7(): string;
/**
 * Makes a token of 16 to 1024 random bytes (default 32) as base64url text.
 *
 * @example
 * ```ts
 * import { randomToken } from '@nodesec/native';
 *
 * console.log(randomToken().length); // 43
 * ```
 */
export function randomToken(bytes?: number): string;

// ── Errors ──────────────────────────────────────────────────────────────────────────────────
//
// docs/errors.md has a table: each code, its occasion, the remedy, the HTTP status.

/**
 * The base class of every error of this module; `ERR_INTERNAL` and `ERR_RANDOM` have this class
 * itself. Only the `DataCloneError` of `structuredClone` and `postMessage` is not of it. Messages
 * contain no secret, no token and no key, so they may be logged; the text of a message may change,
 * the code does not. An error that a worker thread throws reaches the main thread as a plain
 * `Error` with the same `name` and `code`: compare `code` there.
 *
 * @example
 * ```ts
 * import { hash, NodesecError } from '@nodesec/native';
 *
 * try {
 *   await hash('a password', { timeCost: 0 });
 * } catch (error) {
 *   if (!(error instanceof NodesecError)) throw error;
 *   console.log(error.code); // ERR_OUT_OF_RANGE
 *   if (error.code === 'ERR_PASSWORD_BUSY') console.log(error.retryAfterMs);
 * }
 * ```
 */
export class NodesecError extends Error {
  constructor(code: NodesecErrorCode, message: string);
  /** Narrows to the class of the error by its `code`. */
  static [Symbol.hasInstance](error: unknown): error is AnyNodesecError;
  /** The stable code. */
  readonly code: NodesecErrorCode;
}

/**
 * An `AbortSignal` cancelled the call. `cause` is the signal's reason, `name` is `AbortError`.
 *
 * @example
 * ```ts
 * import { AbortError, hash } from '@nodesec/native';
 *
 * const aborted = await hash('a password', { signal: AbortSignal.abort() }).catch((error) => error);
 * console.log(aborted instanceof AbortError, aborted.code); // true ABORT_ERR
 * ```
 */
export class AbortError extends NodesecError {
  constructor(code: AbortErrorCode, message: string);
  static [Symbol.hasInstance](error: unknown): error is AbortError;
  readonly code: AbortErrorCode;
}

/**
 * An argument or option is wrong. Nothing has been done, except with `ERR_INVALID_RETURN_VALUE`,
 * where the function given to `use` has run.
 *
 * @example
 * ```ts
 * import { ArgumentError, RateLimiter } from '@nodesec/native';
 *
 * try {
 *   new RateLimiter({ limit: 5, windowMs: 0 });
 * } catch (error) {
 *   console.log(error instanceof ArgumentError && error.code); // ERR_OUT_OF_RANGE
 * }
 * ```
 */
export class ArgumentError extends NodesecError {
  constructor(code: ArgumentErrorCode, message: string);
  static [Symbol.hasInstance](error: unknown): error is ArgumentError;
  readonly code: ArgumentErrorCode;
}

/**
 * The native part cannot be loaded. `require('@nodesec/native')` throws it; the message names the
 * missing package or flag.
 *
 * @example
 * ```ts
 * try {
 *   await import('@nodesec/native');
 * } catch (error) {
 *   if (error instanceof Error && 'code' in error) console.error(error.code, error.message);
 *   process.exitCode = 1;
 * }
 * ```
 */
export class BindingError extends NodesecError {
  constructor(code: BindingErrorCode, message: string);
  static [Symbol.hasInstance](error: unknown): error is BindingError;
  readonly code: BindingErrorCode;
}

/**
 * A password cannot be hashed or verified.
 *
 * @example
 * ```ts
 * import { PasswordError, verify } from '@nodesec/native';
 *
 * try {
 *   await verify('$argon2id$broken', 'a password');
 * } catch (error) {
 *   console.log(error instanceof PasswordError && error.code); // ERR_PASSWORD_DIGEST
 * }
 * ```
 */
export class PasswordError extends NodesecError {
  constructor(code: PasswordErrorCode, message: string);
  static [Symbol.hasInstance](error: unknown): error is PasswordError;
  readonly code: PasswordErrorCode;
  /** With `ERR_PASSWORD_BUSY`: an estimate of the time until there is room. */
  readonly retryAfterMs?: number;
}

/**
 * A secret cannot be made, read or opened.
 *
 * @example
 * ```ts
 * import { SecretBuffer, SecretError } from '@nodesec/native';
 *
 * try {
 *   SecretBuffer.fromEnv('NOT_SET');
 * } catch (error) {
 *   console.log(error instanceof SecretError && error.code); // ERR_SECRET_ENV
 * }
 * ```
 */
export class SecretError extends NodesecError {
  constructor(code: SecretErrorCode, message: string);
  static [Symbol.hasInstance](error: unknown): error is SecretError;
  readonly code: SecretErrorCode;
  /** With `ERR_ACCESS_DENIED`: the permission that is missing. */
  readonly permission?: string;
  /** With `ERR_ACCESS_DENIED`: the path or the variable that was asked for. */
  readonly resource?: string;
}

/**
 * A token is refused, a key is unusable, or a key ring cannot do what was asked.
 *
 * @example
 * ```ts
 * import { JwtError, JwtKey, JwtVerifier } from '@nodesec/native';
 *
 * const keys = await JwtKey.generate('ES256');
 * const verifier = new JwtVerifier({ keys, issuer: 'id', audience: 'api' });
 * try {
 *   verifier.verify('not a token');
 * } catch (error) {
 *   if (error instanceof JwtError) console.log('401', error.code); // 401 ERR_JWT_MALFORMED
 * }
 * ```
 */
export class JwtError extends NodesecError {
  constructor(code: JwtErrorCode, message: string);
  static [Symbol.hasInstance](error: unknown): error is JwtError;
  readonly code: JwtErrorCode;
  /** With `ERR_JWT_CLAIM` from a verifier: the name of the claim. */
  readonly claim?: string;
  /** With `ERR_JWT_CLAIM` from a verifier: the fault of the claim. */
  readonly reason?: 'missing' | 'type' | 'mismatch';
}

/**
 * A {@link RevocationList} is full or closed.
 *
 * @example
 * ```ts
 * import { RevocationError, RevocationList } from '@nodesec/native';
 *
 * const list = new RevocationList();
 * await list.close();
 * const error = await list.revokeKey('k1').catch((error) => error);
 * console.log(error instanceof RevocationError, error.code); // true ERR_REVOCATION_CLOSED
 * ```
 */
export class RevocationError extends NodesecError {
  constructor(code: RevocationErrorCode, message: string);
  static [Symbol.hasInstance](error: unknown): error is RevocationError;
  readonly code: RevocationErrorCode;
}

/**
 * The table of {@link Sessions} is full, or a subject has as many sessions as it may have.
 *
 * @example
 * ```ts
 * import { JwtIssuer, JwtKey, RevocationList, SessionError, Sessions } from '@nodesec/native';
 *
 * const issuer = new JwtIssuer({ keys: await JwtKey.generate('ES256'), expiresIn: '10m' });
 * const sessions = new Sessions({ issuer, revocations: new RevocationList(), maxSessions: 1 });
 * await sessions.start('alice');
 * const error = await sessions.start('bob').catch((error) => error);
 * console.log(error instanceof SessionError, error.code); // true ERR_SESSION_FULL
 * ```
 */
export class SessionError extends NodesecError {
  constructor(code: SessionErrorCode, message: string);
  static [Symbol.hasInstance](error: unknown): error is SessionError;
  readonly code: SessionErrorCode;
}

/**
 * A SPIFFE ID or the certificate of a workload breaks a rule, which the message names.
 *
 * @example
 * ```ts
 * import { parseSpiffeId, SpiffeError } from '@nodesec/native';
 *
 * try {
 *   parseSpiffeId('https://example.org');
 * } catch (error) {
 *   console.log(error instanceof SpiffeError && error.code); // ERR_SPIFFE_ID
 * }
 * ```
 */
export class SpiffeError extends NodesecError {
  constructor(code: SpiffeErrorCode, message: string);
  static [Symbol.hasInstance](error: unknown): error is SpiffeError;
  readonly code: SpiffeErrorCode;
}

/**
 * A proof of possession (RFC 9449) was refused, as the `cause` of an answer, or there is no room
 * for one. If the permission model of Node or of Deno does not let the process use the file of a
 * `DpopReplayCache`, the code is `ERR_ACCESS_DENIED`, with `permission` and `resource` as in Node's
 * own error.
 *
 * @example
 * ```ts
 * import { DpopError, DpopReplayCache } from '@nodesec/native';
 *
 * try {
 *   DpopReplayCache.machine('/proc/version');
 * } catch (error) {
 *   console.log(error instanceof DpopError && error.code); // ERR_DPOP_FILE
 * }
 * ```
 */
export class DpopError extends NodesecError {
  constructor(code: DpopErrorCode | 'ERR_ACCESS_DENIED', message: string);
  static [Symbol.hasInstance](error: unknown): error is DpopError;
  /** A code of proofs, or that of the permission model. */
  readonly code: DpopErrorCode | 'ERR_ACCESS_DENIED';
  /** With `ERR_ACCESS_DENIED`: the permission that is missing. */
  readonly permission?: string;
  /** With `ERR_ACCESS_DENIED`: the path of the file. */
  readonly resource?: string;
}

/**
 * A limiter was asked for a cost that it can never allow.
 *
 * @example
 * ```ts
 * import { LimitError, RateLimiter } from '@nodesec/native';
 *
 * try {
 *   new RateLimiter({ limit: 5, windowMs: 1000 }).check('alice', 6);
 * } catch (error) {
 *   console.log(error instanceof LimitError && error.code); // ERR_LIMIT_COST
 * }
 * ```
 */
export class LimitError extends NodesecError {
  constructor(code: LimitErrorCode, message: string);
  static [Symbol.hasInstance](error: unknown): error is LimitError;
  readonly code: LimitErrorCode;
}

/**
 * A store could not be opened, read or written. If the permission model of Node or of Deno does not
 * let the process use its directory, the code is `ERR_ACCESS_DENIED`, with `permission` and
 * `resource` as in Node's own error.
 *
 * @example
 * ```ts
 * import { StoreError } from '@nodesec/native';
 *
 * const isBusy = (error: unknown) =>
 *   error instanceof StoreError && error.code === 'ERR_STORE_BUSY';
 * console.log(isBusy(new Error('another cause'))); // false
 * ```
 */
export class StoreError extends NodesecError {
  constructor(code: StoreErrorCode | 'ERR_ACCESS_DENIED', message: string);
  static [Symbol.hasInstance](error: unknown): error is StoreError;
  /** A code of stores, or that of the permission model. */
  readonly code: StoreErrorCode | 'ERR_ACCESS_DENIED';
  /** With `ERR_ACCESS_DENIED`: the permission that is missing. */
  readonly permission?: string;
  /** With `ERR_ACCESS_DENIED`: the path of the store or of its backup. */
  readonly resource?: string;
}

/**
 * An answer of the middleware of `@nodesec/native/express` and `/fastify`, and of
 * `@nodesec/native/web`. Express and Fastify answer with its `status`, `headers` and `message`.
 * These say nothing about the reason: that is in `cause`, which is not enumerable.
 *
 * @example
 * ```ts
 * import { WebError } from '@nodesec/native';
 * import { challenge } from '@nodesec/native/web';
 *
 * const error = challenge({ code: 'ERR_JWT_EXPIRED' });
 * console.log(error instanceof WebError, error.status, error.message); // true 401 Unauthorized
 * ```
 */
export class WebError extends NodesecError {
  constructor(code: WebErrorCode, message: string);
  static [Symbol.hasInstance](error: unknown): error is WebError;
  readonly code: WebErrorCode;
  /** The HTTP status. */
  readonly status: number;
  /** The HTTP status again, under the name that Fastify reads. */
  readonly statusCode: number;
  /** Header fields of the answer. */
  readonly headers: Readonly<Record<string, string>>;
  /** True: `message` is the text of the status, and may be shown to the client. */
  readonly expose: true;
}

/**
 * Any error of this module, as `instanceof NodesecError` narrows to it. A check of `code` narrows
 * further, to the class.
 */
export type AnyNodesecError =
  | AbortError
  | ArgumentError
  | BindingError
  | DpopError
  | JwtError
  | LimitError
  | PasswordError
  | RevocationError
  | SecretError
  | SessionError
  | SpiffeError
  | StoreError
  | WebError
  | (NodesecError & { readonly code: 'ERR_INTERNAL' | 'ERR_RANDOM' });

// node scripts/errors.mjs writes the unions below.

/** The codes of {@link ArgumentError}. */
export type ArgumentErrorCode =
  /** An argument or option has the wrong type. */
  | 'ERR_INVALID_ARG_TYPE'
  /**
   * An argument or option has the right type and a value that cannot be used, such as a string with
   * a lone surrogate; or the environment variable `NODESEC_SECMEM` names no backend.
   */
  | 'ERR_INVALID_ARG_VALUE'
  /**
   * The function given to `SecretBuffer.use` returned a promise, or the option `clock` threw an
   * error or returned no valid `Date`.
   */
  | 'ERR_INVALID_RETURN_VALUE'
  /** A method was called on an object of another class. */
  | 'ERR_INVALID_THIS'
  /** A required option is missing. */
  | 'ERR_MISSING_OPTION'
  /**
   * A number is not an integer or outside its limits, or a text or byte array is too short or too
   * long.
   */
  | 'ERR_OUT_OF_RANGE'
  /** An option has a name that does not exist. */
  | 'ERR_UNKNOWN_OPTION';

/** The codes of {@link AbortError}. */
export type AbortErrorCode =
  /** The `AbortSignal` of a call was aborted; `cause` is the signal's reason. */
  | 'ABORT_ERR';

/** The codes of {@link BindingError}. */
export type BindingErrorCode =
  /** The binary of this platform is installed and does not load. */
  | 'ERR_BINDING_LOAD'
  /** The binary of this platform is not installed. */
  | 'ERR_BINDING_MISSING'
  /** The runtime's permission model forbids native code. */
  | 'ERR_BINDING_PERMISSION'
  /** The binary belongs to another version of the package. */
  | 'ERR_BINDING_VERSION';

/** The codes of {@link PasswordError}. */
export type PasswordErrorCode =
  /** The pool's queue is full, or the job has waited for `queueTimeoutMs`. */
  | 'ERR_PASSWORD_BUSY'
  /** A stored digest is malformed. */
  | 'ERR_PASSWORD_DIGEST'
  /** A stored digest asks for more memory, passes, lanes or work than `limits` allows. */
  | 'ERR_PASSWORD_LIMIT'
  /**
   * One hash needs more memory than the pool's `maxMemory`, or it or the queue needs more than the
   * system has.
   */
  | 'ERR_PASSWORD_MEMORY'
  /** A digest names a pepper that the hasher does not have. */
  | 'ERR_PASSWORD_PEPPER'
  /** The profile `test` was chosen while `NODE_ENV` is `production`. */
  | 'ERR_PASSWORD_PROFILE'
  /** The operating system gives no thread to hash on. */
  | 'ERR_PASSWORD_THREADS';

/** The codes of {@link SecretError}. */
export type SecretErrorCode =
  /**
   * Node's permission model or Deno does not let the process read the file of
   * `SecretBuffer.fromFile` or the variable of `SecretBuffer.fromEnv`, or read and write the
   * directory of a store or the file of a limiter or a replay cache. The error is of the class of
   * the object.
   */
  | 'ERR_ACCESS_DENIED'
  /** The secure heap is in use and takes no other configuration. */
  | 'ERR_SECRET_CONFIGURED'
  /**
   * The machine does not give the secure heap a protection that `require` or `onDegraded` demands,
   * or the process is a fork, without exec, of one that has secrets.
   */
  | 'ERR_SECRET_DEGRADED'
  /** A secret was used after `dispose()`. */
  | 'ERR_SECRET_DISPOSED'
  /** An environment variable is missing, empty or malformed, or a worker thread asked for it. */
  | 'ERR_SECRET_ENV'
  /**
   * The function given to `use` or `useAsync` transferred the bytes elsewhere, so that they could
   * not be wiped.
   */
  | 'ERR_SECRET_ESCAPED'
  /** The secure heap is full. */
  | 'ERR_SECRET_EXHAUSTED'
  /** A file cannot be read, is not regular, is empty, too large, or not in the encoding given. */
  | 'ERR_SECRET_FILE'
  /** The group or others may read or write a file, or it belongs to another user. */
  | 'ERR_SECRET_PERMISSIONS'
  /**
   * A sealed secret or key ring does not open with this key, or the secret not for this context.
   */
  | 'ERR_SECRET_SEAL'
  /**
   * A ticket is unknown, used or expired, 1024 tickets wait already, or there is no memory for
   * another.
   */
  | 'ERR_SECRET_TICKET';

/** The codes of {@link JwtError}. */
export type JwtErrorCode =
  /** A token is signed with an algorithm that the verifier does not accept. */
  | 'ERR_JWT_ALGORITHM'
  /**
   * A claim is missing, has the wrong type, or has a value that the verifier or the issuer does not
   * allow.
   */
  | 'ERR_JWT_CLAIM'
  /** A token has critical header parameters (`crit`); none is understood. */
  | 'ERR_JWT_CRITICAL'
  /** A token's `exp` has passed, or the token is older than `maxAge`. */
  | 'ERR_JWT_EXPIRED'
  /** Key material is malformed, too weak, or does not fit its algorithm. */
  | 'ERR_JWT_KEY'
  /** No key of the verifier matches the token's `kid` and `alg`. */
  | 'ERR_JWT_KEY_NOT_FOUND'
  /** The keys of a `RemoteJwks` have never been fetched, or too long ago. */
  | 'ERR_JWT_KEYS_UNAVAILABLE'
  /**
   * A token is not a compact JWS within the limits, or, except for `verifyJws`, its payload is not
   * a JSON object.
   */
  | 'ERR_JWT_MALFORMED'
  /** A token's `nbf` is in the future. */
  | 'ERR_JWT_NOT_ACTIVE'
  /** A token, its session, its subject or its key has been revoked. */
  | 'ERR_JWT_REVOKED'
  /** A signature does not verify. */
  | 'ERR_JWT_SIGNATURE'
  /** The ring holds a key with this `kid`, or held one that was revoked. */
  | 'ERR_KEYRING_DUPLICATE'
  /** The ring holds 1000 keys, or there is no memory, or no room in its store, for another. */
  | 'ERR_KEYRING_FULL'
  /** The ring has no active key to sign with. */
  | 'ERR_KEYRING_NO_ACTIVE_KEY'
  /** The next key has not been published for as long as verifiers may cache the JWKS. */
  | 'ERR_KEYRING_NOT_PUBLISHED'
  /**
   * The server of a key ring does not answer, or something that cannot be used, or the ring is
   * closed.
   */
  | 'ERR_KEYRING_STORE'
  /** A call on a key ring on a server that would have to wait for it without a promise. */
  | 'ERR_KEYRING_SYNC'
  /** The ring has no key with this `kid`. */
  | 'ERR_KEYRING_UNKNOWN_KEY';

/** The codes of {@link RevocationError}. */
export type RevocationErrorCode =
  /** The list is closed. */
  | 'ERR_REVOCATION_CLOSED'
  /**
   * The list holds `maxEntries` entries that have not expired, or there is no memory for another.
   * Nothing was revoked.
   */
  | 'ERR_REVOCATION_FULL'
  /**
   * The server of the list has not answered for `maxStaleness`, so it is not known whether a token
   * is revoked.
   */
  | 'ERR_REVOCATION_STALE'
  /**
   * The store of the list or the key ring cannot be read, so it is not known whether a token or its
   * key is revoked. Or the server of the list has not confirmed a revocation: this process refuses
   * the token, and publishes the revocation again.
   */
  | 'ERR_REVOCATION_STORE'
  /** A `…Sync` call on a list on a server, which cannot be waited for without a promise. */
  | 'ERR_REVOCATION_SYNC';

/** The codes of {@link StoreError}. */
export type StoreErrorCode =
  /**
   * Another process holds the store's lock for longer than `busyMs`, or too much waits to be
   * written. Nothing was written, unless the message says that it still may be.
   */
  | 'ERR_STORE_BUSY'
  /** The store is closed, or the process has forked since it was opened. */
  | 'ERR_STORE_CLOSED'
  /**
   * The files of a store are damaged, or do not belong together: rows are missing, or the database
   * is older than its epoch.
   */
  | 'ERR_STORE_CORRUPT'
  /**
   * A store's directory is on a file system that several machines may use: nfs, cifs, 9p or fuse.
   */
  | 'ERR_STORE_FILESYSTEM'
  /** The disk or a quota is full. Nothing of the transaction was written. */
  | 'ERR_STORE_FULL'
  /** A store does not open with this `key`. */
  | 'ERR_STORE_KEY'
  /**
   * A store's directory or files cannot be made, opened, read or written, belong to another user,
   * can be used by others, are in use by another copy of this module, or are not a store of this
   * format.
   */
  | 'ERR_STORE_OPEN';

/** The codes of {@link SessionError}. */
export type SessionErrorCode =
  /** The table holds `maxSessions` sessions, or there is no memory for another. */
  | 'ERR_SESSION_FULL'
  /** The subject has `maxSessionsPerSubject` sessions. */
  | 'ERR_SESSION_LIMIT'
  /**
   * The server of `RedisSessions` has not answered in time, and may have done the call; or it has
   * refused the call, or has a session that does not open with the key.
   */
  | 'ERR_SESSION_STORE';

/** The codes of {@link SpiffeError}. */
export type SpiffeErrorCode =
  /** A certificate is not the X509-SVID of a workload; the message names the rule. */
  | 'ERR_SPIFFE_CERTIFICATE'
  /** A text is not a SPIFFE ID; the message names the rule. */
  | 'ERR_SPIFFE_ID';

/** The codes of {@link LimitError}. */
export type LimitErrorCode =
  /** A cost is above the burst and could never be allowed. */
  | 'ERR_LIMIT_COST'
  /**
   * The file of `RateLimiter.machine` cannot be used: it is foreign, cut, open to other users or on
   * a network file system, there is no room for it, or another process holds it locked.
   */
  | 'ERR_LIMIT_FILE'
  /** There is no memory for the table of a limiter or for its snapshot. */
  | 'ERR_LIMIT_FULL'
  /**
   * Bytes are no snapshot of a limiter: they are cut, damaged, or of a later version. Or a limiter
   * of the machine is asked for a snapshot.
   */
  | 'ERR_LIMIT_SNAPSHOT';

/** The codes of {@link DpopError}. */
export type DpopErrorCode =
  /**
   * The file of `DpopReplayCache.machine` cannot be used: it is foreign, cut, open to other users
   * or on a network file system, or there is no room for it.
   */
  | 'ERR_DPOP_FILE'
  /**
   * The replay cache has no room to remember another proof, or there is no memory for a cache. No
   * request is let in that could be replayed.
   */
  | 'ERR_DPOP_FULL'
  /** A proof has no nonce of this service, or one that has expired. */
  | 'ERR_DPOP_NONCE'
  /**
   * A proof is missing, is malformed, or does not fit its request or its token; the message names
   * the rule.
   */
  | 'ERR_DPOP_PROOF'
  /** A proof has been used before. */
  | 'ERR_DPOP_REPLAYED'
  /**
   * The server of a `RedisDpopReplayCache` has not answered in time, or has refused the call. The
   * proof may count as used.
   */
  | 'ERR_DPOP_STORE';

/** The codes of {@link WebError}. */
export type WebErrorCode =
  /**
   * A request has credentials in two places, twice or malformed, a cookie or a header twice, or no
   * usable account, or its key or its cost is too large for a limit, however long it waits.
   */
  | 'ERR_WEB_BAD_REQUEST'
  /** A token lacks a scope, or a page of another origin may have caused the request. */
  | 'ERR_WEB_FORBIDDEN'
  /** A limit refuses the request. */
  | 'ERR_WEB_LIMITED'
  /**
   * The middleware cannot work: there is no key for a limit, because every client may choose its
   * address (`trust proxy: true`), the client has hung up, or the option `key` gave none; or
   * another option gave a value that cannot be used.
   */
  | 'ERR_WEB_MISCONFIGURED'
  /**
   * There are no credentials, or a token is refused, or the session has ended, or the user has to
   * authenticate again.
   */
  | 'ERR_WEB_UNAUTHENTICATED'
  /**
   * A token cannot be judged or refreshed, because keys, revocations or sessions are not to be had,
   * or the service is at its limit.
   */
  | 'ERR_WEB_UNAVAILABLE';

/** The codes with which a verifier refuses a token. */
export type JwtRejectionCode =
  | 'ERR_JWT_ALGORITHM'
  | 'ERR_JWT_CLAIM'
  | 'ERR_JWT_CRITICAL'
  | 'ERR_JWT_EXPIRED'
  | 'ERR_JWT_KEY_NOT_FOUND'
  | 'ERR_JWT_KEYS_UNAVAILABLE'
  | 'ERR_JWT_MALFORMED'
  | 'ERR_JWT_NOT_ACTIVE'
  | 'ERR_JWT_REVOKED'
  | 'ERR_JWT_SIGNATURE'
  | 'ERR_REVOCATION_CLOSED'
  | 'ERR_REVOCATION_STALE'
  | 'ERR_REVOCATION_STORE';

/** Every code of this module. docs/errors.md has a remedy for each. */
export type NodesecErrorCode =
  /** This module has a defect: a panic was caught at the border. */
  | 'ERR_INTERNAL'
  /** The operating system gave no random bytes. */
  | 'ERR_RANDOM'
  | ArgumentErrorCode
  | AbortErrorCode
  | BindingErrorCode
  | PasswordErrorCode
  | SecretErrorCode
  | JwtErrorCode
  | RevocationErrorCode
  | StoreErrorCode
  | SessionErrorCode
  | SpiffeErrorCode
  | LimitErrorCode
  | DpopErrorCode
  | WebErrorCode;

// End of the unions.
