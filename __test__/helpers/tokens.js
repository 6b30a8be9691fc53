'use strict';

const assert = require('node:assert/strict');
const { createHmac } = require('node:crypto');

const { JwtKey, JwtVerifier } = require('@nodesec/native');
const { coded } = require('./outcome.js');

const SECRET = Buffer.alloc(32, 'a secret of 32 bytes. ');
const KID = 'k1';
const key = JwtKey.fromSecret(SECRET, { alg: 'HS256', kid: KID });

const now = () => Math.floor(Date.now() / 1000);
const segment = (part) =>
  Buffer.from(typeof part === 'object' && !Buffer.isBuffer(part) ? JSON.stringify(part) : part)
    .toString('base64url');

/** An HS256 token with any header and payload. Each is an object, or its text or bytes. */
function craft(payload, header = { alg: 'HS256', typ: 'JWT', kid: KID }, secret = SECRET) {
  const signed = `${segment(header)}.${segment(payload)}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

/** As `craft`, with valid times unless the given claims replace them. */
const craftClaims = (claims, header) =>
  craft({ iat: now() - 10, exp: now() + 1000, ...claims }, header);

const verifier = (options) =>
  new JwtVerifier({ keys: key, issuer: false, audience: false, ...options });

function assertRejected(verifier, token, code, details = {}) {
  const { message, ...result } = verifier.tryVerify(token);
  assert.deepEqual(result, { ok: false, code, ...details });
  assert.throws(() => verifier.verify(token), coded(code, { message, ...details }));
}

module.exports = { KID, SECRET, assertRejected, craft, craftClaims, key, now, segment, verifier };
