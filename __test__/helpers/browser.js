'use strict';

// A service for browsers in each framework, for tests that hold in all of them, and the cookies of
// a browser.

const Fastify = require('fastify');

const { JwtIssuer, JwtKey, JwtVerifier, RevocationList, Sessions } = require('@nodesec/native');
const { correlationId } = require('@nodesec/native/audit');
const express = require('@nodesec/native/express');
const fastify = require('@nodesec/native/fastify');
const { serveFastify } = require('./frameworks.js');
const { EXPRESS, serve } = require('./web.js');

/** The names of the cookies of a session: of its access token, and of its refresh token. */
const AT = '__Host-at';
const RT = '__Secure-rt';

/** Each makes a service of `parts` and returns what `serve` returns. */
const SERVICES = {
  ...Object.fromEntries(
    Object.entries(EXPRESS).map(([version, make]) => [version, (t, parts) => inExpress(t, make, parts)]),
  ),
  'Fastify 5': inFastify,
};

/**
 * Parts, all of them optional:
 *
 * - `audit`: options of correlation ids, `crossOrigin` of the protection, `cookies` of sessions,
 *   `auth` of authentication;
 * - `before`: `(request, response) => {}`, called before all of them;
 * - `late`: `(request) => {}`, called by a parser's successor and by the handlers;
 * - `trust`: the setting of the proxies that are trusted.
 *
 * `/` answers GET and POST with `{ sub, id, body }`. `POST /login` starts a session, `/clear` has
 * the browser forget it.
 */
function inExpress(t, make, parts) {
  const { audit, auth, before, cookies, crossOrigin, late, trust } = parts;
  const app = make();
  app.set('env', 'test');
  if (trust !== undefined) app.set('trust proxy', trust);
  if (before !== undefined) {
    app.use((req, res, next) => {
      before(req, res);
      next();
    });
  }
  if (audit !== undefined) app.use(express.auditContext(audit));
  if (crossOrigin !== undefined) app.use(express.crossOriginProtection(crossOrigin));
  const session = cookies === undefined ? undefined : express.sessionCookies(cookies);
  if (session !== undefined) app.use(session.middleware);
  app.use(make.json(), make.urlencoded({ extended: false }), make.text());
  if (late !== undefined) {
    app.use((req, res, next) => {
      late(req);
      next();
    });
  }
  if (auth !== undefined) app.use('/me', express.authenticate(auth));
  app.all(['/', '/me'], (req, res) => {
    late?.(req);
    res.json({ sub: req.auth?.claims.sub, id: correlationId(), body: req.body });
  });
  if (session !== undefined) {
    app.post('/login', async (req, res) => {
      session.issue(res, await cookies.sessions.start('ann'));
      res.end();
    });
    app.post('/clear', (req, res) => {
      session.clear(res);
      res.end();
    });
    app.use('/auth/refresh', session.refresh);
    app.use('/auth/logout', session.logout);
  }
  return serve(t, app);
}

async function inFastify(t, parts) {
  const { audit, auth, before, cookies, crossOrigin, late, trust, http2 = false } = parts;
  const app = Fastify({ trustProxy: trust, ...(http2 ? { http2 } : { forceCloseConnections: true }) });
  if (before !== undefined) {
    app.addHook('onRequest', async (request, reply) => before(request.raw, reply.raw));
  }
  if (audit !== undefined) await app.register(fastify.audit, audit);
  if (crossOrigin !== undefined) await app.register(fastify.crossOrigin, crossOrigin);
  if (cookies !== undefined) await app.register(fastify.cookies, cookies);
  const urlencoded = (request, body, done) => done(null, Object.fromEntries(new URLSearchParams(body)));
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, urlencoded);
  if (late !== undefined) app.addHook('preValidation', async (request) => late(request));
  const answer = async (request) => {
    late?.(request);
    return { sub: request.nodesec?.auth?.claims.sub, id: correlationId(), body: request.body };
  };
  app.route({ method: ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS'], url: '/', handler: answer });
  if (auth !== undefined) {
    await app.register(async (scope) => {
      await scope.register(fastify.authentication, auth);
      scope.route({ method: ['GET', 'POST'], url: '/me', handler: answer });
    });
  }
  if (cookies !== undefined) {
    app.post('/login', async (request, reply) => reply.issueSession(await cookies.sessions.start('ann')).send());
    app.post('/clear', async (request, reply) => reply.clearSession().send());
  }
  return serveFastify(t, app);
}

/** Sessions and their verifier, on one list; `more` are options of the sessions. */
async function sessionParts(more = {}) {
  const keys = await JwtKey.generate('HS256');
  const revocations = new RevocationList();
  const names = { keys, issuer: 'https://id.example', audience: 'api' };
  const issuer = new JwtIssuer({ ...names, expiresIn: '10m' });
  const sessions = new Sessions({ issuer, revocations, refreshTtl: '30d', grace: 0, ...more });
  return { sessions, verifier: new JwtVerifier({ ...names, revocations }) };
}

/** The cookies of a browser for one host: it sends each to its path. */
class Jar {
  #cookies = new Map();

  /** Takes the cookies of an answer. */
  take({ headers }) {
    for (const field of headers['set-cookie'] ?? []) {
      const { name, value, attributes } = parsed(field);
      if (attributes['max-age'] === '0') this.#cookies.delete(name);
      else this.#cookies.set(name, { value, path: attributes.path });
    }
  }

  /** The header of a request for a path. */
  header(path) {
    const sent = [...this.#cookies].filter(([, cookie]) => path.startsWith(cookie.path));
    return sent.length === 0 ? {} : { cookie: sent.map(([name, { value }]) => `${name}=${value}`).join('; ') };
  }

  value(name) {
    return this.#cookies.get(name)?.value;
  }
}

/** A field `Set-Cookie`: `{ name, value, attributes }`. */
function parsed(field) {
  const [pair, ...rest] = field.split('; ');
  const [name, value] = [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)];
  const attributes = Object.fromEntries(
    rest.map((each) => each.split('=')).map(([key, text]) => [key.toLowerCase(), text ?? true]),
  );
  return { name, value, attributes };
}

module.exports = { AT, Jar, RT, SERVICES, parsed, sessionParts };
