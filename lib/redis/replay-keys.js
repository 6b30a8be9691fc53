'use strict';

// The keys of a replay cache: the server learns fingerprints of proofs, and makes no nonces.

const { createHmac, createSecretKey, hash, timingSafeEqual } = require('node:crypto');

const { makeError } = require('../errors.js');
const { wrongType } = require('../options.js');
const { SecretBuffer } = require('../secret.js');

/** The shortest key, in bytes. */
const LEAST = 32;
/** The bytes of the time and of the whole of a nonce, as in src/dpop/nonce.rs. */
const [TIME, NONCE] = [8, 24];
/** The characters of the base64url of 128 bits, and of 96. */
const [CHARS_128, CHARS_96] = [22, 16];

class ReplayKeys {
  #fingerprints;
  #nonces;

  /** The secret may be disposed of afterwards. */
  constructor(secret) {
    const derived = (purpose) =>
      SecretBuffer.prototype.use.call(secret, (bytes) => {
        const own = createHmac('sha256', bytes).update(`nodesec dpop replay 1: ${purpose}`).digest();
        const key = createSecretKey(own);
        own.fill(0);
        return key;
      });
    this.#fingerprints = derived('fingerprints');
    this.#nonces = derived('nonces');
  }

  /** Tells caches with other keys apart. */
  get check() {
    return this.#fingerprint('').slice(0, CHARS_96);
  }

  /** The fingerprint of a proof. A thumbprint has 43 characters, so it is not mixed with the id. */
  of(thumbprint, jti) {
    return this.#fingerprint(thumbprint + jti);
  }

  #fingerprint(text) {
    return createHmac('sha256', this.#fingerprints).update(text).digest('base64url').slice(0, CHARS_128);
  }

  /** The nonce of a moment, in milliseconds since 1970. */
  nonceAt(millis) {
    const bytes = Buffer.alloc(NONCE);
    bytes.writeBigUInt64BE(BigInt(millis));
    this.#mac(bytes).copy(bytes, TIME);
    return bytes.toString('base64url');
  }

  /** The moment of a nonce; undefined if it is not of these. */
  timeOf(nonce) {
    if (typeof nonce !== 'string') return undefined;
    const bytes = Buffer.from(nonce, 'base64url');
    // Another spelling of the same bytes is none of these.
    if (bytes.length !== NONCE || bytes.toString('base64url') !== nonce) return undefined;
    if (!timingSafeEqual(this.#mac(bytes), bytes.subarray(TIME))) return undefined;
    return Number(bytes.readBigUInt64BE());
  }

  #mac(bytes) {
    const mac = createHmac('sha256', this.#nonces).update(bytes.subarray(0, TIME)).digest();
    return mac.subarray(0, NONCE - TIME);
  }
}

/** The kind of an option that is a secret of at least 32 bytes; read as keys. */
function replayKeys(value, name) {
  if (!(value instanceof SecretBuffer)) throw wrongType(name, 'a SecretBuffer');
  if (value.byteLength < LEAST) {
    throw makeError('ERR_OUT_OF_RANGE', `${name} must have at least ${LEAST} bytes`);
  }
  return new ReplayKeys(value);
}

/** Names on one node of a cluster, because the marker has to be seen with each proof. */
class ReplayNames {
  #space;

  constructor(prefix, version) {
    this.#space = `${prefix}:${version}:{${hash('sha256', prefix, 'base64url').slice(0, 6)}}:`;
  }

  get marker() {
    return `${this.#space}marker`;
  }

  of(fingerprint) {
    return `${this.#space}${fingerprint}`;
  }
}

module.exports = { ReplayNames, replayKeys };
