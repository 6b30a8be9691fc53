'use strict';

const { authentication, jwksRoute, rateLimiting } = require('@nodesec/native/fastify');
const Fastify = require('fastify');

const { createAccounts } = require('../auth-service/accounts.js');
const { HttpError, answerTo } = require('../auth-service/errors.js');
const { whenGone } = require('../auth-service/gone.js');
const { MAX_BODY, credentials, newCredentials, refreshing } = require('../auth-service/input.js');
const { loginKey } = require('../auth-service/limiters.js');

/**
 * Returns the Fastify app. security.js and users.js make its parts. `proxies` is the number of
 * proxies in front, whose last one tells the client's address.
 */
async function createApp({ keys, limiters, proxies = 0, verifier, ...parts }) {
  const accounts = createAccounts(parts);
  // Bodies are small: a client that needs longer than 10 s to send one only holds the connection.
  const app = Fastify({
    bodyLimit: MAX_BODY,
    frameworkErrors: (error, request, reply) => answer(error, request, reply),
    requestTimeout: 10_000,
    // Fastify takes no number: a client that connects directly could forge as many addresses. Here
    // nobody else connects, because server.js listens on the loopback address.
    trustProxy: proxies > 0 && ((address, hop) => hop < proxies),
  });
  app.setErrorHandler(answer);
  app.setNotFoundHandler(() => {
    throw new HttpError(404, 'not_found');
  });
  app.addHook('onRequest', async (request, reply) => {
    reply.header('Cache-Control', 'no-store');
  });

  await app.register(rateLimiting, { limiter: limiters.requests, handler: limited });
  await app.register(jwksRoute, { keys });
  app.post('/refresh', json(refreshing), async ({ body }) => accounts.refresh(body));
  app.register(registrations, { accounts, limiters });
  app.register(sessions, { accounts, verifier });
  return app;
}

/** The routes that cost a password hash, which have limits of their own. */
async function registrations(scope, { accounts, limiters }) {
  // The limits are asked before the password is hashed, because the hash is expensive. Each attempt
  // counts at its start, so that a hundred attempts at once count as a hundred.
  const limits = { hook: 'preHandler', handler: limited };
  await scope.register(rateLimiting, { ...limits, limiter: limiters.passwords });
  scope.post('/register', json(newCredentials), async ({ body }, reply) => {
    reply.code(201);
    return accounts.register(body, whenGone(reply.raw));
  });

  scope.register(async (logins) => {
    await logins.register(rateLimiting, { ...limits, limiter: limiters.logins, key: loginKey });
    logins.post('/login', json(credentials), async (request, reply) => {
      const user = await accounts.verified(request.body, whenGone(reply.raw));
      // Only wrong passwords count as guesses. The unit is back before the client has its answer,
      // in whichever worker its next request arrives; `refundOn` would give it back after.
      await limiters.logins.refund(loginKey(request));
      return accounts.login(user, request.headers['user-agent']);
    });
  });
}

/** The routes that need an access token. */
async function sessions(scope, { accounts, verifier }) {
  await scope.register(authentication, { verifier });
  const claims = (request) => request.nodesec.auth.claims;
  scope.get('/me', async (request) => accounts.profile(claims(request)));
  scope.get('/sessions', async (request) => accounts.sessions(claims(request)));
  scope.post('/logout', async (request, reply) => {
    await accounts.logout(claims(request));
    return reply.code(204).send();
  });
  scope.post('/logout-everywhere', async (request, reply) => {
    await accounts.logoutEverywhere(claims(request));
    return reply.code(204).send();
  });
}

/** Hooks that take a JSON body, uncompressed, and replace it by the fields that `check` gives. */
function json(check) {
  return {
    preParsing: async ({ headers }) => {
      const [type, ...parameters] = (headers['content-type'] ?? '').toLowerCase().split(/\s*;\s*/);
      if (type !== 'application/json') {
        throw new HttpError(415, 'not_json', { message: 'send a body of application/json' });
      }
      const isOther = (parameter) => /^charset=(?!"?utf-8"?$)/.test(parameter);
      if (headers['content-encoding'] !== undefined || parameters.some(isOther)) {
        throw new HttpError(415, 'unsupported_encoding');
      }
    },
    preValidation: async (request) => {
      request.body = check(request.body);
    },
  };
}

/** The body for a request beyond a limit. Status and header fields are set. */
async function limited() {
  return { error: 'rate_limited' };
}

function answer(error, request, reply) {
  // The client has hung up: there is nobody to answer.
  if (request.raw.socket.destroyed) return reply.hijack();
  const { status, body, headers } = answerTo(error);
  // A client that still sends sees an answer only if the connection stays: the rest is dropped.
  if (status === 413) {
    reply.removeHeader('Connection');
    request.raw.resume();
  }
  return reply.code(status).headers(headers).send(body);
}

module.exports = { createApp };
