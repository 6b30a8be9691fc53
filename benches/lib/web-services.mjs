// Services behind authentication and a limit, ours and those of peers, for rows/web.mjs. As a
// program, it serves the job that is its argument and prints the port.

import { createSecretKey } from 'node:crypto';
import http from 'node:http';
import { pathToFileURL } from 'node:url';

import fastifyJwt from '@fastify/jwt';
import fastifyLimit from '@fastify/rate-limit';
import { JwtKey, JwtVerifier, RateLimiter } from '@nodesec/native';
import { authenticate, rateLimit } from '@nodesec/native/express';
import { authentication, rateLimiting } from '@nodesec/native/fastify';
import express from 'express';
import { expressjwt } from 'express-jwt';
import { rateLimit as expressLimit } from 'express-rate-limit';
import Fastify from 'fastify';

import { AUDIENCE, ISSUER, KID } from './claims.mjs';

const WINDOW_MS = 60_000;
const LIMIT = 1_000_000_000;

/** The middleware of each contestant: functions for Express, plugins and hooks for Fastify. */
export const EXPRESS = {
  '@nodesec/native': (key) => [rateLimit({ limiter: limiter() }), authenticate({ verifier: verifier(key) })],
  'express-jwt, express-rate-limit': ({ alg, secret }) => [
    expressLimit({ windowMs: WINDOW_MS, limit: LIMIT, standardHeaders: 'draft-8', legacyHeaders: false }),
    // jsonwebtoken takes a text for a public key first, which costs it a millisecond.
    expressjwt({ secret: createSecretKey(Buffer.from(secret)), algorithms: [alg], issuer: ISSUER, audience: AUDIENCE }),
  ],
  'no middleware': () => [],
};

export const FASTIFY = {
  '@nodesec/native': async (app, key) => {
    await app.register(rateLimiting, { limiter: limiter() });
    await app.register(authentication, { verifier: verifier(key) });
  },
  '@fastify/jwt, @fastify/rate-limit': async (app, { alg, secret, publicPem, privatePem }) => {
    await app.register(fastifyLimit, { max: LIMIT, timeWindow: WINDOW_MS });
    await app.register(fastifyJwt, {
      secret: secret ?? { private: privatePem, public: publicPem },
      sign: { algorithm: alg },
      verify: { algorithms: [alg], allowedIss: ISSUER, allowedAud: AUDIENCE },
    });
    app.addHook('onRequest', (request) => request.jwtVerify());
  },
  'no plugins': async () => {},
};

function limiter() {
  return new RateLimiter({ limit: LIMIT, windowMs: WINDOW_MS });
}

function verifier({ alg, secret, publicPem }) {
  const options = { alg, kid: KID };
  const keys = secret
    ? JwtKey.fromSecret(Buffer.from(secret), options)
    : JwtKey.fromPem(publicPem, options);
  return new JwtVerifier({ keys, issuer: ISSUER, audience: AUDIENCE });
}

async function serve({ framework, name, key }) {
  const server = await SERVERS[framework](name, key);
  server.listen(0, '127.0.0.1', () => console.log(server.address().port));
}

const SERVERS = {
  async Express(name, key) {
    const app = express();
    const before = EXPRESS[name](key);
    app.get('/', ...before, (req, res) => res.json({ hello: 'world' }));
    return http.createServer(app);
  },
  async Fastify(name, key) {
    const app = Fastify();
    await FASTIFY[name](app, key);
    app.get('/', async () => ({ hello: 'world' }));
    await app.ready();
    return app.server;
  },
};

if (import.meta.url === pathToFileURL(process.argv[1]).href) await serve(JSON.parse(process.argv[2]));
