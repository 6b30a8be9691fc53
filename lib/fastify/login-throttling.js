'use strict';

const { makeError } = require('../errors.js');
const { declareThrottling } = require('../web/login.js');
const { plugin, stateOf } = require('./plugin.js');
const { RouteOptions, configOf } = require('./routes.js');
const { Trust } = require('./trust.js');

const throttlingOf = declareThrottling('fastify.loginThrottling');

const loginThrottling = plugin('loginThrottling', (instance, options) => {
  if (RouteOptions.isIn(instance, 'login')) {
    throw makeError('ERR_INVALID_ARG_VALUE', 'the scope has loginThrottling already');
  }
  const trust = new Trust(instance);
  trust.assertKnown();
  const routes = new RouteOptions(instance, 'login', options, throttlingOf);
  // The account is in the body, which is parsed by then.
  instance.addHook('preHandler', async (request, reply) => {
    if (!configOf(request.routeOptions.config).login || !routes.isLastOf(request.server)) return;
    const ask = routes.of(request);
    stateOf(request).login = await ask(request, reply.raw, trust.isOpenTo(request));
  });
});

module.exports = { loginThrottling };
