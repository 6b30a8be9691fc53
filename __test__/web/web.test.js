'use strict';

// The functions for other frameworks.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { ConcurrencyLimiter, NodesecError, RateLimiter, WebError } = require('@nodesec/native');
const { challenge, rateLimitFields, readBearer } = require('@nodesec/native/web');
const { coded } = require('../helpers/outcome.js');
const { tokens } = require('../helpers/web.js');

test('a token is read from every notation of the header that RFC 6750 allows', () => {
  for (const authorization of ['Bearer a.b-c_~+/==', 'bearer a.b-c_~+/==', 'BEARER   a.b-c_~+/==']) {
    assert.equal(readBearer({ authorization }), 'a.b-c_~+/==');
    assert.equal(readBearer(new Headers({ authorization })), 'a.b-c_~+/==');
    assert.equal(readBearer({ authorization: [authorization] }), 'a.b-c_~+/==');
  }
});

test('no header and other schemes are no credentials', () => {
  const others = ['Basic YTpi', 'BearerX abc', 'Bearer-Token abc', 'DPoP abc', '', 'abc'];
  for (const headers of [{}, { authorization: undefined }, ...others.map((authorization) => ({ authorization }))]) {
    assert.equal(readBearer(headers), undefined);
  }
  assert.equal(readBearer(Object.create({ authorization: 'Bearer a' })), undefined);
});

test('a malformed or a doubled header is a 400 with invalid_request', () => {
  const bad = ['Bearer', 'Bearer ', 'Bearer a b', 'Bearer a,b', 'Bearer\ta', 'Bearer "a"', 'Bearer =', 'Bearer é'];
  const long = `Bearer ${'a'.repeat(10_000_000)}!`;
  for (const authorization of [...bad, long, ['Bearer a', 'Bearer a'], 'Bearer a, Bearer b']) {
    assert.throws(
      () => readBearer({ authorization }),
      (error) => {
        assert.ok(error instanceof WebError);
        assert.equal(error.code, 'ERR_WEB_BAD_REQUEST');
        assert.deepEqual([error.status, error.statusCode, error.expose], [400, 400, true]);
        return error.headers['WWW-Authenticate'] === 'Bearer error="invalid_request"';
      },
    );
  }
  for (const headers of [null, undefined, 'Bearer a', 42]) {
    assert.throws(() => readBearer(headers), coded('ERR_INVALID_ARG_TYPE'));
  }
});

test('a challenge says as much as RFC 6750 and RFC 9470 want, and nothing of the reason', async () => {
  const cases = [
    [undefined, 401, 'Bearer'],
    [{ code: 'ERR_JWT_EXPIRED', message: 'secret' }, 401, 'Bearer error="invalid_token"'],
    [{ error: 'invalid_request' }, 400, 'Bearer error="invalid_request"'],
    [{ scope: 'read' }, 403, 'Bearer error="insufficient_scope", scope="read"'],
    [{ scope: ['a', 'b'] }, 403, 'Bearer error="insufficient_scope", scope="a b"'],
    [
      { acr: ['gold', 'silver'], maxAge: 60 },
      401,
      'Bearer error="insufficient_user_authentication", acr_values="gold silver", max_age="60"',
    ],
    [{ maxAge: 0 }, 401, 'Bearer error="insufficient_user_authentication", max_age="0"'],
  ];
  for (const [reason, status, header] of cases) {
    const error = challenge(reason);
    assert.deepEqual([error.status, error.headers['WWW-Authenticate']], [status, header]);
    assert.ok(!JSON.stringify(error).includes('secret'));
    assert.ok(!error.stack.includes('secret') && !error.stack.includes('lib'));
  }
  const { verifier } = await tokens();
  const { cause } = challenge(verifier.tryVerify('no token'));
  assert.equal(cause.code, 'ERR_JWT_MALFORMED');
  assert.ok(cause instanceof NodesecError);
  assert.equal(challenge({ scope: 'a' }, { realm: 'the api' }).headers['WWW-Authenticate'].slice(0, 22), 'Bearer realm="the api"');
});

test('missing keys and revocations are a 503 and never a 401', () => {
  for (const code of [
    'ERR_JWT_KEYS_UNAVAILABLE',
    'ERR_REVOCATION_CLOSED',
    'ERR_REVOCATION_STALE',
    'ERR_REVOCATION_STORE',
  ]) {
    const { status, code: own, headers, cause } = challenge({ code, message: '' });
    assert.deepEqual([status, own], [503, 'ERR_WEB_UNAVAILABLE']);
    assert.deepEqual([headers, cause.code], [{ 'Retry-After': '5' }, code]);
  }
});

