'use strict';

const express = require('express');
const { authenticate, jwks, rateLimit } = require('@nodesec/native/express');

const { createAccounts } = require('./accounts.js');
const { HttpError, answerTo } = require('./errors.js');
const { whenGone } = require('./gone.js');
const { MAX_BODY, credentials, newCredentials, refreshing } = require('./input.js');
const { loginKey } = require('./limiters.js');

/**
 * Returns the Express app. security.js and users.js make its parts. `proxies` is the number of
 * proxies in front, whose last one tells the client's address.
 */
function createApp({ keys, limiters, proxies = 0, verifier, ...parts }) {
  const accounts = createAccounts(parts);
  const limitRequests = rateLimit({ limiter: limiters.requests, handler: limited });
  const limitPasswords = rateLimit({ limiter: limiters.passwords, handler: limited });
  const limitLogins = rateLimit({ limiter: limiters.logins, key: loginKey, handler: limited });
  const authenticated = authenticate({ verifier });

  const app = express();
  app.disable('x-powered-by').disable('etag').set('trust proxy', proxies);
  app.use((req, res, next) => {
    res.set('Cache-Control', 'no-store');
    next();
  });
  app.use(limitRequests);
  app.use('/.well-known/jwks.json', jwks({ keys }));

  app.post('/register', json(newCredentials), limitPasswords, async (req, res) => {
    res.status(201).json(await accounts.register(req.body, whenGone(res)));
  });

  // The limits are asked before the password is hashed, because the hash is expensive. Each attempt
  // counts at its start, so that a hundred attempts at once count as a hundred.
  app.post('/login', json(credentials), limitPasswords, limitLogins, async (req, res) => {
    const user = await accounts.verified(req.body, whenGone(res));
    // Only wrong passwords count as guesses. The unit is back before the client has its answer, in
    // whichever worker its next request arrives; the option `refundOn` would give it back after.
    await limiters.logins.refund(loginKey(req));
    res.json(await accounts.login(user, req.get('User-Agent')));
  });

  app.post('/refresh', json(refreshing), async (req, res) => {
    res.json(await accounts.refresh(req.body));
  });

  app.get('/sessions', authenticated, async (req, res) => {
    res.json(await accounts.sessions(req.auth.claims));
  });

  app.post('/logout', authenticated, async (req, res) => {
    await accounts.logout(req.auth.claims);
    res.status(204).end();
  });

  app.post('/logout-everywhere', authenticated, async (req, res) => {
    await accounts.logoutEverywhere(req.auth.claims);
    res.status(204).end();
  });

  app.get('/me', authenticated, (req, res) => {
    res.json(accounts.profile(req.auth.claims));
  });

  app.use(notFound, handleErrors);
  limitRequests.assertConfigured(app);
  return app;
}

/**
 * Middleware that reads a JSON body, uncompressed, and replaces it by the fields that `check`
 * gives.
 */
function json(check) {
  return [
    (req, res, next) => {
      const message = 'send a body of application/json';
      if (!req.is('application/json')) throw new HttpError(415, 'not_json', { message });
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

function notFound() {
  throw new HttpError(404, 'not_found');
}

// Express recognises an error handler by its four parameters.
function handleErrors(error, req, res, next) {
  // The client has hung up: there is nobody to answer.
  if (res.closed || req.socket.destroyed) return;
  if (res.headersSent) return next(error);
  const { status, body, headers } = answerTo(error);
  res.set(headers).status(status).json(body);
}

module.exports = { createApp };
