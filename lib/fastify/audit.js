'use strict';

const { makeError } = require('../errors.js');
const { declareCorrelation, reenter } = require('../web/correlation.js');
const { watchMalformed } = require('../web/malformed.js');
const { plugin } = require('./plugin.js');

const correlationOf = declareCorrelation('fastify.audit');
const REGISTERED = Symbol.for('@nodesec/native: audit of a scope');

const audit = plugin('audit', (instance, options) => {
  if (instance[REGISTERED]) {
    throw makeError('ERR_INVALID_ARG_VALUE', 'the scope, or one around it, has audit already');
  }
  const enter = correlationOf(options);
  instance[REGISTERED] = true;
  watchMalformed(instance.server);
  instance.addHook('onRequest', (request, reply, done) => {
    enter(request.raw, reply.raw, (name, value) => reply.header(name, value), done);
  });
  // A parser of the body, or a hook that waits, may have left the ids behind.
  for (const hook of ['preValidation', 'preHandler']) {
    instance.addHook(hook, (request, reply, done) => reenter(request.raw, done));
  }
});

module.exports = { audit };
