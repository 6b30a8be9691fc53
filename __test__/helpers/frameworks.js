'use strict';

// One service in each framework, for tests that hold in all of them.

const Fastify = require('fastify');

const express = require('@nodesec/native/express');
const fastify = require('@nodesec/native/fastify');
const { EXPRESS, serve } = require('./web.js');

/** Each makes a service of `parts` and returns what `serve` returns. */
const FRAMEWORKS = {
  ...Object.fromEntries(
    Object.entries(EXPRESS).map(([version, make]) => [version, (t, parts) => inExpress(t, make, parts)]),
  ),
  'Fastify 5': inFastify,
};

/**
 * Parts, all of them optional:
 *
 * - `audit`: options of the audit trail's ids of requests;
 * - `before`: fields that are set before the plugins run;
 * - `limits`: options of limits, asked in this order;
 * - `auth`: options of authentication, and `scopes` for `requireScope`;
 * - `login`: options of a throttle for `POST /login`;
 * - `form`, in Express: bodies are parsed first, as JSON or a form, and `POST /form` is answered;
 * - `keys`: a ring to publish at `/jwks`;
 * - `handle`: `(request, raw response) => answer`, for `GET /`; a promise is waited for;
 * - `trust`: the setting of the proxies that are trusted;
 * - `onError`: `(error) => body`, with which errors are answered, and 500.
 *
 * Without `handle`, `/` answers with the sender, and with the status in the query.
 */
function inExpress(t, make, parts) {
  const { audit, before = {}, limits = [], auth, scopes, login, form, keys, handle, trust, onError } = parts;
  const app = make();
  app.set('env', 'test');
  if (trust !== undefined) app.set('trust proxy', trust);
  if (audit !== undefined) app.use(express.auditContext(audit));
  app.use((req, res, next) => {
    res.set(before);
    next();
  });
  if (keys !== undefined) app.use('/jwks', express.jwks({ keys }));
  if (form) app.use(make.urlencoded({ extended: false }), make.json());
  for (const options of limits) app.use(express.rateLimit(options));
  if (auth !== undefined) app.use(express.authenticate(auth));
  if (scopes !== undefined) app.use(express.requireScope(...scopes));
  if (form) app.post('/form', (req, res) => res.end());
  app.get('/', async (req, res) => {
    if (handle !== undefined) res.send(await handle(req, res));
    else res.status(Number(req.query.status ?? 200)).json(req.auth ?? null);
  });
  if (login !== undefined) {
    app.post('/login', make.json(), express.loginThrottle(login), (req, res) => {
      const { outcomes = [], status } = req.body;
      for (const outcome of outcomes) req.login[outcome]();
      if (status !== undefined) res.status(status).end();
    });
  }
  if (onError !== undefined) {
    app.use((error, req, res, next) => {
      void next;
      res.status(500).json(onError(error));
    });
  }
  return serve(t, app);
}

async function inFastify(t, parts) {
  const { audit, before = {}, limits = [], auth, scopes, login, keys, handle, trust, onError } = parts;
  const app = Fastify({ trustProxy: trust, forceCloseConnections: true });
  if (audit !== undefined) await app.register(fastify.audit, audit);
  app.addHook('onRequest', async (request, reply) => void reply.headers(before));
  if (onError !== undefined) {
    app.setErrorHandler((error, request, reply) => reply.code(500).send(onError(error)));
  }
  if (keys !== undefined) await app.register(fastify.jwksRoute, { keys, path: '/jwks' });
  for (const options of limits) await app.register(fastify.rateLimiting, options);
  if (auth !== undefined) await app.register(fastify.authentication, auth);
  if (scopes !== undefined) app.addHook('onRequest', fastify.requireScope(...scopes));
  app.get('/', async (request, reply) => {
    if (handle !== undefined) return handle(request, reply.raw);
    reply.code(Number(request.query.status ?? 200)).type('application/json');
    return JSON.stringify(request.nodesec?.auth ?? null);
  });
  if (login !== undefined) {
    await app.register(fastify.loginThrottling, login);
    app.post('/login', { config: { nodesec: { login: true } } }, async (request, reply) => {
      const { outcomes = [], status } = request.body;
      for (const outcome of outcomes) request.nodesec.login[outcome]();
      if (status === undefined) return new Promise(() => {});
      return reply.code(status).send();
    });
  }
  return serveFastify(t, app);
}

/** Starts a Fastify app; it ends with the test. */
async function serveFastify(t, app) {
  t.after(() => app.close());
  await app.ready();
  return serve(t, undefined, app.server);
}

module.exports = { FRAMEWORKS, serveFastify };
