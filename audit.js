'use strict';

// The audit trail; audit.d.ts is its manual.

const {
  channels,
  correlationId,
  hashId,
  record,
  setHashKey,
  toPino,
  withCorrelation,
} = require('./lib/audit.js');

module.exports = {
  channels,
  correlationId,
  hashId,
  record,
  setHashKey,
  toPino,
  withCorrelation,
};
