'use strict';

const { hash, needsRehash, randomToken, verify } = require('@nodesec/native');

/**
 * The minimum that OWASP recommends: 19 MiB and a few hundredths of a second a login. Raise it
 * when the machine allows; users are moved to the new policy as they log in.
 */
const POLICY = { profile: 'owasp' };

async function createPasswords(pepper) {
  const options = { ...POLICY, secret: pepper };
  // Nobody's password, verified where there is no such user: an answer that comes sooner would
  // tell who has an account.
  const nobody = await hash(randomToken(), options);

  return {
    hash: (password) => hash(password, options),

    /** Whether `password` is that of `digest`; without a digest, no, but no sooner. */
    verify: (digest, password) => verify(digest ?? nobody, password, { secret: pepper }),

    /** Whether a digest was made under another policy than today's. */
    needsRehash: (digest) => needsRehash(digest, POLICY),
  };
}

module.exports = { createPasswords };
