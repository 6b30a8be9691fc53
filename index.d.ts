// The public types of @nodesec/native, written by hand: `binding.d.ts` is what lies below them.
//
// Units: a name that ends in `Ms` is milliseconds; `memoryCost` is KiB, every other size bytes; a
// Duration is seconds, or a string with a unit. Every error is a NodesecError with a `code`.
// Functions that return a promise never throw synchronously.

import type { KeyObject, X509Certificate } from 'node:crypto';

/** Seconds, or a whole number with a unit: `'90s'`, `'15m'`, `'12h'`, `'30d'`, `'2w'`. */
export type Duration = number | string;

/** Text (UTF-8; it must be well-formed), bytes, or a secret. */
export type Bytes = string | Uint8Array | SecretBuffer;

// ── Passwords (Argon2, RFC 9106) ────────────────────────────────────────────────────────────

export const argon2d: 0;
export const argon2i: 1;
export const argon2id: 2;

/** What a hash costs. */
export interface CostOptions {
  /** The variant. Default: argon2id. */
  type?: 0 | 1 | 2 | 'argon2d' | 'argon2i' | 'argon2id';
  /**
   * Defaults for the costs below: `rfc9106-low` (65536 KiB, 3 passes, 4 lanes; the default),
   * `rfc9106-high` (2 GiB, 1, 4), `owasp` (19456 KiB, 2, 1), `test` (cheap; refused with
   * `ERR_PASSWORD_PROFILE` when `NODE_ENV` is `production`).
   */
  profile?: 'rfc9106-low' | 'rfc9106-high' | 'owasp' | 'test';
  /** KiB: at least 8 × parallelism, at most 4 GiB. */
  memoryCost?: number;
  /** Passes: 1 to 65536; above 64, `verify` must be told (`limits`). */
  timeCost?: number;
  /** Lanes: 1 to 255; above 64, and above 1 GiB, `verify` must be told (`limits`). */
  parallelism?: number;
  /** Bytes of the tag: 4 to 1024. Default: 32. */
  hashLength?: number;
  /** Bytes of the random salt: 8 to 1024. Default: 16. */
  saltLength?: number;
  /** Default: 0x13. */
  version?: 0x10 | 0x13;
}

export interface HashOptions extends CostOptions {
  /** A salt of your own, 8 to 1024 bytes, instead of a random one. Never use one twice. */
  salt?: Uint8Array;
  /** A pepper (RFC 9106's secret value K), 1 to 4096 bytes; it is not in the digest. */
  secret?: Uint8Array | SecretBuffer;
  /** Bound to the tag and written into the digest; at most 1024 bytes. */
  associatedData?: Uint8Array;
  /** The bare tag instead of a digest. Default: false. */
  raw?: boolean;
  /** Calls the hash off; see {@link passwordPool}. Not for {@link hashSync}. */
  signal?: AbortSignal;
}

/** The options of {@link hash} may be given as well; those that are not here are not looked at. */
export interface VerifyOptions extends Omit<HashOptions, 'secret'> {
  /** The pepper that the digest was made with. */
  secret?: Uint8Array | SecretBuffer;
  /**
   * What a digest may ask for: 1 GiB (in KiB), 64 passes and 64 lanes unless raised. A digest
   * that asks for more is `ERR_PASSWORD_LIMIT`, before any memory is taken.
   */
  limits?: { memoryCost?: number; timeCost?: number; parallelism?: number };
  /** Calls the verification off; see {@link passwordPool}. Not for {@link verifySync}. */
  signal?: AbortSignal;
}

/** What can be said to a call that its caller waits for. */
export type SyncOptions<T> = Omit<T, 'signal'>;

/** What an Argon2 digest says. */
export interface HashInfo {
  type: 'argon2d' | 'argon2i' | 'argon2id';
  version: 0x10 | 0x13;
  memoryCost: number;
  timeCost: number;
  parallelism: number;
  salt: Buffer;
  hash: Buffer;
  /** Which pepper it was made with, up to 8 bytes. */
  keyid?: Buffer;
  associatedData?: Buffer;
}

/**
 * Hashes a password (at most 4096 bytes) on the module's own threads, as many as there are cores.
 * The lanes of one hash are computed at the same time while cores are idle; the tag is the same.
 *
 * @returns a PHC string, `$argon2id$v=19$m=65536,t=3,p=4$salt$hash`, or with `raw` the tag
 */
export function hash(password: Bytes, options: HashOptions & { raw: true }): Promise<Buffer>;
export function hash(password: Bytes, options?: HashOptions): Promise<string>;
/**
 * As {@link hash}, on the calling thread: for scripts, not for servers. Its memory counts as well,
 * and it cannot wait: `ERR_PASSWORD_BUSY` when it does not fit ({@link passwordPool}).
 */
export function hashSync(password: Bytes, options: SyncOptions<HashOptions> & { raw: true }): Buffer;
export function hashSync(password: Bytes, options?: SyncOptions<HashOptions>): string;

/**
 * Whether the password is the digest's. `false` for another password, another pepper, and for a
 * digest of another scheme (such as bcrypt's); a malformed one is `ERR_PASSWORD_DIGEST`, one beyond
 * the limits `ERR_PASSWORD_LIMIT`.
 */
export function verify(digest: string, password: Bytes, options?: VerifyOptions): Promise<boolean>;
/** As {@link verify}, on the calling thread, as {@link hashSync}. */
export function verifySync(
  digest: string,
  password: Bytes,
  options?: SyncOptions<VerifyOptions>,
): boolean;

/** Which digests of another policy are due to be replaced. */
export interface RehashOptions {
  /**
   * `exact` (the default): any that differs in type, version, a cost, hash length or salt length,
   * be it weaker or stronger. `atLeast`: not those of the same type whose version, memory, passes,
   * lanes, hash length and salt length are each as large or larger. A digest of another pepper id
   * is due either way.
   */
  policy?: 'exact' | 'atLeast';
}

/**
 * Whether a digest is due to be replaced by what the options would give now; always for one of
 * another scheme, and one that names a pepper, as {@link hash} does not. A malformed digest is
 * `ERR_PASSWORD_DIGEST`. The options of {@link hash} may be given as they are; those that are no
 * cost are not looked at.
 */
export function needsRehash(digest: string, options?: HashOptions & RehashOptions): boolean;

/** Reads a digest; `ERR_PASSWORD_DIGEST` when it is malformed or not of Argon2. */
export function parseHash(digest: string): HashInfo;

/** What a {@link PasswordHasher} is made of: what new digests cost, and what else is verified. */
export interface PasswordHasherOptions extends CostOptions, RehashOptions {
  /**
   * Peppers by id (1 to 8 bytes of UTF-8), each of 16 to 4096 bytes, at most 64. New digests are
   * made with the current one and name it (PHC `keyid`); those that name another one verify with
   * that. A `SecretBuffer` may be disposed of afterwards; an array is copied into secret memory.
   */
  peppers?: { current: string; keys: Record<string, Uint8Array | SecretBuffer> };
  /**
   * The pepper of digests that name none, 1 to 4096 bytes: those from before `peppers`, or all of
   * them. Default: none, and such digests verify without a pepper.
   */
  secret?: Uint8Array | SecretBuffer;
  /**
   * Other schemes to verify; none is ever made. Default: none, and their hashes match nothing.
   *
   * - `bcrypt`: `$2a$`, `$2b$`, `$2x$`, `$2y$` (as each scheme, 72 bytes of the password count),
   *   and passlib's `$bcrypt-sha256$`.
   * - `scrypt`: `$scrypt$ln=…,r=…,p=…$salt$hash`.
   * - `pbkdf2`: `$pbkdf2-sha256$i=…$salt$hash` and passlib's `$pbkdf2-sha256$…$salt$hash`, with
   *   SHA-1, SHA-256 or SHA-512.
   * - `django`: `pbkdf2_sha256$…`, `pbkdf2_sha1$…`, `argon2$…`, `scrypt$…`, `bcrypt$…` and
   *   `bcrypt_sha256$…`; `!…`, a user without a password, matches nothing.
   */
  legacy?: Array<'bcrypt' | 'scrypt' | 'pbkdf2' | 'django'>;
  /**
   * What a digest may ask for; beyond it is `ERR_PASSWORD_LIMIT`, before any work. `memoryCost`,
   * `timeCost` and `parallelism` are as in {@link VerifyOptions}, raised to the policy's own costs;
   * scrypt's 128·N·r bytes are under `memoryCost`, too.
   */
  limits?: {
    memoryCost?: number;
    timeCost?: number;
    parallelism?: number;
    /** bcrypt's cost: 4 to 31. Default: 16. */
    bcryptCost?: number;
    /** scrypt's N·r·p: 1 to 2^29. Default: 2^24. */
    scryptWork?: number;
    /** Iterations, times the blocks of the hash: 1 to 2^32 − 1. Default: 10 million. */
    pbkdf2Iterations?: number;
  };
}

