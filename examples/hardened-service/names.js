'use strict';

// The names that the services, their certificates and their tokens share.

const TRUST_DOMAIN = 'hardened.example';

module.exports = {
  TRUST_DOMAIN,
  /** The SPIFFE ID of the service with the accounts, and of the service with the audit trail. */
  ACCOUNTS_ID: `spiffe://${TRUST_DOMAIN}/accounts`,
  TRAIL_ID: `spiffe://${TRUST_DOMAIN}/trail`,
  /** The issuer of all tokens, and the audience of those of users. */
  ISSUER: `https://accounts.${TRUST_DOMAIN}`,
  AUDIENCE: `https://accounts.${TRUST_DOMAIN}`,
};
