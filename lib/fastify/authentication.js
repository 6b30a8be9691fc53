'use strict';

const { makeError } = require('../errors.js');
const { declareAuthentication, scopeRefusal, words } = require('../web/authentication.js');
const { urlOf } = require('./host.js');
const { plugin, stateOf } = require('./plugin.js');
const { RouteOptions } = require('./routes.js');

const checkOf = declareAuthentication('fastify.authentication');

const authentication = plugin('authentication', (instance, options) => {
  if (RouteOptions.isIn(instance, 'auth')) {
    throw makeError(
      'ERR_INVALID_ARG_VALUE',
      'the scope has authentication already: register it in a child scope, or pass JwtVerifiers',
    );
  }
  const routes = new RouteOptions(instance, 'auth', options, checkOf);
  instance.addHook('onRequest', async (request, reply) => {
    // A plugin of an inner scope replaces this one.
    if (!routes.isLastOf(request.server)) return;
    const check = routes.of(request);
    if (check === undefined) return;
    stateOf(request).auth = await check(request.raw, request, {
      url: () => urlOf(request),
      set: (name, value) => reply.header(name, value),
    });
  });
});

function requireScope(...scopes) {
  const wanted = words(scopes, 'scopes');
  return async function requireScope(request) {
    const refusal = scopeRefusal(request.nodesec?.auth, wanted);
    if (refusal !== undefined) throw refusal;
  };
}

module.exports = { authentication, requireScope };
