'use strict';

// The scopes in which the plugins for Fastify hold, and the options of routes.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const Fastify = require('fastify');
const { KeyRing, LoginThrottle, RateLimiter } = require('@nodesec/native');
const {
  authentication,
  jwksRoute,
  loginThrottling,
  rateLimiting,
  requireScope,
} = require('@nodesec/native/fastify');
const { serveFastify } = require('../helpers/frameworks.js');
const { coded } = require('../helpers/outcome.js');
const { tokens } = require('../helpers/web.js');

const limit = (name, limit) =>
  new RateLimiter({ limits: [{ name, limit, windowMs: 60_000 }], clock: () => new Date(0) });
const subject = async (request) => request.nodesec.auth?.claims.sub ?? 'nobody';
const nodesec = (config) => ({ config: { nodesec: config } });

test('plugins of two sibling scopes hold beside each other, and not outside', async (t) => {
  const [ours, theirs] = [await tokens(), await tokens()];
  const app = Fastify();
  app.get('/open', async (request) => typeof request.nodesec);
  for (const [prefix, { verifier }] of [
    ['/a', ours],
    ['/b', theirs],
  ]) {
    app.register(
      async (scope) => {
        await scope.register(authentication, { verifier });
        await scope.register(rateLimiting, { limiter: limit(prefix.slice(1), 9) });
        scope.get('/', subject);
      },
      { prefix },
    );
  }
  const { get } = await serveFastify(t, app);
  const ask = async (path, from) => (await get(path, from.bearer())).status;
  assert.deepEqual([await ask('/a', ours), await ask('/b', ours)], [200, 401]);
  assert.deepEqual([await ask('/a', theirs), await ask('/b', theirs)], [401, 200]);
  const open = await get('/open');
  assert.deepEqual([open.status, open.body, open.headers.ratelimit], [200, 'undefined', undefined]);
  assert.equal((await get('/b', theirs.bearer())).headers.ratelimit, '"b";r=7;t=14');
});

test('a route that names a plugin which its scope lacks is never open', async (t) => {
  const { verifier } = await tokens();
  const route = (scope, url) => scope.get(url, nodesec({ auth: { scope: 'admin' } }), subject);

  // Declared before the plugin of another kind is there, so that only a request shows it.
  const early = Fastify();
  early.register(rateLimiting, { limiter: limit('all', 9) });
  route(early, '/');
  const { get } = await serveFastify(t, early);
  assert.equal((await get('/')).status, 500);

  // Declared in the app after a child scope has the plugin.
  const late = Fastify();
  t.after(() => late.close());
  await late.register(async (scope) => {
    await scope.register(authentication, { verifier });
  });
  route(late, '/');
  await assert.rejects(late.ready(), coded('ERR_INVALID_ARG_VALUE'));
});

test('a child scope replaces the authentication of its parent, and limits add up', async (t) => {
  const [outer, inner] = [await tokens(), await tokens()];
  const app = Fastify();
  await app.register(authentication, { verifier: outer.verifier });
  await app.register(rateLimiting, { limiter: limit('outer', 9) });
  app.get('/', subject);
  app.register(
    async (scope) => {
      scope.get('/early', subject);
      await scope.register(authentication, { verifier: inner.verifier });
      await scope.register(rateLimiting, { limiter: limit('inner', 3) });
      scope.get('/', subject);
      scope.register(async (child) => void child.get('/child', subject));
    },
    { prefix: '/inner' },
  );
  const { get } = await serveFastify(t, app);
  assert.equal((await get('/', outer.bearer())).status, 200);
  for (const path of ['/inner', '/inner/early', '/inner/child']) {
    assert.equal((await get(path, outer.bearer())).status, 401, path);
    const { headers, status } = await get(path, inner.bearer());
    assert.deepEqual([status, /"outer";.*, "inner";/.test(headers.ratelimit)], [200, true], path);
  }
});

test('a route that was declared before the plugin was awaited is guarded as well', async (t) => {
  const { bearer, verifier } = await tokens();
  const app = Fastify();
  app.register(authentication, { verifier });
  app.get('/', subject);
  app.get('/admin', nodesec({ auth: { scope: 'admin' } }), subject);
  app.get('/wrong', nodesec({ auth: { scopes: 'admin' } }), subject);
  const { get } = await serveFastify(t, app);
  assert.equal((await get('/')).status, 401);
  assert.equal((await get('/admin', bearer())).status, 403);
  assert.equal((await get('/admin', bearer({ scope: 'admin' }))).status, 200);
  assert.equal((await get('/wrong', bearer())).status, 500);
});

