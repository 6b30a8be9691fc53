'use strict';

// The refresh tokens of programs. Each seals the token of a session, and the key to which the
// session is bound. So the service demands a proof with this key before it uses the token up. A
// browser's token is not sealed, and a sealed one is no token of a session: neither is accepted in
// place of the other.

const { SecretBuffer } = require('@nodesec/native');
const { record } = require('@nodesec/native/audit');
const { DpopProofs, challenge } = require('@nodesec/native/web');

const { HttpError } = require('../auth-service/errors.js');

const SEALED = { context: 'refresh token of a program' };

/** `key` seals, `origin` is that of the service, and `replay` has the proofs that were used. */
function createProgramTokens({ key, origin, replay }) {
  const proofs = new DpopProofs({ replay });
  const url = new URL('/program/refresh', origin).href;

  return {
    /**
     * The body with the tokens of a program (RFC 9449 section 5). `claims` has the subject, and the
     * key as `cnf`.
     */
    bodyOf({ accessToken, expiresIn, refreshToken }, claims) {
      const content = SecretBuffer.fromString(JSON.stringify({ refreshToken, claims }));
      const sealed = content.seal(key, SEALED).toString('base64url');
      content.dispose();
      return { accessToken, tokenType: 'DPoP', expiresIn, refreshToken: sealed };
    },

    /**
     * Opens a refresh token, if the request has a proof for it: `ath` of the proof is the hash of
     * this token. Resolves to the token of the session, which is not used up yet, and the claims.
     */
    async proven(sealed, headers) {
      const { refreshToken, claims } = open(sealed, key);
      const proof = await proofs.check({ headers, method: 'POST', url, token: sealed, claims });
      if (!proof.ok) throw challenge(proof);
      return { refreshToken, claims };
    },
  };
}

function open(sealed, key) {
  let content;
  try {
    content = SecretBuffer.unseal(Buffer.from(sealed, 'base64url'), key, SEALED);
  } catch (error) {
    if (error.code !== 'ERR_SECRET_SEAL') throw error;
    record('refresh.refused', { outcome: 'denied' });
    throw new HttpError(401, 'refresh_token_unknown');
  }
  try {
    return content.use((bytes) => JSON.parse(new TextDecoder().decode(bytes)));
  } finally {
    content.dispose();
  }
}

module.exports = { createProgramTokens };