/**
 * One policy for a service's passwords, with its peppers and the schemes it still verifies. It
 * works on the {@link passwordPool}, with its errors; a `signal` calls a job off, though not
 * another scheme's once it runs. A password has at most 4096 bytes; its copies here are wiped.
 */
export class PasswordHasher {
  /**
   * `ERR_OUT_OF_RANGE`, `ERR_INVALID_ARG_VALUE` (`peppers.current` is not among the keys),
   * `ERR_PASSWORD_PROFILE`.
   */
  constructor(policy?: PasswordHasherOptions);
  /** A new digest under the policy and the current pepper. */
  hash(password: Bytes, options?: { signal?: AbortSignal }): Promise<string>;
  /**
   * Whether the password is the digest's. `false` for another password, and for the hash of a
   * scheme that is not in `legacy`. `ERR_PASSWORD_DIGEST`: malformed. `ERR_PASSWORD_PEPPER`: made
   * with a pepper that is not in `peppers.keys`. `ERR_PASSWORD_LIMIT`: beyond the ceilings.
   */
  verify(digest: string, password: Bytes, options?: { signal?: AbortSignal }): Promise<boolean>;
  /**
   * As {@link PasswordHasher.verify} and, when the password is right and the digest due, a new
   * digest in the same job. Store it with compare-and-swap: only if the old one is still there.
   *
   * Without a digest (`null`, `undefined`), because there is no such user, and for the hash of a
   * scheme that is not in `legacy`, it does the work of a verification under the policy and gives
   * `{ valid: false }`. Digests of other costs take another time until their users have logged in.
   */
  verifyAndUpdate(
    digest: string | null | undefined,
    password: Bytes,
    options?: { signal?: AbortSignal },
  ): Promise<{ valid: boolean; newDigest?: string }>;
  /**
   * Whether a digest is due to be replaced: of another policy (see `policy`), another pepper than
   * the current one, or another scheme. `ERR_PASSWORD_DIGEST`: malformed.
   */
  needsRehash(digest: string): boolean;
}

/**
 * A key of `hashLength` bytes (default 32) from a password, with a salt of 8 to 1024 bytes. It is
 * written into secret memory and never enters JavaScript's heap. The same inputs give the same key.
 */
export function deriveKey(
  password: Bytes,
  salt: Uint8Array,
  options?: Omit<HashOptions, 'raw' | 'salt' | 'saltLength'>,
): Promise<SecretBuffer>;

export interface CalibrateOptions {
  /** How long a hash is to take: 1 to 60000 ms. */
  targetMs: number;
  /**
   * KiB that a hash may have: 7168 to 4 GiB. Default: the pool's `maxMemory` divided by its
   * threads, within 19456 and 1 GiB.
   */
  maxMemory?: number;
  /** Lanes: 1 to 255. Default: 4. */
  parallelism?: number;
  /** Told of every measurement. What it throws ends the calibration. */
  onProgress?(measurement: Measurement): void;
  signal?: AbortSignal;
}

export interface Measurement {
  memoryCost: number;
  timeCost: number;
  parallelism: number;
  /** The median of three hashes. */
  measuredMs: number;
}

export interface Calibration {
  /** For {@link hash}. */
  options: { type: 'argon2id'; memoryCost: number; timeCost: number; parallelism: number };
  /** How long one hash takes while no other runs. */
  measuredMs: number;
  /** Whether that is at most `targetMs`. */
  withinTarget: boolean;
  /** Hashes a second when every thread of the pool that has memory for it computes them. */
  perSecond: number;
}

/**
 * Finds what takes `targetMs` on this machine, as RFC 9106 section 4 says: as much memory as there
 * may be, then as many passes as there is time for (at most 64). Never weaker than the OWASP
 * minimum (19456 KiB with 2 passes, or as strong with less memory), even if that takes longer:
 * `withinTarget` tells. It hashes on the pool, so what else runs there is measured with it.
 */
export function calibrate(options: CalibrateOptions): Promise<Calibration>;

export interface PoolOptions {
  /** Hashes at a time: 1 to 512. Default: the cores that the process may use. */
  threads?: number;
  /**
   * Bytes of Argon2 memory in all running hashes together, from 8 KiB. Default: a quarter of what
   * the machine or the control group (cgroup) has, and at least 64 MiB, one hash of the default
   * policy.
   */
  maxMemory?: number;
  /**
   * Hashes that wait: 0 to 2^20. Default: 1024. A hash has its place until its memory has been
   * wiped, which is after its result is there: with 0, the next one may still be refused then.
   */
  maxQueue?: number;
  /** How long they wait at most: 1 ms to 24 hours. Default: 30000. */
  queueTimeoutMs?: number;
}

export interface PoolStats {
  threads: number;
  /** Jobs that run: hashes, and keys being made, which share the threads. */
  running: number;
  queued: number;
  /** Of Argon2 memory that the running ones hold. */
  bytes: number;
  /** Of wiped memory that is kept for the next hashes; within `maxMemory` together with `bytes`. */
  keptBytes: number;
  maxMemory: number;
  maxQueue: number;
  queueTimeoutMs: number;
  /** Jobs since the process started that ran to their end, … */
  completed: number;
  /** … were turned away with `ERR_PASSWORD_BUSY`, … */
  rejected: number;
  /** … or called off, queued or running. */
  aborted: number;
  /** How long the last 1000 hashes ran, waiting not included: the median. */
  p50Ms?: number;
  /** The 99th percentile. */
  p99Ms?: number;
}

/**
 * Where passwords are hashed: one pool for the process and its worker threads. Who comes first is
 * served first, strictly: a hash that waits for memory is not overtaken. One that would have to
 * wait behind `maxQueue` others, or has waited for `queueTimeoutMs`, fails with
 * `ERR_PASSWORD_BUSY`, whose `retryAfterMs` estimates when there will be room; one larger than
 * `maxMemory` fails at once with `ERR_PASSWORD_MEMORY`. Keys that are made wait their turn and are
 * not turned away.
 *
 * An AbortSignal rejects at once with an {@link AbortError}. What waited leaves the queue, wiped;
 * what runs stops at the next slice (a quarter of a pass), and its memory counts until then. Memory
 * is wiped after each hash, kept for the next of its size, and given back after 5 idle seconds;
 * what a stored digest asks for beyond 64 MiB and your own policies is given back at once.
 */
export const passwordPool: {
  /** At any time; what is left out stays. Running hashes run on, waiting ones keep their place. */
  configure(options: PoolOptions): void;
  stats(): PoolStats;
};

// ── Secrets ─────────────────────────────────────────────────────────────────────────────────

/**
 * Bytes outside of JavaScript's heap: in memory that is locked and kept out of dumps as far as the
 * machine allows ({@link secureHeap}), wiped when the last user lets go. Prints as
 * `[SecretBuffer 32 bytes]`; `structuredClone` and `postMessage` refuse it (`DataCloneError`). At
 * most 1 MiB. A full heap is `ERR_SECRET_EXHAUSTED`, or else {@link SecureHeapOptions.overflow}.
 */
