'use strict';

// Finds settings of trusted proxies with which clients choose their address.

/**
 * Addresses that no service has as proxies, in all parts of each family. A setting that trusts all
 * of a family trusts its clients.
 */
const STRANGERS = [
  ['9.9.9.9', '101.101.101.101', '149.112.112.112', '203.0.113.1'],
  ['2001:db8::1', '2a00:1098::1'],
];
/** More than the proxies in front of any service: a larger number trusts entries of clients. */
const HOPS = 32;
const NO_TRUST =
  'every client can choose its address, because the framework trusts every proxy: set `trust proxy` ' +
  '(Express) or `trustProxy` (Fastify) to the addresses of your proxies, or pass the option `key`';

module.exports = { HOPS, NO_TRUST, STRANGERS };
