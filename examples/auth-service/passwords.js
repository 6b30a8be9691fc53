'use strict';

const { PasswordHasher } = require('@nodesec/native');

/** The id of the pepper. Each digest carries the id of the pepper that it was made with. */
const PEPPER_ID = '1';

function createPasswords(pepper) {
  return new PasswordHasher({
    // The minimum that OWASP recommends: 19 MiB and a few hundredths of a second per login. Raise
    // it if the machine allows; digests move to the new policy as users log in.
    profile: 'owasp',
    // To change the pepper, add one under a new id and make that id the current one. Keep the old
    // pepper until no digest names it: digests move to the current pepper as users log in.
    peppers: { current: PEPPER_ID, keys: { [PEPPER_ID]: pepper } },
    // The pepper of older digests, from before peppers had ids.
    secret: pepper,
  });
}

module.exports = { createPasswords };