export class SecretBuffer {
  private constructor();
  /** Random bytes, 1 to 1 MiB of them. */
  static random(bytes: number): SecretBuffer;
  /**
   * A copy; `wipe: true` zeroes the source's bytes afterwards. An array of at most 64 bytes whose
   * `buffer` was never touched is kept by V8 in its own heap, where a copy of it stays: touch
   * `bytes.buffer` before filling it.
   */
  static from(data: Uint8Array, options?: { wipe?: boolean }): SecretBuffer;
  /**
   * What a text of at most 4096 bytes holds; `hex` and the base64 forms are decoded in constant
   * time, `base64` with padding and `base64url` without. The engine writes the text straight into
   * secret memory; the string itself stays JavaScript's.
   */
  static fromString(
    text: string,
    encoding?: 'utf8' | 'hex' | 'base64' | 'base64url',
  ): SecretBuffer;
  /**
   * What a regular file holds, read into secret memory without a buffer on the way. `path` has 1 to
   * 4096 bytes; links are followed (Kubernetes mounts secrets as such), and the file that was
   * opened is the one that is checked.
   *
   * - `ERR_SECRET_PERMISSIONS`: group or others may read or write it (`mode & 0o066`), or it
   *   belongs to another user than root and the one of this process; neither is checked on Windows.
   * - `ERR_SECRET_FILE`: not to be read, not regular, empty, larger than `maxBytes`, malformed.
   * - `ERR_ACCESS_DENIED`, with `permission` and `resource` as Node's own error has them: Node runs
   *   with `--permission`, and without `--allow-fs-read` for the path.
   */
  static fromFile(path: string, options?: SecretFileOptions): SecretBuffer;
  /**
   * What a variable of the environment holds, taken from there without a JavaScript string:
   * `encoding` as with {@link SecretBuffer.fromString}, default `utf8`; the name has 1 to 256
   * bytes. With `wipe` (default true) the value is then overwritten where it lies (on Windows only
   * removed; elsewhere as often as the name is listed) and the variable deleted, from `process.env`
   * as well.
   *
   * Call it first thing. Copies made before stay: by whoever read `process.env.NAME`, in child
   * processes and in workers. And C libraries do not lock the environment: native code that looks
   * up a variable in another thread at that moment may see this one half wiped, or miss another.
   *
   * `ERR_SECRET_ENV`: not set, empty, malformed (it is then left as it is), or called in a worker
   * thread, whose `process.env` is a copy.
   */
  static fromEnv(
    name: string,
    options?: { encoding?: 'utf8' | 'hex' | 'base64' | 'base64url'; wipe?: boolean },
  ): SecretBuffer;
  /**
   * Opens what {@link SecretBuffer.seal} gave, straight into secret memory. `ERR_SECRET_SEAL`:
   * another key, another context, or changed since; which of them is not said.
   */
  static unseal(
    sealed: Uint8Array,
    key: SecretBuffer,
    options: { context: string },
  ): SecretBuffer;
  /**
   * Takes over what {@link SecretBuffer.share} gave a ticket for, in another thread or the same.
   * `ERR_SECRET_TICKET`: unknown, used or expired.
   */
  static adopt(ticket: string): SecretBuffer;

  /** `ERR_SECRET_DISPOSED` once disposed of, as with every method but `dispose`. */
  readonly byteLength: number;
  readonly disposed: boolean;
  /**
   * Lends a copy of the bytes for the time of the call and wipes it then. A function that
   * transfers the bytes away gets `ERR_SECRET_ESCAPED`, one that returns a promise
   * `ERR_INVALID_RETURN_VALUE`: that is {@link SecretBuffer.useAsync}.
   */
  use<T>(fn: (bytes: Uint8Array) => T extends PromiseLike<unknown> ? never : T): T;
  /**
   * Lends a copy of the bytes until the promise settles and wipes it then, whatever came of it. A
   * function that returns no promise is fine; one that transfers the bytes away gets
   * `ERR_SECRET_ESCAPED`. Errors are rejections.
   */
  useAsync<T>(fn: (bytes: Uint8Array) => T | PromiseLike<T>): Promise<T>;
  /** The same bytes in memory of their own: disposing of one leaves the other. */
  clone(): SecretBuffer;
  /** Compares in constant time; different lengths are unequal at once. */
  equals(other: SecretBuffer | Uint8Array): boolean;
  /**
   * Encrypts and authenticates the bytes, to be stored: AES-256-GCM under a key that HKDF-SHA256
   * derives from `key` (32 bytes or more) and a fresh salt, 62 bytes more than the secret has. The
   * `context` (1 to 1024 bytes) says what the secret is for, such as `'pepper 2026-11'`; it is
   * authenticated, not stored, and the same one is needed to open it.
   */
  seal(key: SecretBuffer, options: { context: string }): Buffer;
  /**
   * A ticket, to be sent to another thread of the process and given to {@link SecretBuffer.adopt}
   * there: 128 random bits as text, good once and for 60 seconds. The bytes stay where they are and
   * have two owners then; each disposes for itself, and the last one wipes. At most 1024 tickets
   * wait at a time (`ERR_SECRET_TICKET`). Disposing of this one does not take the ticket back.
   */
  share(): string;
  /**
   * Lets go, which is better than waiting for the collector: it does not run within a synchronous
   * loop, and knows little of how full the secure heap is. Keys that were made from the secret keep
   * their own copy. Idempotent.
   */
  dispose(): void;
  [Symbol.dispose](): void;
  toString(): string;
  toJSON(): string;
}

export interface SecretFileOptions {
  /**
   * `raw` (default) takes the bytes as they are, `utf8` as well, if they are well-formed; the
   * others are decoded as with {@link SecretBuffer.fromString}.
   */
  encoding?: 'raw' | 'utf8' | 'hex' | 'base64' | 'base64url';
  /** The largest file, 1 byte to 1 MiB; default 64 KiB. */
  maxBytes?: number;
  /** Whether one line ending at the end is left off. Default: for `raw` no, else yes. */
  trim?: boolean;
  /**
   * Takes a file that others than its owner may read or write (a Docker or Kubernetes mount, say)
   * or that belongs to another user than root and the one of this process. Default no.
   */
  allowInsecure?: boolean;
}

export interface SecureHeapStatus {
  /**
   * Best first: `memfd_secret` (Linux only), `mlock` (on Windows `VirtualLock`), `dontdump` (not on
   * macOS), `plain`.
   */
  backend: 'memfd_secret' | 'mlock' | 'dontdump' | 'plain';
  /** Why a better one is not used, with the errors of the system. */
  reasons: string[];
  /** Kept from swap, as the system reports it. */
  locked: boolean;
  /**
   * Left out of core dumps, as the kernel reports it. On Windows: out of the dumps of Windows Error
   * Reporting, which accepted it. On macOS: no core file is written, for `RLIMIT_CORE` is 0.
   */
  dumpExcluded: boolean;
  /** Out of the kernel's own mapping: not even root reads it from outside. */
  kernelUnmapped: boolean;
  /** Inaccessible pages lie on both sides. */
  guardPages: boolean;
  capacityBytes: number;
  /**
   * As slots, which hold 32 bytes more than asked for and are powers of two; above 4064 bytes as
   * whole pages, between guard pages of their own.
   */
  usedBytes: number;
  /** Secrets and keys in the heap. */
  liveSecrets: number;
  /** SecretBuffers that are kept outside of it, encrypted ({@link SecureHeapOptions.overflow}). */
  sealedSecrets: number;
  /**
   * Private keys of RSA, ECDSA and Ed25519 as the crypto library has parsed them. They are on the
   * ordinary heap, outside of what is described here, until the key is collected; their originals
   * are inside.
   */
  parsedPrivateKeys: number;
  /** SecretBuffers of the process that were collected without having been disposed of, so far. */
  leaked: number;
  maxBytes: number;
  /** `RLIMIT_MEMLOCK` in bytes; absent when unlimited, and on Windows. */
  memlockSoft?: number;
  memlockHard?: number;
  /** A live `memfd_secret` mapping keeps the whole machine from hibernating. */
  hibernationBlocked: boolean;
  /** Not both locked and left out of dumps. */
  degraded: boolean;
}

