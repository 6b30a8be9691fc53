'use strict';

const express = require('express');
const { uuidv7 } = require('@nodesec/native');

const { authenticate } = require('./auth.js');
const { HttpError, handleErrors, notFound } = require('./errors.js');
const { credentials, json, newPassword, refreshToken } = require('./input.js');
const { clientKey, limitRequests, spend } = require('./limits.js');

/** The service, from parts that security.js and users.js make. */
function createApp({ keys, limits, passwords, sessions, users, verifier }) {
  const app = express();
  const authenticated = authenticate(verifier);

  app.disable('x-powered-by').disable('etag');
  app.use((req, res, next) => {
    res.set('Cache-Control', 'no-store');
    next();
  });
  app.use(limitRequests(limits.requests));

  app.post('/register', json, async (req, res) => {
    const { username, password } = newPassword(credentials(req.body));
    spend(limits.passwords, clientKey(req));
    const user = {
      id: uuidv7(),
      name: username,
      digest: await passwords.hash(password),
      createdAt: new Date().toISOString(),
    };
    if (!(await users.add(user))) throw new HttpError(409, 'username_taken');
    res.status(201).json(profile(user));
  });

  app.post('/login', json, async (req, res) => {
    const { username, password } = credentials(req.body);
    const client = clientKey(req);
    const account = `${client} ${username}`;
    // Before the hash, which is what an attacker would make us pay for, and spent by each attempt
    // at its start, so that a hundred at once are a hundred.
    spend(limits.passwords, client);
    spend(limits.logins, account);
    const user = users.get(username);
    // Where there is no such user, a hash is computed all the same: an answer that comes sooner
    // would tell who has an account.
    const { valid, newDigest } = await passwords.verifyAndUpdate(user?.digest, password);
    if (!valid) throw new HttpError(401, 'invalid_credentials');
    // Not the client's own limit: it would start anew with every login to the attacker's account.
    limits.logins.reset(account);
    // The old digest was of another policy or pepper. It is replaced if it is still there: the
    // password may have been changed meanwhile, and must not be changed back.
    if (newDigest) await users.replaceDigest(user.name, user.digest, newDigest);
    res.json(await sessions.start(user.id, { name: user.name }));
  });

  app.post('/refresh', json, async (req, res) => {
    const { status, pair, subject } = await sessions.refresh(refreshToken(req.body));
    switch (status) {
      case 'rotated':
      case 'replayed':
        return res.json({ status, ...pair });
      case 'reuse':
        // A used-up token means that two hold it, and one of them stole it. The session has been
        // ended for both; the user, who should be told, will log in again; the thief cannot.
        console.warn(`auth-service: a used-up refresh token of user ${subject}; its session has ended`);
        throw new HttpError(401, 'refresh_token_reused');
      case 'expired':
        throw new HttpError(401, 'session_expired');
      default:
        throw new HttpError(401, 'refresh_token_unknown');
    }
  });

  app.post('/logout', authenticated, async (req, res) => {
    await sessions.end(req.auth.sid);
    res.status(204).end();
  });

  app.post('/logout-everywhere', authenticated, async (req, res) => {
    await sessions.endAll(req.auth.sub);
    res.status(204).end();
  });

  app.get('/me', authenticated, (req, res) => {
    const user = users.get(req.auth.name);
    // The name may have passed to another since the token was issued; the id never does.
    if (user?.id !== req.auth.sub) throw new HttpError(401, 'invalid_token');
    res.json(profile(user));
  });

  app.get('/.well-known/jwks.json', (req, res) => {
    const { body, etag, maxAge } = keys.jwks();
    res.set({ 'Cache-Control': `public, max-age=${maxAge}`, ETag: etag });
    // Not Express's own check: it ignores the tag that fetch() sends, beside `no-cache`.
    if (req.get('If-None-Match')?.includes(etag)) return res.status(304).end();
    res.type('application/jwk-set+json').send(body);
  });

  app.use(notFound, handleErrors);
  return app;
}

/** What a user may see of the own record: everything but the digest. */
function profile({ id, name, createdAt }) {
  return { id, username: name, createdAt };
}

module.exports = { createApp };
