'use strict';

const { declareCorrelation } = require('../web/correlation.js');

const correlationOf = declareCorrelation('express.auditContext');

function auditContext(options) {
  const enter = correlationOf(options);
  return function auditContext(req, res, next) {
    enter(req, res, (name, value) => res.setHeader(name, value), next);
  };
}

module.exports = { auditContext };
