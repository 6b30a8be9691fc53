'use strict';

const assert = require('node:assert/strict');
const { subscribe, unsubscribe } = require('node:diagnostics_channel');
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

  test(`${version}: a refusal is a 429 of problem+json that names the limit and the time`, async (t) => {
    const { get } = await behind(t, rateLimit({ limiter: limited() }));
    const first = await get();
    assert.equal(first.headers['ratelimit-policy'], '"burst";q=2;w=60');
    assert.equal(first.headers.ratelimit, '"burst";r=1;t=30');
    assert.equal(first.headers['retry-after'], undefined);
    await get();
    const { status, headers, body } = await get();
    assert.deepEqual([status, headers['retry-after']], [429, '30']);
    assert.equal(headers.ratelimit, '"burst";r=0;t=30');
    assert.equal(headers['content-type'], 'application/problem+json');
    const { type, 'violated-policies': violated, status: own } = JSON.parse(body);
    assert.equal(type, 'https://iana.org/assignments/http-problem-types#quota-exceeded');
    assert.deepEqual([violated, own], [['burst'], 429]);
  });

  test(`${version}: HEAD, OPTIONS and paths without a route are counted, and HEAD has no body`, async (t) => {
    const { get, send } = await behind(t, rateLimit({ limiter: limited(3) }));
    assert.equal((await send('/', { method: 'HEAD' })).status, 200);
    assert.equal((await send('/', { method: 'OPTIONS' })).status, 200);
    assert.equal((await get('/nowhere')).status, 404);
    const { status, body, headers } = await send('/', { method: 'HEAD' });
    assert.deepEqual([status, body], [429, '']);
    assert.ok(Number(headers['content-length']) > 0);
  });

  for (const style of ['draft-7', 'draft-6', 'legacy', false]) {
    test(`${version}: the fields are of the style ${style}`, async (t) => {
      const { get } = await behind(t, rateLimit({ limiter: limited(1), headers: style }));
      const names = Object.keys((await get()).headers).filter((name) => name.includes('ratelimit'));
      const expected = {
        'draft-7': ['ratelimit-policy', 'ratelimit'],
        'draft-6': ['ratelimit-policy', 'ratelimit-limit', 'ratelimit-remaining', 'ratelimit-reset'],
        legacy: ['x-ratelimit-limit', 'x-ratelimit-remaining', 'x-ratelimit-reset'],
        false: [],
      };
      assert.deepEqual(names, expected[style]);
      assert.equal((await get()).headers['retry-after'], '60');
    });
  }

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

  test(`${version}: fields that tell of one limit stay those of the first limiter`, async (t) => {
    const make = (limit) => rateLimit({ limiter: limited(limit), headers: 'legacy' });
    const { get } = await behind(t, make(5), make(7));
    assert.equal((await get()).headers['x-ratelimit-limit'], '5');
  });

  test(`${version}: scripts of other origins may read the fields, besides those exposed before`, async (t) => {
    const expose = (req, res, next) => {
      res.setHeader('Access-Control-Expose-Headers', 'X-Request-Id');
      next();
    };
    const { get } = await behind(t, expose, rateLimit({ limiter: limited() }));
    const { headers } = await get('/', { origin: 'https://app.example' });
    const exposed = 'X-Request-Id, RateLimit, RateLimit-Policy, Retry-After';
    assert.equal(headers['access-control-expose-headers'], exposed);
    assert.equal((await get()).headers['access-control-expose-headers'], 'X-Request-Id');
  });

  test(`${version}: key, cost and skip may be functions, with a promise or without`, async (t) => {
    const limiter = limited(10);
    const { get } = await behind(
      t,
      rateLimit({
        limiter,
        key: async (req) => req.headers['x-key'],
        cost: (req) => Number(req.headers['x-cost'] ?? 1),
        skip: async (req) => req.headers['x-skip'] === 'yes',
      }),
    );
    const r = async (headers) => (await get('/', headers)).headers.ratelimit?.match(/r=(\d+)/)[1];
    assert.equal(await r({ 'x-key': 'a', 'x-cost': '4' }), '6');
    assert.equal(await r({ 'x-key': 'b' }), '9');
    assert.equal(await r({ 'x-key': 'a', 'x-skip': 'yes' }), undefined);
    assert.equal(await r({ 'x-key': 'a', 'x-cost': '0' }), undefined);
    assert.equal(await r({ 'x-key': 'a' }), '5');
  });

  test(`${version}: the units of requests that do not count come back`, async (t) => {
    const limiter = limited(2);
    const refundOn = async (req, res) => res.statusCode < 400;
    const { get } = await behind(t, rateLimit({ limiter, key: () => 'a', refundOn }));
    for (let n = 0; n < 5; n += 1) {
      assert.equal((await get('/')).status, 200);
      await until(() => limiter.peek('a').remaining === 2);
    }
    assert.equal((await get('/?status=404')).status, 404);
    assert.equal((await get('/?status=404')).status, 404);
    assert.equal((await get('/')).status, 429);
    assert.equal(limiter.peek('a').remaining, 0);
  });

  test(`${version}: without enforce everything is let in, and the audit trail hears of it`, async (t) => {
    const { get } = await behind(t, rateLimit({ limiter: limited(1), enforce: false }));
    const heard = [];
    const hear = ({ code }) => heard.push(code);
    subscribe('nodesec:limit.denied', hear);
    t.after(() => unsubscribe('nodesec:limit.denied', hear));
    assert.deepEqual(await statuses(get, 3), [200, 200, 200]);
    assert.equal((await get()).headers.ratelimit, undefined);
    assert.equal(heard.length, 3);
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

  test(`${version}: a rejected promise of a callback is answered, and ends no process`, async (t) => {
    const failing = async () => {
      throw new RangeError('mine');
    };
    for (const options of [{ key: failing }, { skip: failing }, { cost: failing }]) {
      const app = express();
      app.use(rateLimit({ limiter: limited(), ...options }));
      app.use((error, req, res, next) => res.status(500 + 0 * next.length).send(error.message));
      const { get } = await serve(t, app);
      const { status, body } = await get();
      assert.deepEqual([status, body], [500, 'mine']);
    }
  });

  test(`${version}: a key that cannot be had is a coded 500 that tells clients nothing`, async (t) => {
    for (const key of [() => undefined, () => '', () => null, () => 42, () => new Uint8Array(0), () => ['a']]) {
      const app = express();
      app.use(rateLimit({ limiter: limited(), key }));
      app.use((error, req, res, next) => {
        void next;
        res.status(error.status).json([error.code, error.message, error.cause.code]);
      });
      const { get } = await serve(t, app);
      const { status, body } = await get();
      assert.equal(status, 500);
      const expected = ['ERR_WEB_MISCONFIGURED', 'Internal Server Error', 'ERR_INVALID_ARG_VALUE'];
      assert.deepEqual(JSON.parse(body), expected);
    }
    const { get } = await behind(t, rateLimit({ limiter: limited(), key: () => undefined }));
    assert.doesNotMatch((await get()).body, /option|lib|node_modules/);
  });

  test(`${version}: a key of the client that cannot be one is a 400`, async (t) => {
    const keys = { long: 'x'.repeat(8193), wide: 'é'.repeat(5000), torn: '\ud800', huge: 'x'.repeat(10_000_000) };
    const { get } = await behind(t, rateLimit({ limiter: limited(), key: (req) => keys[req.query.key] }));
    for (const name of Object.keys(keys)) assert.equal((await get(`/?key=${name}`)).status, 400, name);
  });

  test(`${version}: an app whose clients choose their address is refused, in each way to write it`, async (t) => {
    for (const trust of [true, () => true, 'loopback, 0.0.0.0/1, 128.0.0.0/1, ::/1, 8000::/1']) {
      const middleware = rateLimit({ limiter: limited() });
      const { app, get } = await behind(t, middleware);
      app.set('trust proxy', trust);
      assert.throws(() => middleware.assertConfigured(app), coded('ERR_INVALID_ARG_VALUE'));
      assert.deepEqual(await statuses(get, 2), [500, 500]);
      const byKey = rateLimit({ limiter: limited(), key: () => 'a' });
      byKey.assertConfigured(app);
    }
    for (const trust of [false, 1, 2, 'loopback', ['loopback', '10.0.0.0/8'], (address, hop) => hop < 1]) {
      const app = express();
      app.set('trust proxy', trust);
      rateLimit({ limiter: limited() }).assertConfigured(app);
    }
  });

  test(`${version}: a client cannot forge its address past the proxies that are trusted`, async (t) => {
    const { app, get } = await behind(t, rateLimit({ limiter: limited(2) }));
    app.set('trust proxy', 1);
    const forged = (n) => ({ 'x-forwarded-for': `10.0.0.${n}, 192.0.2.1` });
    const seen = [];
    for (let n = 0; n < 4; n += 1) seen.push((await get('/', forged(n))).status);
    assert.deepEqual(seen, [200, 200, 429, 429]);
    assert.equal((await get('/', { 'x-forwarded-for': '192.0.2.2' })).status, 200);
    // Not an address, as a proxy may pass it on.
    assert.equal((await get('/', { 'x-forwarded-for': 'unknown' })).status, 500);
  });

  test(`${version}: a place is held until the response has ended`, async (t) => {
    const limiter = new ConcurrencyLimiter({ max: 5, perKey: 1 });
    const app = express();
    const waiting = [];
    app.use(rateLimit({ limiter, key: (req) => req.headers['x-key'] }));
    app.get('/', (req, res) => waiting.push(res));
    const { get } = await serve(t, app);
    const first = get('/', { 'x-key': 'a' });
    await until(() => waiting.length === 1);
    const refused = await get('/', { 'x-key': 'a' });
    assert.deepEqual([refused.status, refused.headers['retry-after']], [429, '1']);
    assert.deepEqual(JSON.parse(refused.body)['violated-policies'], ['concurrency']);
    const second = get('/', { 'x-key': 'b' });
    await until(() => waiting.length === 2);
    for (const res of waiting) res.end();
    assert.equal((await first).headers.ratelimit, '"concurrency";r=0');
    await second;
    await until(() => limiter.stats().active === 0);
  });

  test(`${version}: without a place for anybody the answer is a 503`, async (t) => {
    const limiter = new ConcurrencyLimiter({ max: 1 });
    const lease = limiter.acquire();
    const { get } = await behind(t, rateLimit({ limiter }));
    const { status, headers, body } = await get();
    assert.deepEqual([status, headers['retry-after']], [503, '1']);
    assert.match(JSON.parse(body).type, /#temporary-reduced-capacity$/);
    lease.release();
    assert.equal((await get()).status, 200);
  });

  test(`${version}: a client that hangs up early gives its place back`, async (t) => {
    const limiter = new ConcurrencyLimiter({ max: 100 });
    const app = express();
    let seen = 0;
    app.use(rateLimit({ limiter }));
    app.get('/', () => (seen += 1));
    const { port } = await serve(t, app);
    const sockets = Array.from({ length: 20 }, () => {
      const socket = net.connect(port, '127.0.0.1');
      socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      return socket;
    });
    await until(() => seen === 20);
    assert.equal(limiter.stats().active, 20);
    for (const socket of sockets) socket.destroy();
    await until(() => limiter.stats().active === 0);
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
  });
}

test('a slow body of a refused request does not hold the connection open for others', async (t) => {
  const express = EXPRESS['Express 5'];
  const app = express();
  app.use(rateLimit({ limiter: limited(1) }));
  app.post('/', (req, res) => res.end());
  const { send, raw } = await serve(t, app);
  await send('/', { method: 'POST', body: 'x' });
  const answer = await raw(
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc' +
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx',
  );
  assert.equal(answer.match(/HTTP\/1\.1 429/g).length, 2);
});

test('a client cannot split a header by its key', async (t) => {
  const express = EXPRESS['Express 5'];
  const app = express();
  app.use(rateLimit({ limiter: limited(1), key: (req) => decodeURIComponent(req.query.key) }));
  app.get('/', (req, res) => res.end());
  const { get } = await serve(t, app);
  const key = encodeURIComponent(encodeURIComponent('a\r\nSet-Cookie: b=c'));
  for (const status of [200, 429]) {
    const { headers, ...answer } = await get(`/?key=${key}`);
    assert.deepEqual([answer.status, headers['set-cookie']], [status, undefined]);
  }
});

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
