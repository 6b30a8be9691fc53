'use strict';

const { makeError } = require('../errors.js');
const { declareCrossOrigin } = require('../web/cross-origin.js');
const { hostOf } = require('./host.js');
const { plugin } = require('./plugin.js');
const { RouteOptions } = require('./routes.js');

const protectionOf = declareCrossOrigin('fastify.crossOrigin');

const crossOrigin = plugin('crossOrigin', (instance, options) => {
  if (RouteOptions.isIn(instance, 'crossOrigin')) {
    throw makeError('ERR_INVALID_ARG_VALUE', 'the scope has crossOrigin already: register it in a child scope');
  }
  const routes = new RouteOptions(instance, 'crossOrigin', options, protectionOf);
  instance.addHook('onRequest', async (request) => {
    // A plugin of an inner scope replaces this one.
    if (!routes.isLastOf(request.server)) return;
    await routes.of(request)?.(request.raw, request, hostOf(request));
  });
});

module.exports = { crossOrigin };
