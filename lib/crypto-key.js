'use strict';

// Keys of Web Crypto: the algorithm that they are for, and the usages that they allow.

const { KeyObject } = require('node:crypto');

const { makeError } = require('./errors.js');

/** The JWS algorithms by Web Crypto's name, and its hash or curve (RFC 7518 section 3.1). */
const ALGORITHMS = {
  __proto__: null,
  'HMAC SHA-256': ['HS256'],
  'HMAC SHA-384': ['HS384'],
  'HMAC SHA-512': ['HS512'],
  'RSASSA-PKCS1-v1_5 SHA-256': ['RS256'],
  'RSASSA-PKCS1-v1_5 SHA-384': ['RS384'],
  'RSASSA-PKCS1-v1_5 SHA-512': ['RS512'],
  'RSA-PSS SHA-256': ['PS256'],
  'RSA-PSS SHA-384': ['PS384'],
  'RSA-PSS SHA-512': ['PS512'],
  'ECDSA P-256': ['ES256'],
  'ECDSA P-384': ['ES384'],
  'ECDSA P-521': ['ES512'],
  Ed25519: ['EdDSA', 'Ed25519'],
};

/** The usages that a key of each type must have. */
const USAGES = { secret: ['sign', 'verify'], private: ['sign'], public: ['verify'] };

/** The KeyObject of a CryptoKey that is for `alg`. */
function keyObjectOf(key, alg) {
  const { type, usages, algorithm } = key;
  const { name, hash, namedCurve } = algorithm;
  const own = ALGORITHMS[[name, hash?.name ?? namedCurve].filter(Boolean).join(' ')];
  if (own === undefined) throw refused('is for no algorithm of JWS; make one for signatures');
  if (!own.includes(alg)) throw refused(`is for ${own.join(' or ')}; give that as alg`);
  if (!USAGES[type].every((usage) => usages.includes(usage))) {
    throw refused(`must have ${USAGES[type].join(' and ')} among its usages`);
  }
  try {
    return KeyObject.from(key);
  } catch {
    throw refused('cannot be read; make it with extractable: true');
  }
}

const refused = (why) => makeError('ERR_JWT_KEY', `the CryptoKey ${why}`);

module.exports = { keyObjectOf };
