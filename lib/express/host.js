'use strict';

const { addressOf } = require('../web/address.js');

/**
 * The host and the port that the client has asked, also for a request that Express does not know,
 * such as an upgrade. Express 4 has no port in `req.host`, and neither version knows HTTP/2.
 */
function hostOf(req) {
  const { headers, socket } = req;
  const forwarded = headers['x-forwarded-host'];
  if (forwarded !== undefined) {
    const trust = typeof req.app?.get === 'function' ? req.app.get('trust proxy fn') : undefined;
    // Of several hosts, Express and other programs choose different ones.
    if (trust?.(socket.remoteAddress, 0)) return forwarded.includes(',') ? undefined : forwarded;
  }
  return headers[':authority'] ?? headers.host;
}

/** The address that the client has asked, undefined if it is not known. */
function urlOf(req) {
  return addressOf(req, { protocol: req.protocol, host: hostOf(req), target: req.originalUrl });
}

module.exports = { hostOf, urlOf };
