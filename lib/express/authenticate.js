'use strict';

const { declareAuthentication, scopeRefusal, words } = require('../web/authentication.js');
const { thrownError } = require('../web/refusal.js');
const { urlOf } = require('./host.js');

const authentication = declareAuthentication('express.authenticate');

function authenticate(options) {
  const check = authentication(options);
  return async function authenticate(req, res, next) {
    let auth;
    try {
      auth = await check(req, req, {
        url: () => urlOf(req),
        set: (name, value) => res.setHeader(name, value),
      });
    } catch (error) {
      next(thrownError(error));
      return;
    }
    if (auth !== undefined) req.auth = auth;
    next();
  };
}

function requireScope(...scopes) {
  const wanted = words(scopes, 'scopes');
  return function requireScope(req, res, next) {
    next(scopeRefusal(req.auth, wanted));
  };
}

module.exports = { authenticate, requireScope };
