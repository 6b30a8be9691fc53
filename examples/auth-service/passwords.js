'use strict';

const { PasswordHasher } = require('@nodesec/native');

/** The name that digests carry of the pepper they were made with. */
const PEPPER_ID = '1';

function createPasswords(pepper) {
  return new PasswordHasher({
    // The minimum that OWASP recommends: 19 MiB and a few hundredths of a second a login. Raise it
    // when the machine allows; users are moved to the new policy as they log in.
    profile: 'owasp',
    // To change the pepper, add one under a new id and make that the current one. The old one is
    // needed until no digest names it: users are moved as they log in, as with the policy.
    peppers: { current: PEPPER_ID, keys: { [PEPPER_ID]: pepper } },
    // What older digests were made with, from before peppers had ids.
    secret: pepper,
  });
}

module.exports = { createPasswords };
