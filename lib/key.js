'use strict';

const { createPrivateKey, X509Certificate } = require('node:crypto');
const {
  inspect,
  types: { isCryptoKey, isKeyObject },
} = require('node:util');

const { attach, construct } = require('./construct.js');
const { keyObjectOf } = require('./crypto-key.js');
const { jsonText, makeError } = require('./errors.js');
const { native } = require('./native.js');
const { Uncloneable } = require('./uncloneable.js');

const NO_JSON = 'the JWK must hold JSON values only';

class JwtKey extends Uncloneable {
  #kid;
  #alg;

  constructor(given) {
    super();
    attach(this, given, () => {
      throw makeError(
        'ERR_INVALID_ARG_VALUE',
        'JwtKey cannot be constructed: use JwtKey.generate, .fromSecret, .fromPem, .fromDer, .fromCertificate, .fromJwk, .fromJwks or .fromKeyObject',
      );
    });
    [this.#kid, this.#alg] = native.keyNames(this);
  }

  static async generate(alg, options) {
    return fromCarrier(await native.keyGenerate(alg, options));
  }

  static fromSecret(secret, options) {
    return construct(JwtKey, (key) => native.keyFromSecret(key, secret, options));
  }

  static fromPem(pem, options) {
    return construct(JwtKey, (key) => native.keyFromPem(key, pem, options));
  }

  static fromDer(der, options) {
    return construct(JwtKey, (key) => native.keyFromDer(key, der, options));
  }

  static fromCertificate(certificate, options) {
    const bytes = certificate instanceof X509Certificate ? derOf(certificate) : certificate;
    return construct(JwtKey, (key) => native.keyFromCertificate(key, bytes, options));
  }

  static fromJwk(jwk, options) {
    if (jwk === null || typeof jwk !== 'object') {
      throw makeError('ERR_INVALID_ARG_TYPE', 'jwk must be an object');
    }
    const own = presentMembers(jwk);
    const isSymmetric = own.kty === 'oct';
    if (!isSymmetric && own.d === undefined) {
      const json = jsonText(own, 'ERR_JWT_KEY', NO_JSON);
      const named = namesOf(json, 'verify', options);
      return construct(JwtKey, (key) => native.keyFromPublicJwk(key, json, named));
    }
    const named = namesOf(ownWords(own), isSymmetric ? 'both' : 'sign', options);
    if (isSymmetric) return JwtKey.#fromSymmetricJwk(own, named);
    const key = JwtKey.fromKeyObject(privateKeyObject(own), named);
    // For some keys Node derives the public half from `d` and never reads the public members.
    native.keyCheckHalves(key, publicMembers(own));
    return key;
  }

  static fromJwks(jwks, options) {
    const { keys, ignored } = native.keyImportSet(setText(jwks), options);
    const property = { __proto__: null, value: ignored };
    return Object.defineProperty(keys.map(fromCarrier), 'ignored', property);
  }

  static #fromSymmetricJwk(jwk, options) {
    const bytes = symmetricBytes(jwk);
    try {
      return JwtKey.fromSecret(bytes, options);
    } finally {
      native.wipe(bytes);
    }
  }

  static fromKeyObject(key, options) {
    if (isCryptoKey(key)) return JwtKey.#fromCryptoKey(key, options);
    if (!isKeyObject(key)) {
      throw makeError('ERR_INVALID_ARG_TYPE', 'key must be a KeyObject or a CryptoKey of node:crypto');
    }
    const type = key.type === 'private' ? 'pkcs8' : 'spki';
    const bytes = key.type === 'secret' ? key.export() : key.export({ format: 'der', type });
    try {
      return key.type === 'secret'
        ? JwtKey.fromSecret(bytes, options)
        : JwtKey.fromDer(bytes, options);
    } finally {
      native.wipe(bytes);
    }
  }

