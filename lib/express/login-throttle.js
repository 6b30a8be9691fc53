'use strict';

const { declareThrottling } = require('../web/login.js');
const { thrownError } = require('../web/refusal.js');
const { trustsEverybody } = require('./trust.js');

const throttling = declareThrottling('express.loginThrottle');

function loginThrottle(options) {
  const ask = throttling(options);
  return async function loginThrottle(req, res, next) {
    try {
      req.login = await ask(req, res, trustsEverybody(req.app));
    } catch (error) {
      next(thrownError(error));
      return;
    }
    next();
  };
}

module.exports = { loginThrottle };
