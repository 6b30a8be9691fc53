'use strict';

const { HttpError } = require('./errors.js');

/** Middleware that lets bearers of a valid access token pass and puts its claims on `req.auth`. */
function authenticate(verifier) {
  return (req, res, next) => {
    const [, token] = /^Bearer +(\S+)$/i.exec(req.get('Authorization') ?? '') ?? [];
    if (token === undefined) throw unauthorized('missing_token', 'Bearer');
    // Signature, times, issuer, audience, type and revocation in one call, which never throws.
    // Why a token was refused (`code`, `claim`, `reason`) is for logs, not for its bearer.
    const result = verifier.tryVerify(token);
    if (!result.ok) throw unauthorized('invalid_token', 'Bearer error="invalid_token"');
    req.auth = result.claims;
    next();
  };
}

function unauthorized(error, challenge) {
  return new HttpError(401, error, { headers: { 'WWW-Authenticate': challenge } });
}

module.exports = { authenticate };
