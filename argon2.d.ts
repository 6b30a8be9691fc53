// The manual of @nodesec/native/argon2: npm `argon2` 0.45 over this package, for a program that
// changes only the name that it requires. Exports, defaults, types and classes of errors are those
// of npm `argon2`; docs/migrating.md lists each difference, and the tests check the list. New
// programs use index.d.ts, which has more: `PasswordHasher`, `signal`, `hashSync`, `calibrate`.

/// <reference types="node" />

/** For {@link HashOptions.type}: Argon2d. */
export const argon2d: 0;
/** For {@link HashOptions.type}: Argon2i. */
export const argon2i: 1;
/** For {@link HashOptions.type}: Argon2id, the default. */
export const argon2id: 2;

/** The options of {@link hash}. Other members are ignored, also misspelt ones. */
export type HashOptions = {
  /** Length of the tag: 4 to 1024 bytes. Default: 32. */
  hashLength?: number | undefined;
  /** Passes: 1 to 65536. Default: 3. */
  timeCost?: number | undefined;
  /**
   * Memory in KiB: at least 8 × parallelism, at most 4194304 (4 GiB). Default: 65536 (64 MiB). As
   * in npm `argon2`, nothing warns about weak costs.
   */
  memoryCost?: number | undefined;
  /** Lanes: 1 to 255. Default: 4. */
  parallelism?: number | undefined;
  /** The variant. Default: argon2id. */
  type?: 0 | 1 | 2 | undefined;
  /** The version of Argon2: 0x10 or 0x13. Default: 0x13. */
  version?: number | undefined;
  /** A salt of 8 to 1024 bytes in place of 16 random ones. Never use a salt twice. */
  salt?: Buffer | undefined;
  /** Associated data, at most 1024 bytes. The tag depends on it, and the digest contains it. */
  associatedData?: Buffer | undefined;
  /**
   * A pepper: at most 4096 bytes; an empty one is none. The digest does not contain it. At run time
   * a `SecretBuffer` is accepted as well.
   */
  secret?: Buffer | undefined;
};

/** The name of {@link HashOptions} in npm `argon2` 0.44 and before. */
export type Options = HashOptions;

/** The options of {@link verify}. Other members are ignored, so those of {@link hash} will do. */
export type VerifyOptions = {
  /** The pepper with which the digest was made. */
  secret?: Buffer | undefined;
  /**
   * The highest costs that a digest may ask for, which npm `argon2` does not bound. Default:
   * `memoryCost` 1048576 KiB (1 GiB), `timeCost` 64, `parallelism` 64, and `work`, which is memory
   * in KiB times passes, 8388608 (8 GiB). A digest that asks for more gives `ERR_PASSWORD_LIMIT`.
   */
  limits?:
    | { memoryCost?: number; timeCost?: number; parallelism?: number; work?: number }
    | undefined;
};

/** The costs that {@link needsRehash} compares. Other members are ignored. */
export type RehashOptions = {
  /** Passes. Default: 3. */
  timeCost?: number | undefined;
  /** Memory in KiB. Default: 65536. */
  memoryCost?: number | undefined;
  /** Lanes. Default: 4. */
  parallelism?: number | undefined;
  /** The version of Argon2. Default: 0x13. */
  version?: number | undefined;
};

/**
 * Hashes a password on the pool of this package. The parameters of the digest are in the order
 * `m,t,p`, which every reader of Argon2 digests understands; npm `argon2` 0.45 writes `m,p,t`.
 *
 * As in npm `argon2`, half of a surrogate pair in a password is hashed as U+FFFD.
 *
 * Errors: `TypeError` for a value of the wrong type; `RangeError` for a number or a length out of
 * range, also of a password above 4096 bytes; `PasswordError` with `ERR_PASSWORD_BUSY` if the queue
 * is full, or `ERR_PASSWORD_MEMORY` if there is not enough memory. Each has the `code` that `hash`
 * of the main entry gives it.
 *
 * @example
 * ```ts
 * import argon2 from '@nodesec/native/argon2';
 *
 * const digest = await argon2.hash('a password', { memoryCost: 19456, timeCost: 2, parallelism: 1 });
 * console.log(digest); // $argon2id$v=19$m=19456,t=2,p=1$…
 * console.log(await argon2.verify(digest, 'a password')); // true
 * console.log(argon2.needsRehash(digest)); // true
 * ```
 */
export function hash(
  password: Buffer | string,
  options: HashOptions & { raw: true },
): Promise<Buffer>;
export function hash(
  password: Buffer | string,
  options?: HashOptions & { raw?: boolean | undefined },
): Promise<string>;

/**
 * Whether a password is the one of a digest, of npm `argon2` or of any other library. Resolves to
 * `false` for a hash of another scheme, such as bcrypt.
 *
 * Errors: `TypeError` (`ERR_PASSWORD_DIGEST`) for a text that is no hash, `PasswordError`
 * (`ERR_PASSWORD_LIMIT`) for a digest beyond `limits`, and those of {@link hash}.
 */
export function verify(
  digest: string,
  password: Buffer | string,
  options?: VerifyOptions,
): Promise<boolean>;

/**
 * Whether a digest has another version or other costs than the options, or is of another scheme.
 * As in npm `argon2`, type, hash length and salt length do not count; in the function of the main
 * entry they do. A cost that is `undefined` is the default, as in {@link hash}. A digest whose
 * costs have fractions, as npm `argon2` writes them, always needs one.
 *
 * Errors: `TypeError` (`ERR_PASSWORD_DIGEST`) for a text that is no hash.
 */
export function needsRehash(digest: string, options?: RehashOptions): boolean;
