'use strict';

// The service with the accounts, in Express.

const express = require('express');
const helmet = require('helmet');
const {
  auditContext,
  authenticate,
  crossOriginProtection,
  jwks,
  loginThrottle,
  rateLimit,
  sessionCookies,
} = require('@nodesec/native/express');

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
  const { demonstration, keys, limiters, origin, replay, sessions, throttle, verifier } = parts;
  const actions = createActions(parts);
  const cookies = sessionCookies({ sessions, verifier });
  const limitRequests = rateLimit({ limiter: limiters.requests, handler: limited });
  const limitPasswords = rateLimit({ limiter: limiters.passwords, handler: limited });
  const limitWork = rateLimit({
    limiter: limiters.work,
    key: (req) => req.auth.claims.sub,
    handler: (req, res, next) => {
      actions.refuseWork(req.auth.claims);
      limited(req, res, next);
    },
  });
  const authenticated = authenticate({ verifier, from: 'cookie' });
  // A program proves with each request that it has the key to which its token is bound.
  const proven = authenticate({ verifier, dpop: { origins: [origin], replay } });
  const account = (req) => req.body.username;
  const loginWith = (check) => [json(check), limitPasswords, loginThrottle({ throttle, account })];

  const app = express();
  app.disable('x-powered-by').disable('etag');
  // The client may not choose the id under which its requests are found in the trail.
  app.use(auditContext({ inbound: false }), helmet(helmetOptions), limitRequests);
  app.use((req, res, next) => {
    res.set('Cache-Control', 'no-store');
    next();
  });

  app.post('/program/login', loginWith(programLogin), async (req, res) => {
    res.json(await actions.loginProgram(req.body, req.get('User-Agent'), whenGone(res)));
  });
  app.post('/program/refresh', json(programRefresh), async (req, res) => {
    res.json(await actions.refreshProgram(req.body, req.headers));
  });
  app.get('/program/me', proven, (req, res) => res.json(actions.me(req.auth.claims)));
  app.post('/program/work', proven, limitWork, (req, res) => {
    res.json(actions.work(req.auth.claims));
  });
  app.post('/program/logout', proven, async (req, res) => {
    await actions.logout(req.auth.claims);
    res.status(204).end();
  });

  // Only browsers call the routes below, and they say where a request comes from. The routes above
  // read no cookie, so a page of another origin can do nothing there.
  app.use(crossOriginProtection({ strict: true }));

  for (const { path, type, content } of page) {
    app.get(path, (req, res) => res.type(type).send(content));
  }
  app.use('/.well-known/jwks.json', jwks({ keys }));

  app.post('/api/register', json(newCredentials), limitPasswords, async (req, res) => {
    res.status(201).json(await actions.register(req.body, whenGone(res)));
  });
  app.post('/api/login', loginWith(credentials), async (req, res) => {
    const pair = await actions.login(req.body, req.get('User-Agent'), whenGone(res));
    cookies.issue(res, pair);
    if (demonstration) res.append('Set-Cookie', copyOf(pair));
    res.json({ expiresIn: pair.expiresIn });
  });

  app.get('/api/me', authenticated, (req, res) => res.json(actions.me(req.auth.claims)));
  app.get('/api/sessions', authenticated, async (req, res) => {
    res.json(await actions.sessions(req.auth.claims));
  });
  app.get('/api/trail', authenticated, async (req, res) => {
    res.json(await actions.trail(req.auth.claims, since(req.query)));
  });
  app.post('/api/work', authenticated, limitWork, (req, res) => {
    res.json(actions.work(req.auth.claims));
  });
  app.post('/api/logout-everywhere', authenticated, async (req, res) => {
    await actions.logoutEverywhere(req.auth.claims);
    cookies.clear(res);
    res.status(204).end();
  });

  app.post('/auth/refresh', cookies.refresh);
  app.post('/auth/logout', cookies.logout);
  if (demonstration) {
    app.post('/auth/replay', async (req, res) => res.json(await actions.replay(req)));
  }

  app.use(() => {
    throw new HttpError(404, 'not_found');
  });
  app.use(handleErrors);
  limitRequests.assertConfigured(app);
  return createServer(app);
}

/** Middleware that reads a JSON body, uncompressed, and replaces it by what `check` gives. */
function json(check) {
  return [
    (req, res, next) => {
      if (!req.is('application/json')) throw new HttpError(415, 'not_json');
      next();
    },
    express.json({ limit: MAX_BODY, inflate: false }),
    (req, res, next) => {
      req.body = check(req.body);
      next();
    },
  ];
}

/** Answers a request beyond a limit. `Retry-After` and the fields of the limit are set. */
function limited(req, res, next) {
  next(new HttpError(429, 'rate_limited'));
}

// Express recognises an error handler by its four parameters.
function handleErrors(error, req, res, next) {
  if (res.closed || req.socket.destroyed) return;
  if (res.headersSent) return next(error);
  const { status, body, headers } = answerTo(error);
  res.set(headers).status(status).json(body);
}

module.exports = { createApp };
