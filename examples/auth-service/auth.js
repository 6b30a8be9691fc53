'use strict';

const { HttpError } = require('./errors.js');

/** Middleware that requires a valid access token and sets `req.auth` to its claims. */
function authenticate(verifier) {
  return (req, res, next) => {
    const [, token] = /^Bearer +(\S+)$/i.exec(req.get('Authorization') ?? '') ?? [];
    if (token === undefined) throw unauthorized('missing_token', 'Bearer');
    // One call checks signature, times, issuer, audience, type and revocation, and never throws.
    // The reason of a refusal (`code`, `claim`, `reason`) is for logs, not for the client.
    const result = verifier.tryVerify(token);
    // Nobody knows whether the token is revoked: the client must not throw it away.
    if (result.code === 'ERR_REVOCATION_STORE') throw new HttpError(503, 'unavailable');
    if (!result.ok) throw unauthorized('invalid_token', 'Bearer error="invalid_token"');
    req.auth = result.claims;
    next();
  };
}

function unauthorized(error, challenge) {
  return new HttpError(401, error, { headers: { 'WWW-Authenticate': challenge } });
}

module.exports = { authenticate };
