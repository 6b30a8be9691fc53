'use strict';

// The audit trail; audit.d.ts is its manual.

const { channels, hashId, record, setHashKey } = require('./lib/audit.js');

module.exports = { channels, hashId, record, setHashKey };
