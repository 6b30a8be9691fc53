'use strict';

const express = require('express');
const { uuidv7 } = require('@nodesec/native');

const { authenticate } = require('./auth.js');
const { HttpError, handleErrors, notFound } = require('./errors.js');
const { whenGone } = require('./gone.js');
const { credentials, json, newPassword, refreshToken } = require('./input.js');
const { clientKey, limitRequests, spend } = require('./limits.js');

/** Returns the Express app. security.js and users.js make its parts. */
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
      digest: await passwords.hash(password, { signal: whenGone(res) }),
      createdAt: new Date().toISOString(),
    };
    if (!(await users.add(user))) throw new HttpError(409, 'username_taken');
    res.status(201).json(profile(user));
  });

  app.post('/login', json, async (req, res) => {
    const { username, password } = credentials(req.body);
    const client = clientKey(req);
    const account = `${client} ${username}`;
    // The limits are spent before the hash, because the hash is expensive. Each attempt spends at
    // its start, so that a hundred attempts at once count as a hundred.
    spend(limits.passwords, client);
    spend(limits.logins, account);
    const user = users.get(username);
    // If there is no such user, a hash is computed all the same: a faster answer would reveal that
    // the name has no account.
    const { valid, newDigest } = await passwords.verifyAndUpdate(user?.digest, password, {
      signal: whenGone(res),
    });
    if (!valid) throw new HttpError(401, 'invalid_credentials');
    // Only wrong passwords count as guesses. The client's own limit keeps the attempt, because the
    // hash was computed all the same.
    limits.logins.refund(account);
    // The old digest has another policy or pepper. It is replaced only if it is still stored: if
    // the user has changed the password meanwhile, the new password must stay.
    if (newDigest) await users.replaceDigest(user.name, user.digest, newDigest);
    res.json(await sessions.start(user.id, { name: user.name }, { meta: device(req) }));
  });

  app.post('/refresh', json, async (req, res) => {
    const { status, pair, subject } = await sessions.refresh(refreshToken(req.body));
    switch (status) {
      case 'rotated':
      case 'replayed':
        return res.json({ status, ...pair });
      case 'reuse':
        // A used-up token means that two parties hold it, and one of them stole it. The session has
        // been ended for both. The user can log in again, the thief cannot. A real service should
        // also tell the user.
        console.warn(`auth-service: a used-up refresh token of user ${subject}; its session has ended`);
        throw new HttpError(401, 'refresh_token_reused');
      case 'expired':
        throw new HttpError(401, 'session_expired');
      default:
        throw new HttpError(401, 'refresh_token_unknown');
    }
  });

  app.get('/sessions', authenticated, async (req, res) => {
    res.json(await sessions.list(req.auth.sub));
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
    // The name may belong to another user since the token was issued; an id is never reused.
    if (user?.id !== req.auth.sub) throw new HttpError(401, 'invalid_token');
    res.json(profile(user));
  });

  app.get('/.well-known/jwks.json', (req, res) => {
    const { body, etag, maxAge } = keys.jwks();
    res.set({ 'Cache-Control': `public, max-age=${maxAge}`, ETag: etag });
    // Express's own check does not work here: fetch() sends the tag together with `no-cache`, and
    // Express then ignores the tag.
    if (req.get('If-None-Match')?.includes(etag)) return res.status(304).end();
    res.type('application/jwk-set+json').send(body);
  });

  app.use(notFound, handleErrors);
  return app;
}

/** The name by which a user recognizes a session. */
function device(req) {
  return { device: (req.get('User-Agent') ?? 'unknown').slice(0, 200) };
}

/** The fields of a record that its user may see: all but the digest. */
function profile({ id, name, createdAt }) {
  return { id, username: name, createdAt };
}

module.exports = { createApp };