test('child scopes that were registered before the plugin are guarded, too', async (t) => {
  const [outer, inner] = [await tokens(), await tokens()];
  const app = Fastify();
  app.register(async (child) => {
    child.get('/child', subject);
    child.register(async (grandchild) => void grandchild.get('/grandchild', subject));
  });
  app.register(async (child) => {
    await child.register(authentication, { verifier: inner.verifier });
    child.get('/inner', subject);
  });
  await app.register(authentication, { verifier: outer.verifier });
  await app.register(rateLimiting, { limiter: limit('all', 99) });
  const { get } = await serveFastify(t, app);
  for (const path of ['/child', '/grandchild', '/inner']) {
    assert.equal((await get(path)).status, 401, path);
    const own = path === '/inner' ? inner : outer;
    const { headers, status } = await get(path, own.bearer());
    assert.deepEqual([status, typeof headers.ratelimit], [200, 'string'], path);
  }
  assert.equal((await get('/inner', outer.bearer())).status, 401);
});

test('a route opts out, or has options of its own in place of those of the plugin', async (t) => {
  const { bearer, verifier } = await tokens();
  const app = Fastify();
  await app.register(rateLimiting, { limiter: limit('all', 9), cost: 2 });
  await app.register(authentication, { verifier, scope: 'read' });
  app.get('/', subject);
  app.get('/open', nodesec({ auth: false, limit: false }), subject);
  app.get('/true', nodesec({ auth: true, limit: true, login: false }), subject);
  app.get('/admin', nodesec({ auth: { scope: 'admin' }, limit: { cost: 5 } }), subject);
  app.get('/maybe', nodesec({ auth: { required: false, scope: undefined }, limit: { limiter: limit('own', 2) } }), subject);
  const { get } = await serveFastify(t, app);
  const read = bearer({ scope: 'read' });
  const seen = async (path, headers) => {
    const answer = await get(path, headers);
    return [answer.status, answer.headers.ratelimit?.replace(/;t=.*/, '')];
  };
  assert.deepEqual(await seen('/open'), [200, undefined]);
  assert.deepEqual(await seen('/', read), [200, '"all";r=7']);
  assert.deepEqual(await seen('/true', read), [200, '"all";r=5']);
  assert.deepEqual(await seen('/admin', read), [403, '"all";r=0']);
  assert.deepEqual(await seen('/maybe'), [200, '"own";r=0']);
  assert.deepEqual(await seen('/maybe', read), [429, '"own";r=0']);
  assert.deepEqual(await seen('/', read), [429, '"all";r=0']);
});

test('the options of a route replace those of the last limit, and the others hold', async (t) => {
  const app = Fastify();
  await app.register(rateLimiting, { limiter: limit('first', 9) });
  await app.register(rateLimiting, { limiter: limit('second', 9) });
  app.get('/', nodesec({ limit: { limiter: limit('own', 9) } }), async () => 'in');
  app.get('/off', nodesec({ limit: false }), async () => 'in');
  const { get } = await serveFastify(t, app);
  assert.match((await get('/')).headers['ratelimit-policy'], /^"first";q=9;w=60, "own";q=9;w=60$/);
  assert.equal((await get('/off')).headers.ratelimit, undefined);
});

test('404 handlers are guarded and counted, those of scopes, too', async (t) => {
  const { bearer, verifier } = await tokens();
  const app = Fastify();
  await app.register(rateLimiting, { limiter: limit('all', 4) });
  app.register(
    async (scope) => {
      await scope.register(authentication, { verifier });
      scope.setNotFoundHandler(async (request, reply) => {
        reply.code(404);
        return request.nodesec.auth.claims.sub;
      });
    },
    { prefix: '/in' },
  );
  const { get } = await serveFastify(t, app);
  assert.equal((await get('/nowhere')).status, 404);
  assert.equal((await get('/in/nowhere')).status, 401);
  const { status, body } = await get('/in/nowhere', bearer());
  assert.deepEqual([status, body], [404, 'ann']);
  assert.equal((await get('/in/nowhere', bearer())).status, 404);
  assert.equal((await get('/nowhere')).status, 429);
});

