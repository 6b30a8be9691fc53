'use strict';

// Middleware for Express; express.d.ts is its manual.

const { authenticate, requireScope } = require('./lib/express/authenticate.js');
const { jwks } = require('./lib/express/jwks.js');
const { loginThrottle } = require('./lib/express/login-throttle.js');
const { rateLimit } = require('./lib/express/rate-limit.js');
const { NodesecStore } = require('./lib/express/store.js');

module.exports = { authenticate, jwks, loginThrottle, NodesecStore, rateLimit, requireScope };