export interface SecureHeapOptions {
  /**
   * What the heap may grow to, 4 KiB to 1 GiB; default 16 MiB. Of secrets above 4064 bytes it holds
   * at most 8192 in any case.
   */
  maxBytes?: number;
  /**
   * The best kind of memory to try; what the machine refuses falls to the next. `auto`, the
   * default, leaves `memfd_secret` out where hibernation is configured. The environment variable
   * `NODESEC_SECMEM`, with the name of a backend, has the last word.
   */
  backend?: 'auto' | SecureHeapStatus['backend'];
  /**
   * What must be true of the memory. If it is not, this call and every secret fail with
   * `ERR_SECRET_DEGRADED`.
   */
  require?: Array<'locked' | 'dumpExcluded' | 'kernelUnmapped'>;
  /**
   * When the memory is not both locked and left out of dumps: one process warning with the code
   * `NODESEC_SECRET_DEGRADED` (the default), `ERR_SECRET_DEGRADED`, or nothing.
   */
  onDegraded?: 'warn' | 'error' | 'ignore';
  /**
   * What happens to a new SecretBuffer when the heap is full and can grow no further. `error`, the
   * default: `ERR_SECRET_EXHAUSTED`. `seal`: its bytes are kept on the ordinary heap, encrypted
   * with AES-256-GCM under a key in the secure heap, and opened there for the time of each call; 16
   * KiB of `maxBytes` (then at least 20 KiB, or 32 KiB where pages have 16) are set aside for that,
   * and one thread at a time uses them.
   *
   * So kept are SecretBuffers of up to 4064 bytes (of a string, 4063), the text or file included
   * that they are decoded from. A longer one, and what is computed with at once, such as the state
   * of an HMAC key, is `ERR_SECRET_EXHAUSTED` all the same. A sealed one stays sealed until it is
   * disposed of.
   */
  overflow?: 'error' | 'seal';
}

export interface ProcessHardening {
  /** Whether the process may be dumped and traced by its user; absent where that cannot be set. */
  dumpable?: boolean;
  /** The soft limit on core dumps in bytes, `Infinity` for none; absent where there is no limit. */
  core?: number;
  /** What could not be done, and what does not help. */
  reasons: string[];
}

export const secureHeap: {
  /**
   * Says what the heap is to be made of, before the first secret or key of the process, whichever
   * thread makes it. Afterwards only a higher `maxBytes` is accepted; anything else is
   * `ERR_SECRET_CONFIGURED`. An option left out keeps what an earlier call set.
   */
  configure(options: SecureHeapOptions): void;
  /** What is true of the memory right now, read back from the system. */
  status(): SecureHeapStatus;
  /**
   * Disposes of every SecretBuffer of the process, those of its worker threads and those that wait
   * to be adopted as well. Keys and issuers that were made from secrets keep their own copies and
   * go on working; a password that is being hashed is finished. For the end of a service, or an
   * emergency.
   */
  disposeAll(): void;
  /**
   * Looks for writes beyond the ends of secrets, which only native code can make. Where there was
   * one, every secret is wiped and the process aborts with a message on stderr; the same is looked
   * at whenever a secret is let go of.
   */
  verify(): void;
  /**
   * Keeps all memory of the process from dumps, not only the secure heap. Nothing of this is done
   * unless it is asked for; gives what is true afterwards, read back from the system, and without
   * options only asks. Call it at the start.
   *
   * `dumpable: false` (Linux): no core dumps, and no debugger, profiler or `/proc/PID/mem` for
   * other processes of the same user. Root is not stopped. Cannot be undone here, and is not
   * inherited by programs that are started.
   *
   * `core` (Linux, macOS): the most bytes of a core dump, 0 for none. It lowers the soft limit;
   * the hard limit is left as it is. Inherited by programs that are started. Does not stop systems
   * that pipe dumps to a program; `reasons` says so then.
   */
  hardenProcess(options?: { dumpable?: false; core?: number }): ProcessHardening;
};

/** Compares in constant time; different lengths are unequal at once. */
export function timingSafeEqual(a: Bytes, b: Bytes): boolean;

// ── Tokens (JWS RFC 7515, JWT RFC 7519, RFC 8725) ────────────────────────────────────────────

/**
 * `EdDSA` and `Ed25519` (RFC 9864) are two names of one algorithm: a key signs under the one it was
 * made for and verifies both, unless a list of `algorithms` names only one.
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

export interface KeyOptions {
  /** The one algorithm the key is for. */
  alg: Algorithm;
  /** 1 to 256 bytes. Default: the RFC 7638 thumbprint; for HMAC a random id. */
  kid?: string;
}

export interface KeyFileOptions extends KeyOptions {
  /** Of an encrypted PKCS#8 file, and of no other; at most 1024 bytes. */
  passphrase?: Bytes;
}

/**
 * A key, bound to one algorithm and parsed once. Nothing is guessed: text is never taken for a
 * secret, and a key file is refused as one. Unusable or weak keys (HMAC shorter than the hash's
 * output, RSA under 2048 bits or with an even exponent, points off the curve or of small order) are
 * `ERR_JWT_KEY`.
 */
export class JwtKey {
  private constructor();
  /**
   * `modulusLength` (2048, 3072 or 4096 bits; default 2048) is for RSA, of which a key takes up to
   * seconds, on a thread of libuv's pool.
   */
  static generate(
    alg: Algorithm,
    options?: { kid?: string; modulusLength?: number },
  ): Promise<JwtKey>;
  /**
   * At least 32, 48 or 64 bytes for HS256, HS384 or HS512, at most 4096.
   *
   * `ERR_JWT_KEY` for what is a key file, since with a public one anybody could sign: PEM, JWKs,
   * OpenSSH and PuTTY files, DER of keys and certificates whatever follows it, uncompressed points,
   * and the base64, base64url or hex of any of these. A bare Ed25519 key, a compressed point and a
   * modulus cannot be told from random bytes. Of random secrets, in any encoding, fewer than one in
   * 2⁴⁰ is refused.
   */
  static fromSecret(secret: Uint8Array | SecretBuffer, options: KeyOptions): JwtKey;
  /**
   * One key of at most 64 KiB: PKCS#8, PKCS#1, SEC 1 or SPKI. With a passphrase PKCS#8 encrypted
   * with PBES2: AES under PBKDF2 of at most 2,000,000 iterations, which may take a second, or
   * scrypt of at most 64 MiB. Other encryption, a wrong passphrase, and one for what is not
   * encrypted are `ERR_JWT_KEY`. Text may stand before the section, and no second one beside it. A
   * private EC key may leave its curve out or spell out its parameters; a public one may not.
   */
  static fromPem(pem: Bytes, options: KeyFileOptions): JwtKey;
  /** The same structures as DER (X.690), with nothing behind them. */
  static fromDer(der: Uint8Array | SecretBuffer, options: KeyFileOptions): JwtKey;
  /**
   * Public, private or symmetric; `alg` and `kid` of the JWK are the defaults. Only its own members
   * count. `use` must be `sig`
   * and `key_ops` name what the key is for: `verify` for a public key, `sign` for a private one,
   * both for a symmetric one.
   */
  static fromJwk(jwk: object, options?: Partial<KeyOptions>): JwtKey;
  /**
   * The public keys of a JWK Set (RFC 7517 section 5), an object or its JSON text, that can be used
   * here: possibly none, at most 1000. A set that is longer than 1 MiB, has more than 1000 keys or
   * is malformed is `ERR_JWT_KEY`, and so is text with a member that comes twice.
   *
   * Keys of an unknown `kty`, `crv` or `alg`, malformed and weak ones, those with a `kid` of more
   * than 256 bytes or for another use, and `oct` are left out. A key with private members is no
   * secret any more: it is left out, and so is whatever else has its numbers. Two different keys
   * with the same `kid` and `alg` are both left out. A key without `kid` gets its thumbprint. A
   * member that is `null` is as if missing.
   */
  static fromJwks(jwks: object | string, options?: JwksImportOptions): JwtKey[];
  static fromKeyObject(key: KeyObject, options: KeyOptions): JwtKey;
  readonly kid: string;
  readonly alg: Algorithm;
  /** Whether it can sign. */
  readonly private: boolean;
  /** Never private members; `ERR_JWT_KEY` for HMAC, which has no public half. */
  toPublicJwk(): JsonWebKeyPublic;
  toString(): string;
  toJSON(): string;
}

