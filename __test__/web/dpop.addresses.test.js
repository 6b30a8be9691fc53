'use strict';

// The address of a request that a DPoP proof names, in each framework.

const assert = require('node:assert/strict');
const http2 = require('node:http2');
const { before, test } = require('node:test');

const Fastify = require('fastify');

const express = require('@nodesec/native/express');
const fastify = require('@nodesec/native/fastify');
const { FRAMEWORKS } = require('../helpers/frameworks.js');
const {
  client, kindsDuring, middlewareCache, olderCache, proofOf, urlOf, withProof,
} = require('../helpers/proofs.js');
const { serve } = require('../helpers/web.js');

before(middlewareCache);

for (const [version, service] of Object.entries(FRAMEWORKS)) {
  const guarded = (t, auth, parts) => service(t, { auth, ...parts });

  test(`${version}: the address is that of the client as far as the proxy is trusted`, async (t) => {
    const { key, token, verifier } = await client();
    const replay = olderCache({ maxEntries: 64 });
    const auth = { verifier, dpop: { replay } };
    const forwarded = { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'api.example' };
    const to = async ({ get }, url, headers) => (await get('/', { ...withProof(key, token, url), ...headers })).status;
    const behind = await guarded(t, auth, { trust: '127.0.0.1' });
    assert.equal(await to(behind, 'https://api.example/', forwarded), 200);
    assert.equal(await to(behind, urlOf(behind.port), forwarded), 401);
    assert.equal(await to(behind, 'http://api.example/', forwarded), 401);
    assert.equal(await to(behind, urlOf(behind.port), {}), 200);
    // Of several values, programs choose different ones.
    for (const name of ['x-forwarded-proto', 'x-forwarded-host']) {
      const doubled = { ...forwarded, [name]: `${forwarded[name]}, ${forwarded[name]}` };
      assert.equal(await to(behind, 'https://api.example/', doubled), 401, name);
    }
    const direct = await guarded(t, auth);
    assert.equal(await to(direct, 'https://api.example/', forwarded), 401);
    assert.equal(await to(direct, urlOf(direct.port), forwarded), 200);
    const rewritten = await guarded(t, { verifier, dpop: { replay, url: async () => 'https://api.example/v1?x' } });
    assert.equal(await to(rewritten, 'https://api.example/v1', {}), 200);
    for (const url of [() => '/v1', () => undefined, () => 42]) {
      const wrong = await guarded(t, { verifier, dpop: { replay, url } });
      assert.equal(await to(wrong, 'https://api.example/v1', {}), 500);
    }
  });

  test(`${version}: a target that is no path has no address`, async (t) => {
    const { key, token, verifier } = await client();
    const { raw, port } = await guarded(t, { verifier, dpop: 'require' });
    const dpop = proofOf(key, { url: urlOf(port), token });
    const lines = `Host: 127.0.0.1:${port}\r\nConnection: close\r\nAuthorization: DPoP ${token}\r\nDPoP: ${dpop}\r\n\r\n`;
    const answer = await raw(`GET http://127.0.0.1:${port}/ HTTP/1.1\r\n${lines}`);
    assert.doesNotMatch(answer, /^HTTP\/1\.1 2/);
  });

  test(`${version}: a client cannot put a path, a user or another protocol into its address`, async (t) => {
    const { key, token, verifier } = await client();
    const url = 'http://api.example/public';
    for (const trust of [undefined, '127.0.0.1']) {
      const { raw } = await guarded(t, { verifier, dpop: 'require' }, { trust });
      const ask = async (htu, target, ...lines) => {
        const dpop = proofOf(key, { url: htu, token });
        const credentials = [`Authorization: DPoP ${token}`, `DPoP: ${dpop}`, 'Connection: close'];
        return raw(`GET ${target} HTTP/1.1\r\n${[...lines, ...credentials].join('\r\n')}\r\n\r\n`);
      };
      assert.match(await ask('http://api.example/', '/', 'Host: api.example'), /^HTTP\/1\.1 200 /);
      assert.match(await ask('http://[::1]:80/', '/?a=\\', 'Host: [::1]:80'), /^HTTP\/1\.1 200 /);
      for (const [htu, target, ...lines] of [
        [url, '/', 'Host: api.example/public?'],
        [url, '/', 'Host: api.example/public#'],
        ['http://api.example/public/', '/', 'Host: api.example/public'],
        ['http://b.example/', '/', 'Host: a@b.example'],
        ['http://a.example\\@b.example/', '/', 'Host: a.example\\@b.example'],
        [url, '/', 'Host: api.example', 'X-Forwarded-Host: api.example/public?'],
        [url, '/', 'Host: api.example', 'X-Forwarded-Proto: http://api.example/public?'],
        ['https://api.example/public', '/', 'Host: api.example', 'X-Forwarded-Proto: https://api.example/public?'],
        [url, 'http://api.example/public', 'Host: api.example'],
        ['http://api.example/', '/#', 'Host: api.example'],
        ['http://api.example/\\', '/\\', 'Host: api.example'],
      ]) {
        const kinds = await kindsDuring(async () => {
          const answer = await ask(htu, target, ...lines);
          assert.doesNotMatch(answer, /^HTTP\/1\.1 [25]/, `${htu} ${target} ${lines}`);
        });
        // A router may find no route before.
        assert.ok(kinds.length === 0 ? target !== '/' : `${kinds}` === 'request.refused dpop-url', `${kinds}`);
      }
    }
  });

  test(`${version}: with origins a proof for another service is refused, also if Host names that service`, async (t) => {
    const { key, token, verifier } = await client();
    const origins = ['https://api.example', 'http://api.example:8080'];
    const { get } = await guarded(t, { verifier, dpop: { origins } }, { trust: '127.0.0.1' });
    const ask = (url, host, proto = 'http') => {
      const dpop = proofOf(key, { url, token });
      return get('/', { authorization: `DPoP ${token}`, dpop, host, 'x-forwarded-proto': proto });
    };
    assert.equal((await ask('https://api.example/', 'api.example', 'https')).status, 200);
    assert.equal((await ask('https://api.example/', 'API.example:443', 'https')).status, 200);
    assert.equal((await ask('http://api.example:8080/', 'api.example:8080')).status, 200);
    for (const host of ['evil.example', 'api.example', 'api.example:8081', 'api.example.', 'api.example:99999']) {
      const kinds = await kindsDuring(async () => {
        assert.equal((await ask(`http://${host}/`, host)).status, 401, host);
      });
      assert.deepEqual(kinds, ['request.refused dpop-url'], host);
    }
    const named = await guarded(t, { verifier, dpop: { origins, url: () => 'https://evil.example/' } });
    assert.equal((await named.get('/', withProof(key, token, 'https://evil.example/'))).status, 401);
  });

  test(`${version}: an address that no proof can name is refused, and a query may be longer`, async (t) => {
    const { key, token, verifier } = await client();
    let url = `https://api.example/?${'q'.repeat(20_000)}`;
    const { get } = await guarded(t, { verifier, dpop: { url: () => url } });
    assert.equal((await get('/', withProof(key, token, 'https://api.example/'))).status, 200);
    for (const path of ['p'.repeat(16_384), 'p'.repeat(1_048_577), 'é']) {
      url = `https://api.example/${path}`;
      const kinds = await kindsDuring(async () => {
        const { status } = await get('/', withProof(key, token, 'https://api.example/'));
        assert.equal(status, 401);
      });
      assert.deepEqual(kinds, ['request.refused dpop-url']);
    }
  });
}

