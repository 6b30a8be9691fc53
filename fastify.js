'use strict';

// Plugins for Fastify 5; fastify.d.ts is their manual.

const { audit } = require('./lib/fastify/audit.js');
const { authentication, requireScope } = require('./lib/fastify/authentication.js');
const { cookies } = require('./lib/fastify/cookies.js');
const { crossOrigin } = require('./lib/fastify/cross-origin.js');
const { jwksRoute } = require('./lib/fastify/jwks-route.js');
const { loginThrottling } = require('./lib/fastify/login-throttling.js');
const { rateLimiting } = require('./lib/fastify/rate-limiting.js');
const { NodesecFastifyStore } = require('./lib/fastify/store.js');

module.exports = {
  audit,
  authentication,
  cookies,
  crossOrigin,
  jwksRoute,
  loginThrottling,
  NodesecFastifyStore,
  rateLimiting,
  requireScope,
};
