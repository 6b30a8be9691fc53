'use strict';

// What the middleware for Express and for Fastify stands on, for other frameworks; web.d.ts is its
// manual.

const { readBearer } = require('./lib/web/bearer.js');
const { challenge } = require('./lib/web/challenge.js');
const { rateLimitFields } = require('./lib/web/fields.js');

module.exports = { challenge, rateLimitFields, readBearer };
