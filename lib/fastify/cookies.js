'use strict';

const { makeError } = require('../errors.js');
const { text } = require('../options.js');
const { declareSessions } = require('../web/sessions.js');
const { hostOf } = require('./host.js');
const { plugin, stateOf } = require('./plugin.js');

/** The longest body of a request that is not read, in bytes. */
const MAX_BODY = 16_384;
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

/** The routes below `path`, in a scope of their own, whose parsers read nothing of a body. */
function handlersOf(made, path) {
  return async (scope) => {
    scope.removeAllContentTypeParsers();
    const skip = (request, body, done) => done(null);
    scope.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: MAX_BODY }, skip);
    for (const method of ['refresh', 'logout']) {
      scope.route({
        method: 'POST',
        url: `${path}/${method}`,
        // An access token that is due for a refresh cannot be asked for.
        config: { nodesec: { auth: false } },
        handler: async (request, reply) => {
          const answer = await made[method](request.raw, request, hostOf(request), fieldsOf(reply));
          reply.code(answer.status).headers(answer.headers);
          return reply.send(answer.status === 204 ? undefined : answer.body);
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
