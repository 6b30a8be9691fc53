'use strict';

const { addressOf } = require('../web/address.js');

/** The host and the port that the client has asked. */
function hostOf(request) {
  const { host, raw } = request;
  const { host: own, ':authority': authority, 'x-forwarded-host': forwarded } = raw.headers;
  // Fastify has found that the proxy is trusted. Of several hosts, programs choose different ones.
  const isForwarded = forwarded !== undefined && host !== (own ?? authority);
  if (isForwarded) return forwarded.includes(',') ? undefined : host;
  return authority ?? own;
}

/** The address that the client has asked, undefined if it is not known. */
function urlOf(request) {
  const { raw, protocol, originalUrl } = request;
  return addressOf(raw, { protocol, host: hostOf(request), target: originalUrl });
}

module.exports = { hostOf, urlOf };
