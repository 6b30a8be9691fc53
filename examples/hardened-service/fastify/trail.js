'use strict';

// The service that keeps the audit trail, in Fastify.

const Fastify = require('fastify');
const { audit, authentication } = require('@nodesec/native/fastify');

const { HttpError, answerTo } = require('../../auth-service/errors.js');
const { records: checkedRecords, since } = require('../input.js');

/**
 * Makes the app, and resolves to its server. `records` are those of trail-records.js; `verifier`
 * judges the tokens of clients.
 */
async function createTrailApp({ records, verifier }, createServer) {
  const app = Fastify({ bodyLimit: 2 ** 20, serverFactory: (handler) => createServer(handler) });
  app.setErrorHandler((error, request, reply) => {
    const { status, body, headers } = answerTo(error);
    return reply.code(status).headers(headers).send(body);
  });
  app.setNotFoundHandler(() => {
    throw new HttpError(404, 'not_found');
  });

  await app.register(audit);
  const getCertificate = ({ raw }) => raw.socket.getPeerX509Certificate();
  await app.register(authentication, { verifier, getCertificate });
  const needs = (scope) => ({ config: { nodesec: { auth: { scope } } } });

  app.post('/records', needs('trail.append'), async (request, reply) => {
    await records.append(checkedRecords(request.body));
    return reply.code(204).send();
  });
  app.get('/records', needs('trail.read'), async (request) => {
    return records.of(request.nodesec.auth.claims.sub, since(request.query).since);
  });

  await app.ready();
  app.server.once('close', () => app.close());
  return app.server;
}

module.exports = { createTrailApp };