test('requireScope is a hook of a route or of a scope', async (t) => {
  const { bearer, verifier } = await tokens();
  const app = Fastify();
  await app.register(authentication, { verifier });
  app.get('/a', { onRequest: requireScope('admin') }, subject);
  app.get('/b', { preHandler: [requireScope('admin')] }, subject);
  const { get } = await serveFastify(t, app);
  for (const path of ['/a', '/b']) {
    assert.equal((await get(path, bearer())).status, 403);
    assert.equal((await get(path, bearer({ scope: 'admin' }))).status, 200);
  }
});

test('the keys are published where others need a token, below the prefix of the scope', async (t) => {
  const { verifier } = await tokens();
  const keys = new KeyRing({ alg: 'ES256' });
  await keys.rotate();
  const app = Fastify();
  await app.register(authentication, { verifier });
  app.register(async (scope) => void (await scope.register(jwksRoute, { keys })), { prefix: '/id' });
  const { get, send } = await serveFastify(t, app);
  assert.equal((await get('/id/.well-known/jwks.json')).body, keys.jwks().body);
  assert.equal((await send('/id/.well-known/jwks.json', { method: 'POST' })).status, 401);
});

test('a second authentication or throttle in one scope is refused', async () => {
  const { verifier } = await tokens();
  const app = Fastify();
  await app.register(authentication, { verifier });
  await assert.rejects(async () => app.register(authentication, { verifier }), coded('ERR_INVALID_ARG_VALUE'));
  const options = { throttle: new LoginThrottle(), account: () => 'ann' };
  const other = Fastify();
  await other.register(loginThrottling, options);
  await assert.rejects(async () => other.register(loginThrottling, options), coded('ERR_INVALID_ARG_VALUE'));
});

test('options of a route that cannot be are refused when it is declared', async () => {
  const { verifier } = await tokens();
  const app = Fastify();
  await app.register(authentication, { verifier });
  await app.register(rateLimiting, { limiter: limit('all', 9) });
  const declare = (config) => () => app.get('/', config, subject);
  assert.throws(declare(nodesec({ auth: { scopes: 'a' } })), coded('ERR_UNKNOWN_OPTION'));
  assert.throws(declare(nodesec({ authentication: false })), coded('ERR_UNKNOWN_OPTION'));
  assert.throws(declare(nodesec({ limit: { hook: 'preHandler' } })), coded('ERR_UNKNOWN_OPTION'));
  assert.throws(declare(nodesec({ limit: { cost: 0 } })), coded('ERR_OUT_OF_RANGE'));
  assert.throws(declare(nodesec({ auth: 'no' })), coded('ERR_INVALID_ARG_TYPE'));
  assert.throws(declare(nodesec(null)), coded('ERR_INVALID_ARG_TYPE'));
});

test('a route that needs a plugin which is not there is an error before the server listens', async () => {
  const { verifier } = await tokens();
  for (const config of [{ login: true }, { limit: { cost: 2 } }]) {
    const app = Fastify();
    await app.register(authentication, { verifier });
    app.post('/login', nodesec(config), subject);
    await assert.rejects(async () => app.ready(), coded('ERR_INVALID_ARG_VALUE'));
  }
  const fine = Fastify();
  await fine.register(authentication, { verifier });
  fine.post('/login', nodesec({ login: false, auth: false }), subject);
  await fine.ready();
  await fine.close();
});

test('options of a plugin that cannot be are refused at registration', async () => {
  const { verifier } = await tokens();
  for (const [plugin, options, code] of [
    [authentication, {}, 'ERR_MISSING_OPTION'],
    [authentication, { verifier, prefix: '/a' }, 'ERR_UNKNOWN_OPTION'],
    [rateLimiting, { limiter: {} }, 'ERR_INVALID_ARG_TYPE'],
    [rateLimiting, { limiter: limit('a', 1), hook: 'onSend' }, 'ERR_INVALID_ARG_VALUE'],
    [loginThrottling, { throttle: new LoginThrottle() }, 'ERR_MISSING_OPTION'],
    [jwksRoute, { keys: {} }, 'ERR_INVALID_ARG_TYPE'],
    [jwksRoute, { keys: new KeyRing({ alg: 'ES256' }), path: 'jwks' }, 'ERR_INVALID_ARG_VALUE'],
  ]) {
    await assert.rejects(async () => Fastify().register(plugin, options), coded(code));
  }
});