export interface JwksImportOptions {
  /**
   * Keys for other algorithms are left out; HMAC is not for key sets. Default: any. An RSA key
   * without `alg` becomes one key for each of RSA's algorithms that is named here, by default for
   * RS256; other keys without `alg` are for their curve's algorithm. With `use: 'jwt-svid'` the
   * default is all of RS, ES and PS, for keys without `alg` as well.
   */
  algorithms?: Algorithm[];
  /**
   * `sig` (the default) takes keys without `use` as well; `jwt-svid` (SPIFFE) only keys that say so
   * and have a `kid`. A RemoteJwks of these is for `JwtVerifier.spiffe` alone. With keys of
   * `fromJwks` nobody can tell: elsewhere they verify JWT-SVIDs without the rules of their trust
   * domain, so give a bundle to `JwtVerifier.spiffe` as it is.
   */
  use?: 'sig' | 'jwt-svid';
}

/** What has become of a request for a JWK Set. */
export type RemoteJwksEvent = {
  /**
   * What it was made for: keys that have never been fetched or soon run out (`due`), a token that
   * means no one key of the set (`unknown-key`) or that nothing can verify (`unavailable`), or a
   * call of `refresh()`.
   */
  trigger: 'due' | 'unknown-key' | 'unavailable' | 'refresh';
} & (
  | {
      type: 'refreshed';
      /** Whether it is another set than before. */
      changed: boolean;
      /** For how many seconds the set is fresh. */
      freshFor: number;
    }
  | {
      type: 'failed';
      /**
       * `ERR_JWT_KEYS_UNAVAILABLE`. Its message says neither the URL nor what was answered; its
       * `cause`, which is not enumerable, may name the host.
       */
      error: JwtError;
      /** What tokens are verified with until the next request. */
      keys: 'fresh' | 'stale' | 'none';
    }
);

export interface RemoteJwksOptions extends JwksImportOptions {
  /** Of every request, such as an API key: at most 64, with values of at most 8192 bytes. */
  headers?: Record<string, string>;
  /**
   * What makes the requests, for a proxy or a private authority. It is given the URL and `method`,
   * `headers`, `signal` and `redirect: 'manual'`. It may verify tokens with these keys, but not
   * wait for them: that ends with `timeoutMs`. Default: the global `fetch`.
   */
  fetch?: (url: string, init: RequestInit) => Promise<Response>;
  /**
   * From the request to the last byte of the answer; 1 to 60,000. A request that is under way keeps
   * the process from ending for as long, even one in the background for which nobody waits.
   * Default: 5000.
   */
  timeoutMs?: number;
  /** The longest answer, uncompressed; at most 1 MiB. Default: 512 KiB. */
  maxBytes?: number;
  /**
   * For how long a set is fresh at least, whatever the answer's Cache-Control says; 1 second to
   * `maxAge`. Default: 1 minute, or `maxAge` where that is less.
   */
  minAge?: Duration;
  /** And at most, or without a Cache-Control; 1 second to 7 days. Default: 10 minutes. */
  maxAge?: Duration;
  /**
   * After a request, how long a token that means no key of the set causes no other; at least 1
   * second, at most 100 years. Default: 30 seconds.
   */
  cooldown?: Duration;
  /**
   * For how long after `maxAge` keys are still used when a request has failed; up to 7 days. Keys
   * that the provider has taken back in the meantime are used, too. Default: 0.
   */
  staleIfError?: Duration;
  /** Told of every request. What it throws is dropped. */
  onEvent?: (event: RemoteJwksEvent) => void;
}

/**
 * The keys that somebody else publishes at one address, for verifiers. Nothing that a token says
 * changes where they come from.
 *
 * They are fetched when they are first used, and again, in the background, when four fifths of the
 * time for which they are fresh have passed: that is the answer's `max-age` less its `Age`, within
 * `minAge` and `maxAge`; `no-store` and `no-cache` are `minAge`. An entity tag is sent back. A
 * token that means no key of the set, by its `kid` or as one without, has them fetched as well,
 * once a `cooldown` at most; one for HMAC does not, and is `ERR_JWT_ALGORITHM`. There is one
 * request at a time, and no timer but its timeout; after failures there are pauses of 1 second to 1
 * minute.
 *
 * `verify` and `verifyJws` never wait: while there are no keys they throw
 * `ERR_JWT_KEYS_UNAVAILABLE`, and the request is under way; `status().lastError` says why the last
 * one failed. `verifyAsync` waits for it. To start with keys at hand, `await jwks.refresh()`.
 *
 * A key that the provider drops goes on verifying until the set is fetched the next time, when it
 * soon runs out or a token calls for it. A system clock that is set does not make keys live longer.
 *
 * An answer counts when its status is 200 and its body is a JWK Set as `JwtKey.fromJwks` takes it,
 * whatever its Content-Type; redirects are not followed. It replaces all keys, even if none is
 * left: that is how a provider takes all of them back. Any other answer leaves the keys as they
 * were.
 */
export class RemoteJwks {
  /**
   * An `https:` URL without credentials and fragment, of at most 4096 bytes; `http:` for `localhost`,
   * 127.0.0.0/8 and `[::1]`.
   */
  constructor(url: string | URL, options?: RemoteJwksOptions);
  /** Fetches now, or waits for the request that is under way. Rejects when that fails. */
  refresh(): Promise<void>;
  /** The keys that verify now. */
  list(): { kid: string; alg: Algorithm }[];
  status(): {
    /**
     * `stale` by `staleIfError` only; `none` before the first request and when the keys are too
     * old.
     */
    keys: 'fresh' | 'stale' | 'none';
    /** When they were last confirmed. */
    loadedAt: Date | undefined;
    /** Why the last request failed, if it did. */
    lastError: JwtError | undefined;
  };
}

export interface JsonWebKeyPublic {
  kty: 'RSA' | 'EC' | 'OKP';
  use: 'sig';
  alg: Algorithm;
  kid: string;
  n?: string;
  e?: string;
  crv?: string;
  x?: string;
  y?: string;
}

export interface KeyRingOptions {
  /** The algorithm of the keys that rotation makes, RSA of 2048 bits. Default: ES256. */
  alg?: Algorithm;
  /**
   * The first signs, the others are retired: they verify until `maxTokenTtl` and 300 seconds from
   * now, and are then forgotten. At most 1000.
   */
  keys?: JwtKey[];
  /** The longest life of a token signed with the ring, at most ten years. Default: 24 hours. */
  maxTokenTtl?: Duration;
  /**
   * How long verifiers may cache the JWKS. A key signs when it has been published for 30 seconds
   * longer, since a set without it may have been on its way; with 0, if none caches it, at once.
   * Default: 10 minutes.
   */
  jwksMaxAge?: Duration;
  /**
   * How long a key signs before the next one takes over by itself; longer than `jwksMaxAge`, and at
   * least a 900th of `maxTokenTtl` and 300 seconds, so that the ring has room for what has signed.
   * No timer runs: who signs, verifies or asks for the JWKS does what is due. RSA keys are made on
   * another thread, and so a moment later. Default: never.
   */
  rotateEvery?: Duration;
}

export interface KeyInfo {
  kid: string;
  alg: Algorithm;
  state: 'next' | 'active' | 'retired' | 'revoked';
  /** Since when it has been in that state. */
  since: Date;
}

/** What has become of a key. */
export interface KeyRingChange {
  kid: string;
  alg: Algorithm;
  /** The state it has left; absent for a new key. */
  from?: KeyInfo['state'];
  /** The state it is in; absent when it is forgotten, since nothing it signed is valid any more. */
  to?: KeyInfo['state'];
  at: Date;
}

/**
 * Keys that come and go: `next` is published and does not sign yet, `active` signs, `retired`
 * verifies for as long as what it signed can live (`maxTokenTtl` and the largest clock tolerance),
 * its private half wiped; `revoked` is refused and its id spent. At most 1000 keys, revoked ones
 * included, else `ERR_KEYRING_FULL`: a full ring rotates no more until retired keys are forgotten.
 *
 * What signs while there is no active key is `ERR_KEYRING_NO_ACTIVE_KEY`.
 */
