'use strict';

// The service with the accounts, in Fastify.

const helmet = require('@fastify/helmet');
const Fastify = require('fastify');
const {
  audit,
  authentication,
  cookies,
  crossOrigin,
  jwksRoute,
  loginThrottling,
  rateLimiting,
} = require('@nodesec/native/fastify');
const { challenge } = require('@nodesec/native/web');

const { HttpError, answerTo } = require('../../auth-service/errors.js');
const { whenGone } = require('../../auth-service/gone.js');
const { createActions } = require('../actions.js');
const { helmetOptions } = require('../headers.js');
const {
  MAX_BODY,
  credentials,
  newCredentials,
  programLogin,
  programRefresh,
  since,
} = require('../input.js');
const { page } = require('../page.js');
const { copyOf } = require('../thief.js');

/** Makes the app, and resolves to its server. security.js and trail-client.js make the parts. */
async function createApp(parts, createServer) {
  const { limiters } = parts;
  const actions = createActions(parts);
  const app = Fastify({
    bodyLimit: MAX_BODY,
    frameworkErrors: answer,
    serverFactory: (handler) => createServer(handler),
  });
  app.setErrorHandler(answer);
  app.setNotFoundHandler(() => {
    throw new HttpError(404, 'not_found');
  });

  // The client may not choose the id under which its requests are found in the trail.
  await app.register(audit, { inbound: false });
  await app.register(helmet, helmetOptions);
  await app.register(rateLimiting, { limiter: limiters.requests, handler: limited });
  app.addHook('onRequest', async (request, reply) => {
    reply.header('Cache-Control', 'no-store');
  });

  app.register(ofPrograms, { ...parts, actions, prefix: '/program' });
  app.register(ofBrowsers, { ...parts, actions });

  await app.ready();
  app.server.once('close', () => app.close());
  return app.server;
}

/**
 * The routes of programs. A program proves with each request that it has the key to which its token
 * is bound.
 */
async function ofPrograms(scope, { actions, limiters, origin, replay, throttle, verifier }) {
  await scope.register(authentication, { verifier, dpop: { origins: [origin], replay } });
  scope.get('/me', async (request) => actions.me(claimsOf(request)));
  scope.register(working, { actions, limiters });
  scope.post('/logout', async (request, reply) => {
    await actions.logout(claimsOf(request));
    return reply.code(204).send();
  });

  const config = { nodesec: { auth: false } };
  scope.post('/refresh', { ...json(programRefresh), config }, async ({ body, headers }) => {
    return actions.refreshProgram(body, headers);
  });
  scope.register(async (guarded) => {
    await limitLogins(guarded, { limiters, throttle });
    const options = { ...json(programLogin), config: { nodesec: { auth: false, login: true } } };
    guarded.post('/login', options, async ({ body, headers }, reply) => {
      return actions.loginProgram(body, headers['user-agent'], whenGone(reply.raw));
    });
  });
}

/**
 * The routes of the page. Browsers say where a request comes from. The routes of programs need no
 * such protection, because they read no cookie.
 */
async function ofBrowsers(scope, parts) {
  const { actions, demonstration, keys } = parts;
  await scope.register(crossOrigin, { strict: true });
  for (const { path, type, content } of page) {
    scope.get(path, async (request, reply) => reply.type(type).send(content));
  }
  await scope.register(jwksRoute, { keys });
  if (demonstration) scope.post('/auth/replay', async (request) => actions.replay(request));
  scope.register(ofCookies, parts);
  scope.register(ofUsers, parts);
}

/** The routes that set or remove cookies; `/auth/refresh` and `/auth/logout` are the plugin's. */
async function ofCookies(scope, { actions, sessions, verifier, ...parts }) {
  await scope.register(cookies, { sessions, verifier });
  const onRequest = async ({ nodesec }) => {
    if (nodesec.auth === undefined) throw challenge();
  };
  scope.post('/api/logout-everywhere', { onRequest }, async (request, reply) => {
    await actions.logoutEverywhere(request.nodesec.auth.claims);
    return reply.clearSession().code(204).send();
  });
  scope.register(passwords, { actions, ...parts });
}

/** The routes that cost a password hash. */
async function passwords(scope, { actions, demonstration, limiters, throttle }) {
  await limitLogins(scope, { limiters, throttle });
  scope.post('/api/register', json(newCredentials), async (request, reply) => {
    reply.code(201);
    return actions.register(request.body, whenGone(reply.raw));
  });
  const login = { ...json(credentials), config: { nodesec: { login: true } } };
  scope.post('/api/login', login, async (request, reply) => {
    const agent = request.headers['user-agent'];
    const pair = await actions.login(request.body, agent, whenGone(reply.raw));
    reply.issueSession(pair);
    if (demonstration) reply.header('Set-Cookie', copyOf(pair));
    return { expiresIn: pair.expiresIn };
  });
}

/** Limits the routes of a scope, which cost a password hash, and throttles its logins. */
async function limitLogins(scope, { limiters, throttle }) {
  const limits = { limiter: limiters.passwords, hook: 'preHandler', handler: limited };
  await scope.register(rateLimiting, limits);
  await scope.register(loginThrottling, { throttle, account: ({ body }) => body.username });
}

/** The routes that need an access token in a cookie. */
async function ofUsers(scope, { actions, limiters, verifier }) {
  await scope.register(authentication, { verifier, from: 'cookie' });
  scope.get('/api/me', async (request) => actions.me(claimsOf(request)));
  scope.get('/api/sessions', async (request) => actions.sessions(claimsOf(request)));
  scope.get('/api/trail', async (request) => actions.trail(claimsOf(request), since(request.query)));
  scope.register(working, { actions, limiters, prefix: '/api' });
}

/** Work, which each user may ask for a few times only. */
async function working(scope, { actions, limiters }) {
  const key = (request) => claimsOf(request).sub;
  const handler = async (request) => {
    actions.refuseWork(claimsOf(request));
    return limited();
  };
  await scope.register(rateLimiting, { limiter: limiters.work, key, handler });
  scope.post('/work', async (request) => actions.work(claimsOf(request)));
}

function claimsOf(request) {
  return request.nodesec.auth.claims;
}

/** Hooks that take a JSON body, uncompressed, and replace it by what `check` gives. */
function json(check) {
  return {
    preParsing: async ({ headers }) => {
      const [type] = (headers['content-type'] ?? '').toLowerCase().split(/\s*;/);
      if (type !== 'application/json') throw new HttpError(415, 'not_json');
      if (headers['content-encoding'] !== undefined) throw new HttpError(415, 'unsupported_encoding');
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
  if (request.raw.socket.destroyed) return reply.hijack();
  const { status, body, headers } = answerTo(error);
  return reply.code(status).headers(headers).send(body);
}

module.exports = { createApp };
