'use strict';

// Limits of requests, in each framework.

const assert = require('node:assert/strict');
const { subscribe, unsubscribe } = require('node:diagnostics_channel');
const net = require('node:net');
const { test } = require('node:test');

const { ConcurrencyLimiter, LimitError, RateLimiter } = require('@nodesec/native');
const { FRAMEWORKS } = require('../helpers/frameworks.js');
const { until } = require('../helpers/web.js');

const MINUTE = 60_000;
const limited = (limit = 2, options = {}) =>
  new RateLimiter({ limits: [{ name: 'burst', limit, windowMs: MINUTE }], clock: () => new Date(0), ...options });

for (const [version, service] of Object.entries(FRAMEWORKS)) {
  /** Serves `/` behind these limits; it answers with the status that the query names. */
  const behind = (t, ...limits) => service(t, { limits });
  const statuses = async (get, count, headers) => {
    const seen = [];
    for (let n = 0; n < count; n += 1) seen.push((await get('/', headers)).status);
    return seen;
  };

  test(`${version}: a refusal is a 429 of problem+json that names the limit and the time`, async (t) => {
    const { get } = await behind(t, { limiter: limited() });
    const first = await get();
    assert.equal(first.headers['ratelimit-policy'], '"burst";q=2;w=60');
    assert.equal(first.headers.ratelimit, '"burst";r=1;t=30');
    assert.equal(first.headers['retry-after'], undefined);
    await get();
    const { status, headers, body } = await get();
    assert.deepEqual([status, headers['retry-after']], [429, '30']);
    assert.equal(headers.ratelimit, '"burst";r=0;t=30');
    assert.match(headers['content-type'], /^application\/problem\+json/);
    const { type, 'violated-policies': violated, status: own } = JSON.parse(body);
    assert.equal(type, 'https://iana.org/assignments/http-problem-types#quota-exceeded');
    assert.deepEqual([violated, own], [['burst'], 429]);
  });

  test(`${version}: HEAD, OPTIONS and paths without a route are counted, and HEAD has no body`, async (t) => {
    const { get, send } = await behind(t, { limiter: limited(3) });
    assert.equal((await send('/', { method: 'HEAD' })).status, 200);
    assert.match((await send('/', { method: 'OPTIONS' })).headers.ratelimit, /r=1/);
    assert.equal((await get('/nowhere')).status, 404);
    const { status, body, headers } = await send('/', { method: 'HEAD' });
    assert.deepEqual([status, body], [429, '']);
    assert.ok(Number(headers['content-length']) > 0);
  });

  for (const style of ['draft-7', 'draft-6', 'legacy', false]) {
    test(`${version}: the fields are of the style ${style}`, async (t) => {
      const { get } = await behind(t, { limiter: limited(1), headers: style });
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

  test(`${version}: fields that tell of one limit stay those of the first limiter`, async (t) => {
    const make = (limit) => ({ limiter: limited(limit), headers: 'legacy' });
    const { get } = await behind(t, make(5), make(7));
    assert.equal((await get()).headers['x-ratelimit-limit'], '5');
  });

  test(`${version}: the time in X-RateLimit-Reset is that of the clock of the limiter`, async (t) => {
    const clock = () => new Date(1_000_000_000_000);
    const { get } = await behind(t, { limiter: limited(1, { clock }), headers: 'legacy' });
    assert.equal((await get()).headers['x-ratelimit-reset'], '1000000060');
  });

  test(`${version}: scripts of other origins may read the fields, besides those exposed before`, async (t) => {
    const before = { 'Access-Control-Expose-Headers': 'X-Request-Id' };
    const { get } = await service(t, { before, limits: [{ limiter: limited() }] });
    const { headers } = await get('/', { origin: 'https://app.example' });
    const exposed = 'X-Request-Id, RateLimit, RateLimit-Policy, Retry-After';
    assert.equal(headers['access-control-expose-headers'], exposed);
    assert.equal((await get()).headers['access-control-expose-headers'], 'X-Request-Id');
  });

  for (const [style, names] of [
    ['draft-7', 'RateLimit, RateLimit-Policy, Retry-After'],
    ['draft-6', 'RateLimit-Limit, RateLimit-Policy, RateLimit-Remaining, RateLimit-Reset, Retry-After'],
    ['legacy', 'Retry-After, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset'],
    [false, 'Retry-After'],
  ]) {
    test(`${version}: scripts of other origins may read the fields of the style ${style}, named once`, async (t) => {
      const { get } = await behind(t, { limiter: limited(), headers: style }, { limiter: limited(), headers: style });
      const { headers } = await get('/', { origin: 'https://app.example' });
      assert.equal(headers['access-control-expose-headers'], names);
    });
  }

  test(`${version}: fields of another draft stay as they are, and those of the same draft are joined`, async (t) => {
    const ratelimit = { 7: 'limit=9, remaining=8, reset=7', 8: '"x";r=8;t=7' };
    const policy = { 7: '9;w=60', 8: '"x";q=9;w=60' };
    const seen = async (draft, style) => {
      const before = { RateLimit: ratelimit[draft], 'RateLimit-Policy': policy[draft] };
      const { headers } = await (await service(t, { before, limits: [{ limiter: limited(), headers: style }] })).get();
      return [headers.ratelimit, headers['ratelimit-policy']];
    };
    assert.deepEqual(await seen(7, 'draft-8+'), [ratelimit[7], policy[7]]);
    assert.deepEqual(await seen(8, 'draft-7'), [ratelimit[8], policy[8]]);
    assert.deepEqual(await seen(8, 'draft-6'), [ratelimit[8], policy[8]]);
    assert.deepEqual(await seen(8, 'draft-8+'), [`${ratelimit[8]}, "burst";r=1;t=30`, `${policy[8]}, "burst";q=2;w=60`]);
    assert.deepEqual(await seen(7, 'draft-7'), ['limit=2, remaining=1, reset=30', `${policy[7]}, 2;w=60`]);
  });

  test(`${version}: fields of the drafts 6 and 7 are not mixed, in either order`, async (t) => {
    const six = { 'RateLimit-Policy': '9;w=60', 'RateLimit-Limit': '9', 'RateLimit-Remaining': '8', 'RateLimit-Reset': '7' };
    const seven = { 'RateLimit-Policy': '9;w=60', RateLimit: 'limit=9, remaining=8, reset=7' };
    const eight = { RateLimit: '"x";r=8;t=7' };
    const cases = [
      [six, 'draft-7'],
      [six, 'draft-8+'],
      [seven, 'draft-6'],
      [eight, 'draft-6'],
      [{ 'RateLimit-Remaining': '8' }, 'draft-8+'],
      [{ RateLimit: seven.RateLimit }, 'draft-6'],
    ];
    for (const [before, style] of cases) {
      const { get } = await service(t, { before, limits: [{ limiter: limited(1), headers: style }] });
      const expected = Object.entries(before).map(([name, value]) => [name.toLowerCase(), value]);
      const seen = Object.entries((await get()).headers).filter(([name]) => name.startsWith('ratelimit'));
      assert.deepEqual(seen.sort(), expected.sort(), style);
      assert.equal((await get()).headers['retry-after'], '60');
    }
  });

  for (const [style, name] of [['draft-7', 'ratelimit'], ['draft-6', 'ratelimit-remaining'], ['legacy', 'x-ratelimit-remaining']]) {
    test(`${version}: of two limits, the fields of the style ${style} tell of the tightest, in either order`, async (t) => {
      const [loose, tight] = [9, 3].map((limit) => () => ({ limiter: limited(limit), headers: style }));
      for (const limits of [[loose(), tight()], [tight(), loose()]]) {
        const { get } = await behind(t, ...limits);
        const { headers } = await get();
        assert.match(headers[name], /^(limit=3, remaining=)?2(, reset=20)?$/);
        const { 'ratelimit-limit': limit, 'ratelimit-reset': reset } = headers;
        if (style === 'draft-6') assert.deepEqual([limit, reset], ['3', '20']);
      }
    });
  }

  test(`${version}: of two times in Retry-After the later one stays, also if one is a date`, async (t) => {
    const dated = (seconds) => new Date(Date.now() + seconds * 1000).toUTCString();
    for (const [before, isKept] of [
      ['10', false],
      ['600', true],
      [dated(10), false],
      [dated(600), true],
      ['soon', false],
    ]) {
      const { get } = await service(t, {
        before: { 'Retry-After': before },
        limits: [{ limiter: limited(1) }],
      });
      await get();
      assert.equal((await get()).headers['retry-after'], isKept ? before : '60');
    }
  });

  test(`${version}: a limiter of the application's own that tells no times has fields without them`, async (t) => {
    for (const times of [{}, { resetMs: NaN, windowMs: NaN, retryAfterMs: NaN }, { resetMs: Infinity, windowMs: null }]) {
      const limits = [{ name: 'own', limit: 5, remaining: 4, ...times }];
      const state = { allowed: true };
      const limiter = { consume: async () => ({ ...state, limits, ...times, violated: ['own'] }) };
      const { get } = await behind(t, { limiter });
      const { headers } = await get();
      assert.deepEqual([headers.ratelimit, headers['ratelimit-policy']], ['"own";r=4', '"own";q=5']);
      state.allowed = false;
      const refused = await get();
      assert.deepEqual([refused.status, refused.headers['retry-after']], [429, '1']);
    }
  });

  test(`${version}: key, cost and skip may be functions, with a promise or without`, async (t) => {
    const limiter = limited(10);
    const { get } = await behind(t, {
      limiter,
      key: async (req) => req.headers['x-key'],
      cost: (req) => Number(req.headers['x-cost'] ?? 1),
      skip: async (req) => req.headers['x-skip'] === 'yes',
    });
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
    const { get } = await behind(t, { limiter, key: () => 'a', refundOn });
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
    const { get } = await behind(t, { limiter: limited(1), enforce: false });
    const heard = [];
    const hear = ({ code }) => heard.push(code);
    subscribe('nodesec:limit.denied', hear);
    t.after(() => unsubscribe('nodesec:limit.denied', hear));
    assert.deepEqual(await statuses(get, 3), [200, 200, 200]);
    assert.equal((await get()).headers.ratelimit, undefined);
    assert.equal(heard.length, 3);
  });

  test(`${version}: without enforce a request that cannot be counted is let in, and the audit trail hears why`, async (t) => {
    const heard = [];
    const hear = ({ code, outcome }) => heard.push([outcome, code]);
    subscribe('nodesec:limit.failed', hear);
    t.after(() => unsubscribe('nodesec:limit.failed', hear));
    const fails = () => Promise.reject(new RangeError('mine'));
    const empty = () => Promise.all([undefined]).then(([reason]) => Promise.reject(reason));
    for (const [options, code] of [
      [{ key: () => undefined }, 'ERR_WEB_MISCONFIGURED'],
      [{ key: () => 'x'.repeat(9000) }, 'ERR_WEB_BAD_REQUEST'],
      [{ key: fails }, undefined],
      [{ skip: empty }, undefined],
      [{ cost: () => 3 }, 'ERR_WEB_BAD_REQUEST'],
      [{ cost: () => NaN }, 'ERR_WEB_MISCONFIGURED'],
      [{ limiter: new RateLimiter({ limit: 1, windowMs: MINUTE, maxKeys: 8 }), key: () => 42 }, 'ERR_WEB_MISCONFIGURED'],
      [{ limiter: { consume: () => Promise.reject(new TypeError('down')) } }, undefined],
    ]) {
      heard.length = 0;
      const { get } = await behind(t, { limiter: limited(), enforce: false, ...options });
      assert.equal((await get()).status, 200);
      assert.deepEqual(heard, [['error', code]]);
    }
    const open = await service(t, { limits: [{ limiter: limited(), enforce: false, key: () => 'a' }], trust: true });
    assert.equal((await open.get()).status, 200);
  });

  test(`${version}: a cost that no client can ever have is a 400, and as a constant no option`, async (t) => {
    const onError = ({ status, code, cause }) => [status, code, cause.code];
    const { get } = await service(t, { limits: [{ limiter: limited(5), cost: (req) => Number(req.query.n) }], onError });
    assert.match((await get('/?n=5')).headers.ratelimit, /r=0/);
    const seen = await get('/?n=6');
    assert.deepEqual(JSON.parse(seen.body), [400, 'ERR_WEB_BAD_REQUEST', 'ERR_LIMIT_COST']);
    assert.equal(seen.headers['retry-after'], undefined);
    await assert.rejects(
      async () => behind(t, { limiter: limited(5), cost: 6 }),
      ({ code }) => code === 'ERR_LIMIT_COST',
    );
  });

  test(`${version}: a limiter without memory is a 503 that may be tried again`, async (t) => {
    const consume = () => {
      throw new LimitError('ERR_LIMIT_FULL', 'no memory');
    };
    const limits = [{ limiter: { consume }, key: () => 'a' }];
    const { status, headers } = await (await service(t, { limits })).get();
    assert.deepEqual([status, headers['retry-after']], [503, '5']);
    const onError = ({ code, cause }) => [code, cause.code];
    const { body } = await (await service(t, { limits, onError })).get();
    assert.deepEqual(JSON.parse(body), ['ERR_WEB_UNAVAILABLE', 'ERR_LIMIT_FULL']);
  });

  test(`${version}: a key of bytes holds places as it counts units`, async (t) => {
    const limiter = new ConcurrencyLimiter({ max: 5, perKey: 1 });
    const key = (req) => Buffer.from(req.headers['x-key'].repeat(4000), 'hex');
    const waiting = [];
    const handle = () =>
      new Promise((resolve) => {
        waiting.push(resolve);
      });
    const { get } = await service(t, { limits: [{ limiter, key }], handle });
    const ask = (bytes) => get('/', { 'x-key': bytes });
    const held = [ask('c3a9'), ask('c328')];
    await until(() => waiting.length === 2);
    assert.equal(limiter.stats().keys, 2);
    // The service finds the place by the key that it gave.
    assert.equal(limiter.peek(Buffer.from('c3a9'.repeat(4000), 'hex')).remaining, 0);
    for (const bytes of ['c3a9', 'c328']) assert.equal((await ask(bytes)).status, 429);
    for (const answer of waiting) answer('done');
    for (const { status } of await Promise.all(held)) assert.equal(status, 200);
  });

  test(`${version}: a rejected promise of a callback is answered, and ends no process`, async (t) => {
    const failing = async () => {
      throw new RangeError('mine');
    };
    for (const options of [{ key: failing }, { skip: failing }, { cost: failing }]) {
      const onError = ({ message }) => [message];
      const { get } = await service(t, { limits: [{ limiter: limited(), ...options }], onError });
      const { status, body } = await get();
      assert.deepEqual([status, body], [500, '["mine"]']);
    }
  });

  test(`${version}: a key that cannot be had is a coded 500 that tells clients nothing`, async (t) => {
    for (const key of [() => undefined, () => '', () => null, () => 42, () => new Uint8Array(0), () => ['a']]) {
      const onError = ({ code, message, status, cause }) => [status, code, message, cause.code];
      const { get } = await service(t, { limits: [{ limiter: limited(), key }], onError });
      const { body } = await get();
      const expected = [500, 'ERR_WEB_MISCONFIGURED', 'Internal Server Error', 'ERR_INVALID_ARG_VALUE'];
      assert.deepEqual(JSON.parse(body), expected);
    }
    const { get } = await behind(t, { limiter: limited(), key: () => undefined });
    assert.doesNotMatch((await get()).body, /option|lib|node_modules/);
  });

  test(`${version}: a key of the client that cannot be one is a 400`, async (t) => {
    const keys = { long: 'x'.repeat(8193), wide: 'é'.repeat(5000), torn: '\ud800', huge: 'x'.repeat(10_000_000) };
    const { get } = await behind(t, { limiter: limited(), key: (req) => keys[req.query.key] });
    for (const name of Object.keys(keys)) assert.equal((await get(`/?key=${name}`)).status, 400, name);
  });

  test(`${version}: a client cannot forge its address past the proxies that are trusted`, async (t) => {
    const { get } = await service(t, { limits: [{ limiter: limited(2) }], trust: '127.0.0.1' });
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
    const waiting = [];
    const handle = () =>
      new Promise((resolve) => {
        waiting.push(resolve);
      });
    const key = (req) => req.headers['x-key'];
    const { get } = await service(t, { limits: [{ limiter, key }], handle });
    const first = get('/', { 'x-key': 'a' });
    await until(() => waiting.length === 1);
    const refused = await get('/', { 'x-key': 'a' });
    assert.deepEqual([refused.status, refused.headers['retry-after']], [429, '1']);
    assert.deepEqual(JSON.parse(refused.body)['violated-policies'], ['concurrency']);
    const second = get('/', { 'x-key': 'b' });
    await until(() => waiting.length === 2);
    for (const answer of waiting) answer('done');
    assert.equal((await first).headers.ratelimit, '"concurrency";r=0');
    await second;
    await until(() => limiter.stats().active === 0);
  });

  test(`${version}: without a place for anybody the answer is a 503`, async (t) => {
    const limiter = new ConcurrencyLimiter({ max: 1 });
    const lease = limiter.acquire();
    const { get } = await behind(t, { limiter });
    const { status, headers, body } = await get();
    assert.deepEqual([status, headers['retry-after']], [503, '1']);
    assert.match(JSON.parse(body).type, /#temporary-reduced-capacity$/);
    lease.release();
    assert.equal((await get()).status, 200);
  });

  test(`${version}: a client that hangs up early gives its place back`, async (t) => {
    const limiter = new ConcurrencyLimiter({ max: 100 });
    let seen = 0;
    const handle = () => {
      seen += 1;
      return new Promise(() => {});
    };
    const { port } = await service(t, { limits: [{ limiter }], handle });
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
}
