'use strict';

const { text } = require('../options.js');
const { declareJwks } = require('../web/jwks.js');
const { plugin } = require('./plugin.js');

const read = declareJwks('fastify.jwksRoute', { path: text(1024, /^\//, 'a path that begins with /') });

const jwksRoute = plugin('jwksRoute', (instance, options) => {
  const { answer, path = '/.well-known/jwks.json' } = read(options);
  instance.route({
    method: ['GET', 'HEAD'],
    url: path,
    // The keys are public, and their readers have no token.
    config: { nodesec: { auth: false } },
    handler: async (request, reply) => {
      const { status, headers, body } = answer(request);
      reply.code(status).headers(headers);
      // An empty text would get a length and a type, and any text a charset.
      return status === 304 ? reply.send() : reply.send(Buffer.from(body));
    },
  });
});

module.exports = { jwksRoute };
