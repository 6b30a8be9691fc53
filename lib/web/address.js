'use strict';

const { isHost } = require('./origins.js');

/**
 * A path and a query. Some routers take a backslash for a slash, and end the path at `#`, which no
 * client sends.
 */
const TARGET = /^\/[^\\?#]*(?:\?[^#]*)?$/;

/**
 * The address that the client has asked, for the proofs of RFC 9449. Undefined if it is not known.
 * `protocol` and `host` are those of the framework, which knows the trusted proxies; `target` is
 * the path and query before any rewriting. All of it is the client's text: a host with a path in it
 * would otherwise choose the address.
 */
function addressOf(raw, { protocol, host, target }) {
  const own = raw.socket?.encrypted === true ? 'https' : 'http';
  const forwarded = raw.headers['x-forwarded-proto'];
  // Of several protocols, frameworks and other programs choose different ones.
  if (protocol !== own && (forwarded === undefined || forwarded.includes(','))) return undefined;
  if ((protocol !== 'http' && protocol !== 'https') || !isHost(host)) return undefined;
  if (typeof target !== 'string' || !TARGET.test(target)) return undefined;
  return `${protocol}://${host}${target}`;
}

module.exports = { addressOf };
