'use strict';

// The route of a key ring, in each framework.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const native = require('@nodesec/native');
const { JwtIssuer, JwtVerifier, KeyRing, RemoteJwks } = native;
const { FRAMEWORKS } = require('../helpers/frameworks.js');
const { storePath } = require('../helpers/store-service.js');

for (const [version, service] of Object.entries(FRAMEWORKS)) {
  const published = async (t) => {
    const keys = new KeyRing({ alg: 'ES256', jwksMaxAge: '10m' });
    await keys.rotate();
    return { keys, ...(await service(t, { keys })) };
  };

  test(`${version}: the set, its tag and its age are those of the ring, for HEAD without the set`, async (t) => {
    const { get, keys, send } = await published(t);
    const { body, etag } = keys.jwks();
    const answer = await get('/jwks');
    assert.deepEqual([answer.status, answer.body], [200, body]);
    assert.deepEqual([answer.headers.etag, answer.headers['cache-control']], [etag, 'public, max-age=600']);
    assert.equal(answer.headers['content-type'], 'application/jwk-set+json');
    const head = await send('/jwks', { method: 'HEAD' });
    assert.deepEqual([head.status, head.body, head.headers.etag], [200, '', etag]);
    assert.equal(head.headers['content-length'], `${body.length}`);
  });

  test(`${version}: a client that has the set gets a 304, until the ring changes`, async (t) => {
    const { get, keys } = await published(t);
    const { etag } = keys.jwks();
    const ask = (tag) => get('/jwks', { 'if-none-match': tag, 'cache-control': 'no-cache' });
    for (const tag of [etag, `W/${etag}`, `"x", ${etag}`, '*', `"x",W/${etag}`]) {
      const { status, body, headers } = await ask(tag);
      assert.deepEqual([status, body, headers.etag], [304, '', etag], tag);
    }
    for (const tag of ['"x"', etag.slice(1, -1), 'garbage', '']) assert.equal((await ask(tag)).status, 200, tag);
    await keys.rotate({ force: true });
    assert.equal((await ask(etag)).status, 200);
  });

  test(`${version}: a RemoteJwks verifies with what the route publishes`, async (t) => {
    const { keys, port } = await published(t);
    const names = { issuer: 'https://id.example', audience: 'api' };
    const token = new JwtIssuer({ ...names, keys, expiresIn: 60 }).sign({ sub: 'ann' });
    const verifier = new JwtVerifier({ ...names, keys: new RemoteJwks(`http://127.0.0.1:${port}/jwks`) });
    assert.equal((await verifier.verifyAsync(token)).sub, 'ann');
  });

  test(`${version}: while the store of the ring cannot be read, the answer is a 503 with its cause`, async (t) => {
    const key = native.SecretBuffer.random(32);
    const store = await native.Store.open(storePath(t), { key });
    const keys = await KeyRing.open(store, { alg: 'ES256' });
    const { get } = await service(t, { keys });
    assert.equal((await get('/jwks')).status, 200);
    await store.close();
    const { status, headers, body } = await get('/jwks');
    assert.deepEqual([status, headers['retry-after']], [503, '5']);
    assert.doesNotMatch(body, /store/i);

    const seen = [];
    const onError = (error) => seen.push(error) && {};
    await (await service(t, { keys, onError })).get('/jwks');
    const [{ code, cause }] = seen;
    assert.deepEqual([code, cause.code], ['ERR_WEB_UNAVAILABLE', 'ERR_STORE_CLOSED']);
  });
}
