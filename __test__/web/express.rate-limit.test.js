'use strict';

const assert = require('node:assert/strict');
const http = require('node:http');
const net = require('node:net');
const { test } = require('node:test');

const { ConcurrencyLimiter, RateLimiter } = require('@nodesec/native');
const { rateLimit } = require('@nodesec/native/express');
const { rateLimit: peer } = require('express-rate-limit');
const { coded } = require('../helpers/outcome.js');
const { EXPRESS, serve, until } = require('../helpers/web.js');

const MINUTE = 60_000;
const limited = (limit = 2, options = {}) =>
  new RateLimiter({ limits: [{ name: 'burst', limit, windowMs: MINUTE }], clock: () => new Date(0), ...options });

for (const [version, express] of Object.entries(EXPRESS)) {
  /** Serves `/` behind middleware; it answers with the status that the query names. */
  const behind = (t, ...middleware) => {
    const app = express();
    app.use(...middleware);
    app.get('/', (req, res) => res.status(Number(req.query.status ?? 200)).send('hello'));
    return serve(t, app).then((server) => ({ ...server, app }));
  };
  const statuses = async (get, count, headers) => {
    const seen = [];
    for (let n = 0; n < count; n += 1) seen.push((await get('/', headers)).status);
    return seen;
  };

  test(`${version}: two limiters append to each other's fields, and to those of another package`, async (t) => {
    const day = new RateLimiter({ limits: [{ name: 'day', limit: 9, windowMs: 24 * 60 * MINUTE }] });
    const other = peer({ limit: 5, windowMs: MINUTE, standardHeaders: 'draft-8', legacyHeaders: false });
    const { get } = await behind(t, other, rateLimit({ limiter: limited() }), rateLimit({ limiter: day }));
    const { headers } = await get();
    assert.match(headers.ratelimit, /^"5-in-1min"; r=4; t=\d+, "burst";r=1;t=30, "day";r=8;t=9600$/);
    assert.match(headers['ratelimit-policy'], /^"5-in-1min".*, "burst";q=2;w=60, "day";q=9;w=86400$/);
    await get();
    assert.equal((await get()).status, 429);
  });

  test(`${version}: a handler answers in place of the middleware, and its rejection is an error`, async (t) => {
    const handler = async (req, res, next, result) => {
      if (req.headers['x-fail'] === 'yes') throw new RangeError('mine');
      if (req.headers['x-next'] === 'yes') return next();
      return res.status(420).send(result.violated.join());
    };
    const { app, get } = await behind(t, rateLimit({ limiter: limited(1), handler }));
    app.use((error, req, res, next) => res.status(500 + 0 * next.length).send(error.message));
    await get();
    const answer = await get();
    assert.deepEqual([answer.status, answer.body, answer.headers['retry-after']], [420, 'burst', '60']);
    assert.equal((await get('/', { 'x-next': 'yes' })).status, 200);
    assert.deepEqual([(await get('/', { 'x-fail': 'yes' })).status], [500]);
  });

  test(`${version}: an app whose clients choose their address is refused, in each way to write it`, async (t) => {
    const halves = ['0.0.0.0/1', '128.0.0.0/1'];
    const all = 'loopback, 0.0.0.0/1, 128.0.0.0/1, ::/1, 8000::/1';
    for (const trust of [true, () => true, all, halves, '2000::/3', 1000, (address, hop) => hop < 100]) {
      const middleware = rateLimit({ limiter: limited() });
      const { app, get } = await behind(t, middleware);
      app.set('trust proxy', trust);
      assert.throws(() => middleware.assertConfigured(app), coded('ERR_INVALID_ARG_VALUE'));
      assert.deepEqual(await statuses(get, 2), [500, 500]);
      const byKey = rateLimit({ limiter: limited(), key: () => 'a' });
      byKey.assertConfigured(app);
    }
    const cdn = ['173.245.48.0/20', '104.16.0.0/13', '172.64.0.0/13', '2606:4700::/32', '2a06:98c0::/29'];
    for (const trust of [false, 1, 2, 10, 'loopback', cdn, ['loopback', '10.0.0.0/8'], (address, hop) => hop < 1]) {
      const app = express();
      app.set('trust proxy', trust);
      rateLimit({ limiter: limited() }).assertConfigured(app);
    }
  });

  test(`${version}: a client that hangs up while its key is computed leaves no place behind`, async (t) => {
    const limiter = new ConcurrencyLimiter({ max: 100, perKey: 100 });
    const state = { keys: 0, closed: 0 };
    const app = express();
    app.use((req, res, next) => {
      res.on('close', () => (state.closed += 1));
      next();
    });
    const key = async () => {
      state.keys += 1;
      await until(() => state.closed === 5);
      return 'a';
    };
    app.use(rateLimit({ limiter, key }));
    app.get('/', (req, res) => res.end());
    const { port } = await serve(t, app);
    const sockets = Array.from({ length: 5 }, () => net.connect(port, '127.0.0.1'));
    for (const socket of sockets) socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await until(() => state.keys === 5);
    for (const socket of sockets) socket.destroy();
    await until(() => state.closed === 5);
    await new Promise((resolve) => {
      setTimeout(resolve, 20);
    });
    assert.equal(limiter.stats().active, 0);
  });

  test(`${version}: an answer that another middleware has given meanwhile stays`, async (t) => {
    const app = express();
    app.use((req, res, next) => {
      next();
      res.status(204).end();
    });
    app.use(rateLimit({ limiter: limited() }));
    app.use((req, res, next) => void next);
    const { get } = await serve(t, app);
    assert.equal((await get()).status, 204);
  });}

test('plain Node without an address of its own is a 500 that names the remedy to the developer', async (t) => {
  const limit = rateLimit({ limiter: limited() });
  let cause;
  const { get } = await serve(t, (req, res) => {
    limit(req, res, (error) => {
      ({ cause } = error);
      res.writeHead(error.status).end();
    });
  });
  assert.equal((await get()).status, 500);
  assert.equal(cause.code, 'ERR_INVALID_ARG_TYPE');
  assert.ok(http.STATUS_CODES[500]);
});

test('options that cannot be are refused when the middleware is made', () => {
  const limiter = limited();
  const make = (options) => () => rateLimit({ limiter, ...options });
  assert.throws(() => rateLimit({}), coded('ERR_MISSING_OPTION'));
  assert.throws(make({ max: 5 }), coded('ERR_UNKNOWN_OPTION'));
  assert.throws(make({ limiter: {} }), coded('ERR_INVALID_ARG_TYPE'));
  assert.throws(make({ headers: 'draft-9' }), coded('ERR_INVALID_ARG_VALUE'));
  assert.throws(make({ headers: true }), coded('ERR_INVALID_ARG_VALUE'));
  assert.throws(make({ key: 'ip' }), coded('ERR_INVALID_ARG_TYPE'));
  for (const cost of [0, -1, 1.5, NaN, 2 ** 53]) assert.throws(make({ cost }), coded('ERR_OUT_OF_RANGE'));
  const places = new ConcurrencyLimiter({ max: 1 });
  assert.throws(make({ limiter: places, cost: 2 }), coded('ERR_INVALID_ARG_VALUE'));
  assert.throws(make({ limiter: places, refundOn: () => true }), coded('ERR_INVALID_ARG_VALUE'));
  assert.throws(() => rateLimit({ limiter }).assertConfigured({}), coded('ERR_INVALID_ARG_TYPE'));
});
