'use strict';

// Middleware for Express; express.d.ts is its manual.

const { auditContext } = require('./lib/express/audit-context.js');
const { authenticate, requireScope } = require('./lib/express/authenticate.js');
const { crossOriginProtection } = require('./lib/express/cross-origin.js');
const { jwks } = require('./lib/express/jwks.js');
const { loginThrottle } = require('./lib/express/login-throttle.js');
const { rateLimit } = require('./lib/express/rate-limit.js');
const { sessionCookies } = require('./lib/express/session-cookies.js');
const { NodesecStore } = require('./lib/express/store.js');

module.exports = {
  auditContext,
  authenticate,
  crossOriginProtection,
  jwks,
  loginThrottle,
  NodesecStore,
  rateLimit,
  requireScope,
  sessionCookies,
};