  static #fromCryptoKey(key, options) {
    const [alg, kid] = native.keyOptions(options);
    return JwtKey.fromKeyObject(keyObjectOf(key, alg), { alg, kid: kid ?? undefined });
  }

  get kid() {
    return this.#kid;
  }

  get alg() {
    return this.#alg;
  }

  get private() {
    return native.keyIsPrivate(this);
  }

  toPublicJwk() {
    return JSON.parse(native.keyPublicJwk(this));
  }

  toString() {
    // `this` may be the prototype or a proxy: as in SecretBuffer, logging it must not throw.
    if (!(#alg in Object(this))) return '[JwtKey]';
    return `[JwtKey ${this.#alg} ${this.#kid}]`;
  }

  toJSON() {
    return this.toString();
  }

  [inspect.custom]() {
    return this.toString();
  }
}

/** The DER of an `X509Certificate`. A foreign object may only have its prototype. */
function derOf(certificate) {
  try {
    return certificate.raw;
  } catch {
    return undefined;
  }
}

/** A key that the native part has made asynchronously or as one of a list. */
function fromCarrier(carrier) {
  return construct(JwtKey, (key) => native.keyFromCarrier(key, carrier));
}

/**
 * Returns a JWK Set as JSON. Text stays as it is, because duplicate members can be seen in the text
 * only.
 */
function setText(jwks) {
  if (typeof jwks === 'string') return jwks;
  if (jwks === null || typeof jwks !== 'object') {
    throw makeError('ERR_INVALID_ARG_TYPE', 'jwks must be an object or its JSON text');
  }
  return jsonText(jwks, 'ERR_JWT_KEY', 'the JWK Set must hold JSON values only');
}

/**
 * The own members of a JWK, each read once. A member that is `null` or an empty text counts as
 * missing, as in a JWK Set.
 */
function presentMembers(jwk) {
  const own = { __proto__: null, ...jwk };
  for (const name of Object.keys(own)) if (own[name] === null || own[name] === '') delete own[name];
  return own;
}

/** The `alg` and the `kid` of a key: those of the options, or else the JWK's own. */
function namesOf(json, purpose, options) {
  const [alg, kid] = native.keyJwkNames(json, purpose, options);
  return { alg, kid: kid ?? undefined };
}

/** The JSON of the public members of a private JWK. */
function publicMembers({ kty, crv, x, y, n, e }) {
  return jsonText({ kty, crv, x, y, n, e }, 'ERR_JWT_KEY', NO_JSON);
}

/** The JSON of a JWK's metadata, without the key. */
function ownWords({ alg, use, key_ops, kid }) {
  return jsonText({ alg, use, key_ops, kid }, 'ERR_JWT_KEY', NO_JSON);
}

/** The longest `k`, in characters: 4096 bytes. */
const MAX_K_LEN = 5462;

function symmetricBytes(jwk) {
  const isText = typeof jwk.k === 'string' && jwk.k.length <= MAX_K_LEN;
  const canonical = isText && Buffer.from(jwk.k, 'base64url');
  if (!canonical || canonical.toString('base64url') !== jwk.k) {
    const message = 'the JWK must have "k" in base64url without padding, at most 4096 bytes';
    throw makeError('ERR_JWT_KEY', message);
  }
  return canonical;
}

/** The longest private JWK, in characters of its members. */
const MAX_JWK_LEN = 65_536;

function privateKeyObject(jwk) {
  const lengths = Object.values(jwk).map((value) => (typeof value === 'string' ? value.length : 0));
  if (lengths.reduce((sum, length) => sum + length, 0) > MAX_JWK_LEN) {
    throw makeError('ERR_JWT_KEY', 'a JWK must be at most 64 KiB long');
  }
  try {
    return createPrivateKey({ key: jwk, format: 'jwk' });
  } catch {
    // The reason may quote the key.
    const more = jwk.kty === 'RSA' ? '; in RSA, d must be below the modulus' : '';
    throw makeError('ERR_JWT_KEY', `the JWK is not a valid private key${more}`);
  }
}

module.exports = { JwtKey };
