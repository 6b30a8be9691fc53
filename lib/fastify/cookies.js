'use strict';

const { makeError } = require('../errors.js');
const { text } = require('../options.js');
const { declareSessions } = require('../web/sessions.js');
const { hostOf } = require('./host.js');
const { plugin, stateOf } = require('./plugin.js');

const PATH = /^\/[\w.~%/-]*[\w.~%-]$/;

const sessionsOf = declareSessions('fastify.cookies', {
  routes: (value, name) => (value === false ? value : path(value, name)),
});
const path = text(1024, PATH, 'a path that begins with / and does not end with it, or false');

const cookies = plugin('cookies', (instance, options) => {
  if (instance.hasReplyDecorator('issueSession')) {
    throw makeError('ERR_INVALID_ARG_VALUE', 'the scope, or one around it, has cookies already');
  }
  const { made, routes = '/auth' } = sessionsOf(options, (given) => {
    return given.routes === false ? undefined : `${instance.prefix}${given.routes ?? '/auth'}`;
  });
  instance.decorateReply('issueSession', function issueSession(pair) {
    made.issue(pair, fieldsOf(this));
    return this;
  });
  instance.decorateReply('clearSession', function clearSession() {
    made.clear(fieldsOf(this));
    return this;
  });
  instance.addHook('onRequest', async (request) => {
    const auth = await made.sender(request.raw, request);
    // A plugin before this one may have found the sender in another way.
    if (auth !== undefined) stateOf(request).auth ??= auth;
  });
  if (routes !== false) instance.register(handlersOf(made, routes));
});

/**
 * The routes below `path`, in a scope of their own that reads nothing of a body. They are there for
 * all methods but OPTIONS, which is for the preflight requests of other plugins.
 */
function handlersOf(made, path) {
  return async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (request, payload, done) => done(null));
    scope.addHook('preParsing', async (request) => {
      // Fastify would refuse a type that is malformed.
      request.headers = { 'content-type': undefined };
    });
    const methods = scope.supportedMethods.filter((name) => name !== 'OPTIONS');
    for (const method of ['refresh', 'logout']) {
      scope.route({
        method: methods,
        url: `${path}/${method}`,
        // An access token that is due for a refresh cannot be asked for.
        config: { nodesec: { auth: false } },
        handler: async (request, reply) => {
          const answer = await made[method](request.raw, request, hostOf(request), fieldsOf(reply));
          reply.code(answer.status).headers(answer.headers);
          return reply.send(answer.body === '' ? undefined : answer.body);
        },
      });
    }
  };
}

function fieldsOf(reply) {
  return {
    get: (name) => reply.getHeader(name),
    set: (name, value) => {
      // Fastify would append cookies to those that are there.
      reply.removeHeader(name);
      reply.header(name, value);
    },
  };
}

module.exports = { cookies };
