'use strict';

/**
 * The address that the client has asked, for the proofs of RFC 9449. Undefined if it is not known.
 * `protocol` and `host` are those of the framework, which knows the trusted proxies; `target` is
 * the path and query before any rewriting.
 */
function addressOf(raw, { protocol, host, target }) {
  const own = raw.socket?.encrypted === true ? 'https' : 'http';
  const forwarded = raw.headers['x-forwarded-proto'];
  // Of several protocols, frameworks and other programs choose different ones.
  if (protocol !== own && (forwarded === undefined || forwarded.includes(','))) return undefined;
  if (host === undefined || typeof target !== 'string' || !target.startsWith('/')) return undefined;
  return `${protocol}://${host}${target}`;
}

module.exports = { addressOf };
