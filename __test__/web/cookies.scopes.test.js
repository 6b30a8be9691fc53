'use strict';

// Sessions in cookies below a prefix of Fastify, and beside authentication.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const Fastify = require('fastify');

const { JwtKey, JwtVerifier } = require('@nodesec/native');
const { authentication, cookies } = require('@nodesec/native/fastify');
const { declareAuthentication } = require('../../lib/web/authentication.js');
const { AT, RT, parsed, sessionParts } = require('../helpers/browser.js');
const { coded } = require('../helpers/outcome.js');

/** A Fastify app with a login, below a prefix. */
async function below(t, prefix, more) {
  const options = { ...(await sessionParts()), ...more };
  const app = Fastify();
  t.after(() => app.close());
  await app.register(
    async (scope) => {
      await scope.register(cookies, options);
      scope.post('/login', async (request, reply) => {
        return reply.issueSession(await options.sessions.start('ann')).send();
      });
    },
    { prefix },
  );
  const answer = await app.inject({ method: 'POST', url: `${prefix}/login` });
  const [, refresh] = answer.headers['set-cookie'].map(parsed);
  const call = async (url) => {
    const { statusCode } = await app.inject({ method: 'POST', url, cookies: { [RT]: refresh.value } });
    return statusCode;
  };
  return { call, path: refresh.attributes.path };
}

test('Fastify: the routes and the path of the cookie are below the prefix of the scope', async (t) => {
  const plain = await below(t, '/api', {});
  assert.equal(plain.path, '/api/auth');
  assert.deepEqual([await plain.call('/api/auth/refresh'), await plain.call('/auth/refresh')], [200, 404]);
  const named = await below(t, '/api', { routes: '/session' });
  assert.deepEqual([named.path, await named.call('/api/session/refresh')], ['/api/session', 200]);
  // A proxy has removed the prefix that browsers see.
  const proxied = await below(t, '/api', { refresh: { path: '/shop/api/auth' } });
  assert.deepEqual([proxied.path, await proxied.call('/api/auth/refresh')], ['/shop/api/auth', 200]);
  const without = await below(t, '/api', { routes: false });
  assert.deepEqual([without.path, await without.call('/api/auth/refresh')], ['/auth', 404]);
});

test('Fastify: a token that every other route demands is not needed to refresh and to log out', async (t) => {
  const { sessions, verifier } = await sessionParts();
  const app = Fastify();
  t.after(() => app.close());
  await app.register(authentication, { verifier, from: 'cookie' });
  await app.register(cookies, { sessions, verifier });
  app.get('/', async (request) => request.nodesec.auth.claims.sub);
  const { refreshToken } = await sessions.start('ann');
  assert.equal((await app.inject('/')).statusCode, 401);
  const post = (url, value) => app.inject({ method: 'POST', url, cookies: { [RT]: value } });
  const refreshed = await post('/auth/refresh', refreshToken);
  assert.equal(refreshed.statusCode, 200);
  const [access, refresh] = refreshed.headers['set-cookie'].map(parsed);
  assert.equal((await app.inject({ url: '/', cookies: { [AT]: access.value } })).body, 'ann');
  assert.equal((await post('/auth/logout', refresh.value)).statusCode, 204);
  assert.deepEqual(await sessions.list('ann'), []);
});

test('Fastify: a scope and those within it have one set of cookies', async (t) => {
  const options = await sessionParts();
  const app = Fastify();
  t.after(() => app.close());
  await app.register(cookies, options);
  await assert.rejects(
    async () => app.register(async (scope) => scope.register(cookies, options)),
    coded('ERR_INVALID_ARG_VALUE'),
  );
});

test('middleware behind another verifies an accepted token again, and with another verifier a refused one', async () => {
  const { sessions, verifier } = await sessionParts();
  const strict = new JwtVerifier({ keys: await JwtKey.generate('HS256'), issuer: false, audience: false });
  const checkOf = (own, more) => declareAuthentication('a test')({ verifier: own, from: 'cookie', ...more });
  const { accessToken, sessionId } = await sessions.start('ann', { scope: 'read' });
  const headers = { cookie: `${AT}=${accessToken}` };
  const raw = { headers, rawHeaders: ['cookie', headers.cookie], method: 'GET', url: '/' };
  await assert.rejects(checkOf(strict)(raw, raw, {}), { status: 401 });
  const { claims } = await checkOf(verifier)(raw, raw, {});
  assert.equal(claims.sub, 'ann');
  claims.scope = 'admin';
  await assert.rejects(checkOf(verifier, { scope: 'admin' })(raw, raw, {}), { status: 403 });
  await sessions.end(sessionId);
  await assert.rejects(checkOf(verifier)(raw, raw, {}), { status: 401 });
});
