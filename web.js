'use strict';

// The functions below the middleware for Express and Fastify, for other frameworks; web.d.ts is
// their manual.

const { readAuthorization, readBearer } = require('./lib/web/bearer.js');
const { challenge } = require('./lib/web/challenge.js');
const { DpopProofs } = require('./lib/web/dpop-proofs.js');
const { rateLimitFields } = require('./lib/web/fields.js');
const { statusOf } = require('./lib/web/status.js');

module.exports = { challenge, DpopProofs, rateLimitFields, readAuthorization, readBearer, statusOf };
