'use strict';

// A service in a process of its own, for helpers/web-client.js: `web-server.js <framework>`.
//
// `/units` is behind a RateLimiter and `/places` behind a ConcurrencyLimiter, of sizes that the
// parent sends. `/places` never answers. Each message of the parent is answered with the numbers of
// the moment.

const { ConcurrencyLimiter, RateLimiter } = require('@nodesec/native');

const [, , framework, units, places] = process.argv;

// The clock stands still, so that the number of refusals is exact.
const limiter = new RateLimiter({
  limit: Number(units),
  windowMs: 60_000,
  clock: () => new Date(0),
});
const concurrency = new ConcurrencyLimiter({ max: Number(places) });
const never = () => new Promise(() => {});

const MAKERS = {
  async 'Express 5'() {
    const { rateLimit } = require('@nodesec/native/express');
    const app = require('express')();
    app.get('/units', rateLimit({ limiter }), (req, res) => res.send('in'));
    app.get('/places', rateLimit({ limiter: concurrency }), never);
    return require('node:http').createServer(app);
  },
  async 'Fastify 5'() {
    const { rateLimiting } = require('@nodesec/native/fastify');
    const app = require('fastify')();
    const below = (path, options, answer) =>
      app.register(async (scope) => {
        await scope.register(rateLimiting, options);
        scope.get(path, answer);
      });
    below('/units', { limiter }, async () => 'in');
    below('/places', { limiter: concurrency }, never);
    await app.ready();
    return app.server;
  },
};

async function start() {
  const server = await MAKERS[framework]();
  server.keepAliveTimeout = 0;
  server.requestTimeout = 0;
  server.headersTimeout = 0;
  server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => {
    process.send({ port: server.address().port });
  });
  process.on('message', () => {
    server.getConnections((error, connections) => {
      process.send({ connections, active: concurrency.stats().active });
    });
  });
}

start();