test('a reason that is none, and words that would break a header, are refused', () => {
  for (const reason of [null, 42, {}, new TypeError('mine'), { code: 'ERR_INVALID_ARG_TYPE' }]) {
    assert.throws(() => challenge(reason), coded('ERR_INVALID_ARG_VALUE'));
  }
  for (const scope of ['a"b', 'a\r\nb', '', [], ['é'], 42]) {
    assert.throws(() => challenge({ scope }), coded('ERR_INVALID_ARG_VALUE'));
  }
  // The text of the longest array is longer than a string can be.
  for (const length of [101, 2 ** 32 - 1]) {
    for (const name of ['scope', 'acr']) {
      const reason = { [name]: Object.assign(new Array(length), ['a']) };
      assert.throws(() => challenge(reason), coded('ERR_INVALID_ARG_VALUE'));
    }
  }
  for (const maxAge of [NaN, -1, 1.5, '60']) {
    assert.throws(() => challenge({ maxAge }), coded('ERR_INVALID_ARG_VALUE'));
  }
  assert.throws(() => challenge(undefined, { realm: 'a"b' }), coded('ERR_INVALID_ARG_VALUE'));
  assert.throws(() => challenge(undefined, { realms: 'a' }), coded('ERR_UNKNOWN_OPTION'));
});

const clock = () => new Date(0);
const two = () =>
  new RateLimiter({
    limits: [
      { name: 'burst', limit: 2, windowMs: 60_000 },
      { name: 'day', limit: 100, windowMs: 86_400_000 },
    ],
    clock,
  });

test('the fields of the drafts and of X- tell the same numbers', () => {
  const limiter = two();
  limiter.check('a');
  const result = limiter.consume('a');
  assert.deepEqual(rateLimitFields(result), {
    'RateLimit-Policy': '"burst";q=2;w=60, "day";q=100;w=86400',
    RateLimit: '"burst";r=0;t=60, "day";r=98;t=1728',
  });
  assert.deepEqual(rateLimitFields(result, 'draft-7'), {
    'RateLimit-Policy': '2;w=60, 100;w=86400',
    RateLimit: 'limit=2, remaining=0, reset=60',
  });
  assert.deepEqual(rateLimitFields(result, 'draft-6'), {
    'RateLimit-Policy': '2;w=60, 100;w=86400',
    'RateLimit-Limit': '2',
    'RateLimit-Remaining': '0',
    'RateLimit-Reset': '60',
  });
  const { 'X-RateLimit-Reset': reset, ...legacy } = rateLimitFields(result, 'legacy');
  assert.deepEqual(legacy, { 'X-RateLimit-Limit': '2', 'X-RateLimit-Remaining': '0' });
  assert.ok(Number(reset) >= Math.floor(Date.now() / 1000) + 60);
  assert.deepEqual(rateLimitFields(result, false), {});
});

test('a refusal tells in every style when to come back, not before t', () => {
  const limiter = two();
  limiter.check('a', 2);
  const refused = limiter.consume('a');
  for (const style of ['draft-8+', 'draft-7', 'draft-6', 'legacy', false]) {
    assert.equal(rateLimitFields(refused, style)['Retry-After'], '30');
  }
  assert.match(rateLimitFields(refused).RateLimit, /^"burst";r=0;t=30, /);
});

test('a limiter of places has fields without a window', () => {
  const limiter = new ConcurrencyLimiter({ max: 5, perKey: 2 });
  limiter.acquire('a');
  assert.deepEqual(rateLimitFields(limiter.peek('a')), {
    'RateLimit-Policy': '"concurrency";q=2;qu="concurrent-requests"',
    RateLimit: '"concurrency";r=1',
  });
});

test('a result of something else, and a name that would break a header, are refused', () => {
  const good = two().consume('a');
  const [limit] = good.limits;
  for (const result of [undefined, null, {}, { allowed: true }, { ...good, limits: [] }, 'a', 42]) {
    assert.throws(() => rateLimitFields(result), coded('ERR_INVALID_ARG_TYPE'));
  }
  for (const change of [{ name: 'a"b' }, { name: 'a\r\nSet-Cookie: b' }, { name: '' }, { remaining: NaN }, { limit: 2 ** 53 }]) {
    assert.throws(
      () => rateLimitFields({ ...good, limits: [{ ...limit, ...change }] }),
      coded('ERR_INVALID_ARG_VALUE'),
    );
  }
  assert.throws(() => rateLimitFields(good, 'draft-9'), coded('ERR_INVALID_ARG_VALUE'));
  assert.throws(() => rateLimitFields(good, true), coded('ERR_INVALID_ARG_VALUE'));
});