export class KeyRing {
  constructor(options?: KeyRingOptions);
  /**
   * The process's ring of this name (1 to 256 bytes), for every worker thread; the first call makes
   * it, and it stays until the process ends. Options that are given must be those it has, else
   * `ERR_INVALID_ARG_VALUE`. At most 1000 names.
   */
  static shared(name: string, options?: Omit<KeyRingOptions, 'keys'>): KeyRing;
  /**
   * Opens what {@link KeyRing.seal} gave. `options` replace what was sealed; `rotateEvery` never
   * is: of the processes that open a ring, one at most rotates it and seals it again.
   * `ERR_SECRET_SEAL`: another key, changed since, or of a later version of this module.
   *
   * `shared` is a name of {@link KeyRing.shared}: what was sealed becomes the process's ring of
   * that name. Where there is one, it is given, as `shared()` gives it, and what was sealed is not
   * looked at: every thread may call this at its start.
   */
  static unseal(
    sealed: Uint8Array,
    key: SecretBuffer,
    options?: Omit<KeyRingOptions, 'keys'> & { shared?: string },
  ): KeyRing;
  /**
   * Default state: `active` if there is none, else `next`; what it displaces is retired.
   * `ERR_KEYRING_DUPLICATE`: the ring holds or held a key with this `kid`. RS256 and PS256 keys
   * made of one RSA key have the same by default. `ERR_JWT_KEY`: a public key that is to sign.
   */
  add(key: JwtKey, options?: { state?: 'next' | 'active' | 'retired' }): void;
  /**
   * Refuses a key at once, in every issuer and verifier of the ring; `ERR_KEYRING_UNKNOWN_KEY` if
   * there is none of this id. When it was the active one nothing signs
   * (`ERR_KEYRING_NO_ACTIVE_KEY`): follow with `rotate({ force: true })`. A ring that was sealed
   * before still has it: seal again.
   */
  revoke(kid: string): void;
  /**
   * Promotes the `next` key and publishes a new one; resolves to the key that now signs. Before it
   * has been published for `jwksMaxAge` and 30 seconds: `ERR_KEYRING_NOT_PUBLISHED`, unless forced.
   * An empty ring gets an active key at once; one without a `next` key only publishes one. Does not
   * wait for hashes.
   */
  rotate(options?: { force?: boolean }): Promise<{ kid: string }>;
  /**
   * Does what is due at `now` (the present by default) and gives what that was: keys that no token
   * needs any more are forgotten and, with `rotateEvery`, the next key is promoted and a new one
   * published. However much time has passed, one key is promoted.
   *
   * A `now` in the past is the present. One in the future is for tests: the keys that it forgets
   * are gone for good.
   */
  tick(now?: Moment): KeyRingChange[];
  list(): KeyInfo[];
  /** The public keys that verification accepts now, and how to serve them. */
  jwks(): {
    /** JSON, for `Content-Type: application/jwk-set+json`. */
    body: string;
    /** For `ETag`, quotes included. */
    etag: string;
    /**
     * For `Cache-Control: max-age`, seconds: `jwksMaxAge`, less when a retired key goes sooner, 0
     * while there is no key that signs or will.
     */
    maxAge: number;
  };
  /**
   * The ring with its private keys and without `rotateEvery`, encrypted as
   * {@link SecretBuffer.seal} does, under a key of 32 bytes or more. What changes later is not in
   * it: seal again after each rotation, and above all after `revoke`.
   */
  seal(key: SecretBuffer): Buffer;
  /**
   * `change` is told of every change in its order, whatever made it and in whichever thread, after
   * it has taken effect. Listening does not keep the process running. What a listener throws is an
   * uncaught exception, and keeps nothing from the others. On a shared ring a listener stays until
   * `off`, or until its thread ends.
   */
  on(event: 'change', listener: (change: KeyRingChange) => void): this;
  off(event: 'change', listener: (change: KeyRingChange) => void): this;
}

/** The registered claims; times are seconds since 1970, at most 1e11, the year 5138. */
export interface Claims {
  iss?: string;
  sub?: string;
  aud?: string | string[];
  /** Always there, unless the verifier has `requireExp: false`. */
  exp: number;
  nbf?: number;
  iat?: number;
  jti?: string;
  sid?: string;
  [claim: string]: unknown;
}

export interface JwtHeader {
  readonly alg: Algorithm;
  readonly kid?: string;
  readonly typ?: string;
  readonly [parameter: string]: unknown;
}

export interface JwtIssuerOptions {
  /** A ring, or one key that can sign. */
  keys: KeyRing | JwtKey;
  /** 1 to 2048 bytes. */
  issuer?: string;
  /** At most 100, of 1 to 2048 bytes each. */
  audience?: string | string[];
  /** A second to ten years; at most the ring's `maxTokenTtl`, else `ERR_OUT_OF_RANGE`. */
  expiresIn: Duration;
  /** The header parameter, of at most 256 bytes. Default: `JWT`. */
  typ?: string;
  /** A UUID of version 7 in every token. Default: true. */
  jti?: boolean;
}

export class JwtIssuer {
  constructor(options: JwtIssuerOptions);
  /**
   * Signs claims together with `iat`, `exp` and what the issuer sets. A claim that it sets itself,
   * or of the wrong type, is `ERR_JWT_CLAIM`, and so is what JSON cannot hold or nests deeper than
   * 32; a token of over 16 KiB `ERR_OUT_OF_RANGE`.
   */
  sign(claims: object, overrides?: JwtOverrides): string;
  /**
   * The same, with RSA's half a millisecond and more spent on a thread of libuv's pool (of which
   * there are UV_THREADPOOL_SIZE, 4 by default, for files and DNS, too); other keys sign on the
   * spot. Claims, key, time and id are those of the call. Its errors reject.
   */
  signAsync(claims: object, overrides?: JwtOverrides): Promise<string>;
}

/** What one token carries instead of what its issuer sets. */
export interface JwtOverrides {
  audience?: string | string[];
  expiresIn?: Duration;
  /** From the time of issue. */
  notBefore?: Duration;
}

export interface JwtVerifierOptions {
  /**
   * Those of one issuer. Any of them may sign for any name in `issuer`: for several issuers make a
   * verifier each, or what one signs is accepted as another's (RFC 8725 section 3.8).
   */
  keys: KeyRing | JwtKey | JwtKey[] | RemoteJwks;
  /** Default: those of the keys. `none` does not exist. */
  algorithms?: Algorithm[];
  /**
   * Exact names of one issuer, at most 100 of 1 to 2048 bytes each; `false` accepts any, and none.
   */
  issuer: string | string[] | false;
  audience: string | string[] | false;
  /** At most 300 seconds. Default: 0. */
  clockTolerance?: Duration;
  /** The greatest age since `iat`, which must then be there. */
  maxAge?: Duration;
  /** The `typ` header parameter, without regard to case and to `application/`. */
  typ?: string;
  /**
   * Members that a token must have, with any value but `null`; at most 100, of 1 to 256 bytes each.
   * Else `ERR_JWT_CLAIM` with the reason `missing`. The types of registered claims are checked
   * anyway: `null` in one of them is `ERR_JWT_CLAIM` with the reason `type`.
   */
  requiredClaims?: string[];
  /**
   * `false` accepts tokens without `exp`, which live until their key goes; one that is there still
   * counts. With `revocations` it is required all the same. Default: true.
   */
  requireExp?: boolean;
  /**
   * What has been taken back. Tokens without `jti` or `iat` are then refused, and those that live
   * for longer than the list's `maxTokenTtl`, which would forget them before they expire.
   */
  revocations?: RevocationList;
  /**
   * Remembers tokens that were accepted, so that their signature is not verified again: `true` for
   * 1000. Times, keys and revocations are checked every time. Claims are then shared
   * between calls, and deeply frozen. The tokens are kept in ordinary memory, with their payloads
   * in at most 2 KiB for each entry on average (32 KiB at least), and their claims in JavaScript's;
   * what has not been asked for lately goes first. `maxEntries` is 1 to 100,000, by default 1000.
   * Default: false.
   */
  cache?: boolean | { maxEntries?: number };
}