/** The clients of HTTP/2 that are connected. */
const sessions = [];

for (const [name, make] of [
  [
    'Express 5, by way of a bridge',
    async (t, auth) => {
      const middleware = express.authenticate(auth);
      const server = http2.createServer((req, res) => {
        Object.assign(req, { protocol: 'http', originalUrl: req.url });
        middleware(req, res, (error) => {
          res.statusCode = error?.status ?? 200;
          res.end();
        });
      });
      return (await serve(t, undefined, server)).port;
    },
  ],
  [
    'Fastify 5',
    async (t, auth) => {
      const app = Fastify({ http2: true });
      t.after(() => app.close());
      // Fastify waits for the end of the sessions that are open.
      app.addHook('preClose', async () => sessions.splice(0).forEach((session) => session.destroy()));
      await app.register(fastify.authentication, auth);
      app.get('/', async () => 'ok');
      return new URL(await app.listen({ host: '127.0.0.1', port: 0 })).port;
    },
  ],
]) {
  test(`${name}: HTTP/2 names the address in :authority`, async (t) => {
    const { key, token, verifier } = await client();
    const port = await make(t, { verifier, dpop: 'require' });
    const session = http2.connect(`http://127.0.0.1:${port}`);
    sessions.push(session);
    t.after(() => session.destroy());
    const status = (headers) => {
      return new Promise((resolve, reject) => {
        const stream = session.request(headers);
        stream.on('response', (answer) => resolve(answer[':status']));
        stream.on('error', reject);
        stream.resume();
        stream.end();
      });
    };
    const headers = withProof(key, token, urlOf(port));
    assert.equal(await status(headers), 200);
    assert.equal(await status(headers), 401);
    assert.equal(await status({ ...headers, dpop: [headers.dpop, headers.dpop] }), 401);
    const foreign = withProof(key, token, 'http://other.example/');
    assert.equal(await status(foreign), 401);
    assert.equal(await status({ ...foreign, ':authority': 'other.example' }), 200);
  });
}
