// Checks that the libraries give the same results, before any of them is timed.

import assert from 'node:assert/strict';

import { SignJWT } from 'jose';

import { AUDIENCE, ISSUER, KID } from './claims.mjs';

/** Checks that all signers make the same header and claims, and a payload of `size` bytes. */
export async function assertSameTokens(signers, size) {
  let expected;
  for (const [name, sign] of Object.entries(signers)) {
    const token = await sign();
    const content = contentOf(token);
    expected ??= content;
    assert.deepEqual(content, expected, name);
    assert.equal(Buffer.from(token.split('.')[1], 'base64url').length, size, name);
  }
}

/**
 * Checks that every verifier returns the same claims for the token, and rejects each wrong token.
 */
export async function assertSameVerdicts(verifiers, token, key) {
  const wrong = await wrongTokens(token, key);
  let expected;
  for (const [name, verify] of Object.entries(verifiers)) {
    const claims = await verify(token);
    expected ??= claims;
    // Some verifiers return objects without a prototype.
    assert.deepEqual({ ...claims }, expected, name);
    for (const [what, refused] of Object.entries(wrong)) {
      await assert.rejects(async () => verify(refused), undefined, `${name} takes ${what}`);
    }
  }
}

async function wrongTokens(token, { alg, signing }) {
  const [header, payload, signature] = token.split('.');
  const made = (change) => {
    const claims = { ...JSON.parse(Buffer.from(payload, 'base64url')), ...change };
    return new SignJWT(claims).setProtectedHeader({ alg, typ: 'JWT', kid: KID }).sign(signing);
  };
  const flipped = (signature[9] === 'A' ? 'B' : 'A');
  return {
    'a forged signature': `${header}.${payload}.${signature.slice(0, 9)}${flipped}${signature.slice(10)}`,
    'another payload': `${header}.${payload.slice(0, -4)}AAAA.${signature}`,
    'another issuer': await made({ iss: `${ISSUER}.evil` }),
    'another audience': await made({ aud: `${AUDIENCE}2` }),
    'an expired token': await made({ exp: 1_700_000_000 }),
  };
}

/** The header and claims of a token, without the values that differ between any two tokens. */
function contentOf(token) {
  const [header, claims] = token
    .split('.', 2)
    .map((segment) => JSON.parse(Buffer.from(segment, 'base64url')));
  assert.match(claims.jti, /^[0-9a-f-]{36}$/);
  return { header, claims: { ...claims, jti: null, iat: null, exp: claims.exp - claims.iat } };
}