/** What {@link JwtVerifier.accessToken} is told: all that RFC 9068 leaves open. */
export interface AccessTokenOptions
  extends Omit<JwtVerifierOptions, 'issuer' | 'audience' | 'typ' | 'requireExp'> {
  /** Exact names; none is waived. */
  issuer: string | string[];
  /** The names of this resource server. */
  audience: string | string[];
}

/** What {@link JwtVerifier.spiffe} is told. */
export interface SpiffeVerifierOptions
  extends Pick<
    JwtVerifierOptions,
    'clockTolerance' | 'maxAge' | 'requiredClaims' | 'revocations' | 'cache'
  > {
  /** Such as `example.org`, or its own SPIFFE ID, `spiffe://example.org`. Else `ERR_SPIFFE_ID`. */
  trustDomain: string;
  /**
   * The trust domain's bundle: a JWK Set, or its JSON text. Its keys with the `use` `jwt-svid` and
   * a `kid` are taken, the others ignored, as are `spiffe_sequence` and `spiffe_refresh_hint`. A
   * bundle without such keys says that all are revoked: every token is `ERR_JWT_KEY_NOT_FOUND`.
   * What is no JWK Set is `ERR_JWT_KEY`. The next bundle needs a new verifier, or is fetched by a
   * RemoteJwks made with `use: 'jwt-svid'`, for `maxAge` and Cache-Control whatever the hint is.
   */
  bundle: RemoteJwks | object | string;
  /** The names of this workload; none is waived. */
  audience: string | string[];
}

/** Codes of a token that is refused. */
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
  | 'ERR_REVOCATION_CLOSED';

export type VerifyResult<T> =
  | { ok: true; claims: T & Claims; header: JwtHeader }
  | {
      ok: false;
      code: JwtRejectionCode;
      message: string;
      /** With `ERR_JWT_CLAIM`. */
      claim?: string;
      reason?: 'missing' | 'type' | 'mismatch';
    };

/**
 * Signature, times, issuer, audience and revocation in one call. Strict: three segments of
 * canonical base64url, objects without duplicate members and nested at most 32 deep, at most 16
 * KiB, `exp` required, `iat` not in the future, no time after the year 5138, no `crit`. A token
 * without `kid` needs the only key of its algorithm.
 */
export class JwtVerifier {
  constructor(options: JwtVerifierOptions);
  /**
   * A verifier of OAuth 2.0 access tokens (RFC 9068 section 4): `typ` is `at+jwt`, and `iss`,
   * `exp`, `aud`, `sub`, `client_id` (a string), `iat` and `jti` are there, beside what
   * `requiredClaims` names, up to 93 others. Encrypted tokens are refused.
   */
  static accessToken(options: AccessTokenOptions): JwtVerifier;
  /**
   * A verifier of JWT-SVIDs: the workloads of one trust domain, each known by its SPIFFE ID, the
   * claim `sub`. RS, ES and PS algorithms only; no header parameters but `alg`, `kid` and `typ`
   * (`JWT` or `JOSE`), else `ERR_JWT_MALFORMED`; `sub` is a SPIFFE ID of the trust domain with a
   * path, `aud` and `exp` are there. With `revocations` they need `jti` and `iat`, too, which SPIRE
   * does not give all.
   */
  static spiffe(options: SpiffeVerifierOptions): JwtVerifier;
  /** The claims, or a JwtError; a RevocationError when the list has been closed. */
  verify<T = unknown>(token: string): T & Claims;
  /** The same as a value: it throws for no token whatever. The header is frozen. */
  tryVerify<T = unknown>(token: unknown): VerifyResult<T>;
  /**
   * As `verify`; with a RemoteJwks waits, once, for a key that is not at hand. With keys of this
   * process all is there.
   */
  verifyAsync<T = unknown>(token: string): Promise<T & Claims>;
  /** As `tryVerify`; waits as `verifyAsync` does. */
  tryVerifyAsync<T = unknown>(token: unknown): Promise<VerifyResult<T>>;
  /**
   * As `tryVerify` for each of at most 10,000 tokens, else `ERR_OUT_OF_RANGE`, in their order. All
   * but the reading of the payloads happens on libuv's pool, on one thread and for 200 tokens at a
   * time, so that files and DNS have their turn in between; each token as of when its turn has
   * come.
   */
  verifyMany<T = unknown>(tokens: readonly unknown[]): Promise<VerifyResult<T>[]>;
}

/**
 * The payload of a compact JWS, which need not be JSON: for what no JwtVerifier reads. Signature,
 * key and header are checked as there, claims and revocation of ids are not. `algorithms` names one
 * at least. Throws a JwtError. It does not wait for a RemoteJwks: `await jwks.refresh()` before.
 */
export function verifyJws(
  token: string,
  keys: KeyRing | JwtKey | JwtKey[] | RemoteJwks,
  options: { algorithms: Algorithm[] },
): Buffer;

/**
 * What a token says that nobody has verified: for logs, never for decisions. `ERR_JWT_MALFORMED`
 * for what is no token of two JSON objects and a signature, or longer than 16 KiB.
 */
export function unsafeDecode(token: string): {
  header: Record<string, unknown>;
  claims: Record<string, unknown>;
};

// ── SPIFFE ───────────────────────────────────────────────────────────────────────────────────

/** A SPIFFE ID and its parts, frozen. */
export interface SpiffeId {
  /** Such as `example.org`. */
  readonly trustDomain: string;
  /** With its leading slash; empty for the id of a trust domain itself. */
  readonly path: string;
  /** All of it: what ids are compared by. */
  readonly uri: string;
}

/**
 * Reads a SPIFFE ID, `spiffe://<trust domain>/<path>` (SPIFFE-ID standard, section 2). An id has
 * one spelling: scheme and trust domain are in lower case, nothing is percent-encoded, and no
 * segment of the path is empty, `.` or `..`. At most 2048 bytes, 255 of them of the trust domain.
 * What is no id is `ERR_SPIFFE_ID`, with the rule that it breaks.
 */
export function parseSpiffeId(uri: string): SpiffeId;

/**
 * The SPIFFE ID of a peer's certificate: an X509Certificate, the bytes of its DER, or a string that
 * is a PEM of it alone, before which text may stand and behind which white space may. With mutual
 * TLS, `spiffeIdOf(socket.getPeerX509Certificate())` in the server, and
 * `spiffeIdOf(certificate.raw)` in the client's `checkServerIdentity`.
 *
 * It checks what an X509-SVID of a workload must be (sections 2 to 5.2 of the standard): exactly
 * one URI among the alternative names, which is a SPIFFE ID with a path; no authority; a critical
 * `keyUsage` with `digitalSignature`, without `keyCertSign` and `cRLSign`; `serverAuth` and
 * `clientAuth` where purposes are named; no extension twice. Otherwise `ERR_SPIFFE_CERTIFICATE`,
 * with the rule.
 *
 * It does **not** validate chain, signature, dates or revocation: TLS has (`rejectUnauthorized`,
 * with the authorities of the trust domain as `ca`), and has refused critical extensions that
 * nobody knows, which are not looked at here. Anyone can make a certificate that says anything.
 * Which trust domains `ca` may speak for is for you to compare.
 */
export function spiffeIdOf(certificate: X509Certificate | Uint8Array | string): SpiffeId;

// ── Revocation and sessions ──────────────────────────────────────────────────────────────────

export interface RevocationListOptions {
  /** Default: 1,000,000, of 40 to 70 bytes each. */
  maxEntries?: number;
  /** The longest life of a token that is checked against the list. Default: 30 days. */
  maxTokenTtl?: Duration;
  /**
   * `error` (default): `ERR_REVOCATION_FULL`, and nothing is revoked. `reject-older`: every token
   * issued until now, and for the verifiers' clock tolerance, is refused, which makes room; keys
   * and sessions that you revoked stay, those that `Sessions` ended need not.
   */
  onFull?: 'error' | 'reject-older';
}

/** Whose ids are meant. Default: every issuer's. */
export interface IssuerScope {
  issuer?: string;
}

