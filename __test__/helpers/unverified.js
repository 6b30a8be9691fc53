'use strict';

// Compares unsafeDecode with a verifier.

const assert = require('node:assert/strict');
const { createHmac } = require('node:crypto');

const { unsafeDecode } = require('@nodesec/native');
const { coded } = require('./outcome.js');
const { KID, SECRET, segment, verifier } = require('./tokens.js');

const MALFORMED = 'ERR_JWT_MALFORMED';
const HEADER = segment({ alg: 'HS256', kid: KID });

/**
 * Asserts that unsafeDecode reads a token as a verifier does, whose `result` is given, and refuses
 * it exactly if the verifier calls it malformed. The verifier has this `maxBytes` and `padding`.
 */
function assertSameReading(token, result, { maxBytes, padding } = {}) {
  const form = { maxBytes, padding };
  if (isMalformed(token, result, form)) {
    assert.throws(() => unsafeDecode(token, form), coded(MALFORMED));
    return;
  }
  const { header, claims } = unsafeDecode(token, form);
  if (result.ok) assert.deepEqual({ header, claims }, { header: result.header, claims: result.claims });
}

/**
 * Whether a verifier calls the token malformed. A verifier that refuses a header or a signature
 * does not read the payload, so the payload is given to another verifier, under a header and a
 * signature of its own.
 */
function isMalformed(token, { ok, code, claim }, form) {
  if (code === MALFORMED) return true;
  const isOfClaims = ['ERR_JWT_CLAIM', 'ERR_JWT_EXPIRED', 'ERR_JWT_NOT_ACTIVE'].includes(code);
  if (ok || (isOfClaims && claim !== 'typ')) return false;
  const signed = `${HEADER}.${token.split('.')[1]}`;
  const signature = createHmac('sha256', SECRET).update(signed).digest('base64url');
  const other = verifier({ ...form, requireExp: false }).tryVerify(`${signed}.${signature}`);
  return other.code === MALFORMED;
}

module.exports = { assertSameReading };
