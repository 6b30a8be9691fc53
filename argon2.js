'use strict';

// npm `argon2` 0.45 over this package, for programs that change nothing but the name that they
// require: the same exports, defaults and classes of errors. argon2.d.ts is its manual.

const { NodesecError, makeError } = require('./lib/errors.js');
const passwords = require('./lib/password.js');

const { argon2d, argon2i, argon2id } = passwords;

/** The costs that `needsRehash` compares, with their defaults. */
const COSTS = { version: 0x13, memoryCost: 65536, timeCost: 3, parallelism: 4 };

/** The classes of errors by code, as npm `argon2` and Node choose them. */
const CLASSES = new Map([
  ['ERR_INVALID_ARG_TYPE', TypeError],
  ['ERR_INVALID_ARG_VALUE', TypeError],
  ['ERR_OUT_OF_RANGE', RangeError],
  ['ERR_PASSWORD_DIGEST', TypeError],
]);

async function hash(password, options) {
  // Other members are ignored, as there.
  const { type, version, salt, secret, associatedData, raw, ...numbers } = own(options);
  const known = {
    type,
    version,
    memoryCost: numeric(numbers.memoryCost),
    timeCost: numeric(numbers.timeCost),
    parallelism: numeric(numbers.parallelism),
    hashLength: numeric(numbers.hashLength),
    salt: salt ?? undefined,
    secret: unlessEmpty(secret),
    associatedData,
    raw: Boolean(raw),
  };
  try {
    return await passwords.hash(wellFormed(password), known);
  } catch (error) {
    throw asTheirs(error);
  }
}

async function verify(digest, password, options) {
  const { secret, limits } = own(options);
  const known = { secret: unlessEmpty(secret), limits };
  try {
    return await passwords.verify(digest, wellFormed(password), known);
  } catch (error) {
    throw asTheirs(error);
  }
}

function needsRehash(digest, options) {
  const wanted = own(options);
  try {
    // A hash of another scheme always needs one. A text that is no hash at all is refused.
    if (!isArgon2(digest)) return passwords.needsRehash(digest);
    const found = passwords.parseHash(digest);
    // Fractions of costs, as npm `argon2` writes them, no other library reads.
    if (digest.includes('.')) return true;
    // Only these count. A service that passes its costs alone, as the types ask, would otherwise
    // hash at every login if its type or its lengths are not the default ones.
    const costs = Object.entries(COSTS).map(([name, usual]) => [name, cost(name, wanted[name] ?? usual)]);
    return costs.some(([name, value]) => found[name] !== value);
  } catch (error) {
    throw asTheirs(error);
  }
}

function isArgon2(digest) {
  return typeof digest === 'string' && /^\$argon2(?:d|i|id)\$/.test(digest);
}

/** A copy of a value that was given as options, without inherited members. */
function own(options) {
  return { ...options };
}

/** A cost to compare. Any other value might run code of the caller, or make a huge text. */
function cost(name, value) {
  const number = numeric(value);
  if (typeof number === 'number') return number;
  throw makeError('ERR_INVALID_ARG_TYPE', `${name} must be a number`);
}

/** Numbers from environment variables are text. */
function numeric(value) {
  return typeof value === 'string' ? Number(value) : value;
}

/** npm `argon2` hashes an unpaired surrogate as U+FFFD. */
function wellFormed(password) {
  return typeof password === 'string' ? password.toWellFormed() : password;
}

/** An empty secret is the default of npm `argon2`. That of a detached buffer only looks empty. */
function unlessEmpty(secret) {
  const isEmpty = ArrayBuffer.isView(secret) && secret.byteLength === 0;
  return isEmpty && !isDetached(secret.buffer) ? undefined : secret;
}

function isDetached(buffer) {
  try {
    return new Uint8Array(buffer).byteLength !== buffer.byteLength;
  } catch {
    return true;
  }
}

function asTheirs(error) {
  const Class = error instanceof NodesecError ? CLASSES.get(error.code) : undefined;
  if (Class === undefined) return error;
  return Object.assign(new Class(error.message), { code: error.code });
}

module.exports = { argon2d, argon2i, argon2id, hash, needsRehash, verify };