/** A Date, or seconds since 1970 (a number above 1e11 is taken for milliseconds and refused). */
export type Moment = Date | number;

/**
 * What has been taken back, in memory and exact. Entries are kept for 300 seconds, the largest
 * clock tolerance, beyond the expiry of what they revoke.
 */
export class RevocationList {
  constructor(options?: RevocationListOptions);
  /** One token, in the scope of its `iss` if it has one. */
  revoke(claims: { jti: string; exp: Moment; iss?: string }): Promise<void>;
  revokeSync(claims: { jti: string; exp: Moment; iss?: string }): void;
  /** One token by its `jti`. */
  revokeId(jti: string, expiresAt: Moment, options?: IssuerScope): Promise<void>;
  revokeIdSync(jti: string, expiresAt: Moment, options?: IssuerScope): void;
  /** Every token with this `sid`; `expiresAt` is when the last of them expires. */
  revokeSession(sid: string, expiresAt: Moment, options?: IssuerScope): Promise<void>;
  revokeSessionSync(sid: string, expiresAt: Moment, options?: IssuerScope): void;
  /**
   * Every token of a subject issued in or before that second; default: now. `iat` is in whole
   * seconds, so one issued later in the same second is refused, too.
   */
  revokeSubject(sub: string, issuedBefore?: Moment, options?: IssuerScope): Promise<void>;
  revokeSubjectSync(sub: string, issuedBefore?: Moment, options?: IssuerScope): void;
  /** Every token signed by a key, for good. */
  revokeKey(kid: string): Promise<void>;
  revokeKeySync(kid: string): void;
  isRevoked(claims: {
    jti?: string;
    sid?: string;
    sub?: string;
    iat?: number;
    kid?: string;
    iss?: string;
  }): boolean;
  readonly size: number;
  stats(): {
    ids: number;
    sessions: number;
    subjects: number;
    keys: number;
    maxEntries: number;
    /** Under `reject-older`, the second until which all tokens are refused; else 0. */
    rejectsIssuedUntil: number;
  };
  /** Frees the entries. Afterwards every call, and every verification, is refused. */
  close(): Promise<void>;
}

export interface SessionsOptions {
  /** Signs the access tokens, whose `expiresIn` should be minutes. */
  issuer: JwtIssuer;
  revocations: RevocationList;
  /** A session's life from its start. Default: 30 days. */
  refreshTtl?: Duration;
  /** The longest time between two refreshes. Default: refreshTtl. */
  idleTtl?: Duration;
  /**
   * How long a token that was just rotated gets its successor again. Default: 30 seconds; at most
   * 300.
   */
  grace?: Duration;
  /** Default: 1,000,000; `ERR_SESSION_FULL` beyond. */
  maxSessions?: number;
}

export interface TokenPair {
  accessToken: string;
  /** 71 characters. */
  refreshToken: string;
  /** Of the access token, seconds. */
  expiresIn: number;
  /** The access token's `sid`. */
  sessionId: string;
}

export interface SessionInfo {
  sessionId: string;
  startedAt: Date;
  /** Last refreshed, or started. */
  usedAt: Date;
  /** Ends then unless refreshed before. */
  expiresAt: Date;
}

/**
 * Access and refresh tokens (RFC 9700 section 4.14.2). Each refresh token works once; one that
 * comes back after its grace ends the session and revokes its access tokens.
 */
export class Sessions {
  constructor(options: SessionsOptions);
  /** `claims` go into every access token of the session; `sub` and `sid` are set here. */
  start(subject: string, claims?: object): Promise<TokenPair>;
  /**
   * `replayed`: within the grace period, the same refresh token again. `reuse`: the session has
   * been ended; tell its owner. `unknown`: any other text. A call that fails uses nothing up.
   */
  refresh(
    refreshToken: string,
  ): Promise<
    | { status: 'rotated' | 'replayed'; pair: TokenPair }
    | { status: 'reuse' | 'expired'; sessionId: string; subject: string; pair?: undefined }
    | { status: 'unknown'; pair?: undefined }
  >;
  /**
   * Its access tokens are revoked and it does not refresh any more. If they cannot be revoked
   * (`ERR_REVOCATION_FULL`) it does not refresh all the same, and ending it can be tried again.
   */
  end(sid: string): Promise<void>;
  /** Ends every session of a subject. A session started afterwards is not touched. */
  endAll(subject: string): Promise<void>;
  list(subject: string): Promise<SessionInfo[]>;
}

// ── Limits (GCRA) ────────────────────────────────────────────────────────────────────────────

export interface RateLimiterOptions {
  /** Units a window: 1 to 1e9. */
  limit: number;
  /** 1 to 366 days. */
  windowMs: number;
  /** Units at once. Default: limit. In any time W at most burst + W × limit / windowMs pass. */
  burst?: number;
  /**
   * 8 to 2^26, 16 bytes each as they come. Default: 2^20. Give it several times the keys that are
   * in debt at once: beyond that, and now and then from half of it on, the least debt is forgotten
   * (see `stats().evictions`).
   */
  maxKeys?: number;
}

export interface RateLimitResult {
  allowed: boolean;
  limit: number;
  /** Units that are left; counts up to the burst. */
  remaining: number;
  /** 0 when allowed. */
  retryAfterMs: number;
  /** Until the key is as good as new. */
  resetMs: number;
  policy: { readonly limit: number; readonly windowMs: number; readonly burst: number };
}

/**
 * A token bucket for each key, in memory of bounded size. A key is text or bytes, 1 to 8192 of
 * them; a cost above the burst is `ERR_LIMIT_COST`. To be refused is a value, never an error.
 */
export class RateLimiter {
  constructor(options: RateLimiterOptions);
  /** Takes the cost (default 1) if it is there. */
  check(key: string | Uint8Array, cost?: number): boolean;
  /** The same, with what to tell the client. */
  consume(key: string | Uint8Array, cost?: number): RateLimitResult;
  /** What a cost of 1 would meet; takes nothing. */
  peek(key: string | Uint8Array): RateLimitResult;
  /** Makes the key as good as new; whether it was not already. */
  reset(key: string | Uint8Array): boolean;
  stats(): { capacity: number; evictions: number };
}

// ── Ids ──────────────────────────────────────────────────────────────────────────────────────

/** 122 random bits (RFC 9562). */
export function uuidv4(): string;
/** Milliseconds since 1970, then 74 random bits (RFC 9562). */
export function uuidv7(): string;
/** Random bytes (16 to 1024, default 32) as base64url. */
export function randomToken(bytes?: number): string;

// ── Errors ───────────────────────────────────────────────────────────────────────────────────

/** Every error of this module. Messages hold no secret, no token and no key. */
export class NodesecError extends Error {
  constructor(code: string, message: string);
  readonly code: string;
}
/** `ABORT_ERR`: an AbortSignal called it off; `cause` is the signal's reason. */
export class AbortError extends NodesecError {}
/** `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, `ERR_OUT_OF_RANGE`, `ERR_UNKNOWN_OPTION`, … */
export class ArgumentError extends NodesecError {}
/** `ERR_BINDING_…`: the native part could not be loaded. */
export class BindingError extends NodesecError {}
/** `ERR_PASSWORD_…` */
export class PasswordError extends NodesecError {
  /** With `ERR_PASSWORD_BUSY`: when it may go better, an estimate. */
  readonly retryAfterMs?: number;
}
/** `ERR_SECRET_…`, and `ERR_ACCESS_DENIED` from {@link SecretBuffer.fromFile} */
export class SecretError extends NodesecError {}
/** `ERR_JWT_…` and `ERR_KEYRING_…` */
export class JwtError extends NodesecError {
  /** With `ERR_JWT_CLAIM` from a verifier. */
  readonly claim?: string;
  readonly reason?: 'missing' | 'type' | 'mismatch';
}
/** `ERR_REVOCATION_…` */
export class RevocationError extends NodesecError {}
/** `ERR_SESSION_…` */
export class SessionError extends NodesecError {}
/** `ERR_SPIFFE_…` */
export class SpiffeError extends NodesecError {}
/** `ERR_LIMIT_…` */
export class LimitError extends NodesecError {}
