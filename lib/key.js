'use strict';

const { createPrivateKey } = require('node:crypto');
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
    return construct(JwtKey, (key) => native.keyFromCertificate(key, certificate, options));
  }

  static fromJwk(jwk, options) {
    if (jwk === null || typeof jwk !== 'object') {
      throw makeError('ERR_INVALID_ARG_TYPE', 'jwk must be an object');
    }
    // Reads each member once, and leaves out inherited members.
    const own = { __proto__: null, ...jwk };
    // The JWK's own `alg` and `kid` stand in for options that are left out. An option that is
    // `null` is not left out: `keyOptions` refuses it.
    const [alg = own.alg, kid] = native.keyOptions(options).map((given) => given ?? undefined);
    const isSymmetric = own.kty === 'oct';
    if (!isSymmetric && own.d === undefined) {
      const json = jsonText(own, 'ERR_JWT_KEY', NO_JSON);
      return construct(JwtKey, (key) => native.keyFromPublicJwk(key, json, { alg, kid }));
    }
    native.keyCheckJwk(ownWords(own), isSymmetric, { alg });
    const named = { alg, kid: kid ?? own.kid };
    if (isSymmetric) return JwtKey.#fromSymmetricJwk(own, named);
    const key = JwtKey.fromKeyObject(privateKeyObject(own), named);
    // For some keys Node derives the public half from `d` and never reads the public members.
    const published = key.toPublicJwk();
    if (['crv', 'x', 'y', 'n', 'e'].some((member) => own[member] !== published[member])) {
      throw makeError('ERR_JWT_KEY', 'the private and the public members of the JWK do not match');
    }
    return key;
  }

  static fromJwks(jwks, options) {
    return native.keyImportSet(setText(jwks), options).map(fromCarrier);
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
    const [alg, kid] = native.keyOptions(options).map((given) => given ?? undefined);
    if (alg === undefined) throw makeError('ERR_MISSING_OPTION', 'the option "alg" is required');
    return JwtKey.fromKeyObject(keyObjectOf(key, alg), { alg, kid });
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

/** The JSON of a JWK's metadata, without the key. */
function ownWords({ alg, use, key_ops, kid }) {
  return jsonText({ alg, use, key_ops, kid }, 'ERR_JWT_KEY', NO_JSON);
}

function symmetricBytes(jwk) {
  const canonical = typeof jwk.k === 'string' && Buffer.from(jwk.k, 'base64url');
  if (!canonical || canonical.toString('base64url') !== jwk.k) {
    throw makeError('ERR_JWT_KEY', 'the JWK must have "k" in base64url');
  }
  return canonical;
}

function privateKeyObject(jwk) {
  try {
    return createPrivateKey({ key: jwk, format: 'jwk' });
  } catch {
    // The reason may quote the key.
    throw makeError('ERR_JWT_KEY', 'the JWK is not a valid private key');
  }
}

module.exports = { JwtKey };
