'use strict';

const { declareCrossOrigin } = require('../web/cross-origin.js');
const { thrownError } = require('../web/refusal.js');
const { hostOf } = require('./host.js');

const protectionOf = declareCrossOrigin('express.crossOriginProtection');

function crossOriginProtection(options) {
  const check = protectionOf(options);
  return async function crossOriginProtection(req, res, next) {
    try {
      await check(req, req, hostOf(req));
    } catch (error) {
      next(thrownError(error));
      return;
    }
    next();
  };
}

module.exports = { crossOriginProtection };
