'use strict';

// The keys that the example services publish. The service runs in this process, so that the test
// can rotate its keys, but the test still uses HTTP.

const assert = require('node:assert/strict');
const test = require('node:test');

const { unsafeDecode } = require('@nodesec/native');

const { createSecurity } = require('../../examples/auth-service/security.js');
const { openUsers } = require('../../examples/auth-service/users.js');
const { EXAMPLES, client, dataDirectory, listen } = require('../helpers/auth-service.js');

const ADA = { username: 'ada', password: 'correct horse battery' };
const JWKS = '/.well-known/jwks.json';

async function startHere(t, example) {
  const data = dataDirectory(t);
  const security = await createSecurity(data);
  const users = openUsers(data);
  const server = await listen(example, { ...security, users });
  t.after(async () => {
    server.closeAllConnections();
    server.close();
    await users.close();
    await security.close();
  });
  const url = `http://127.0.0.1:${server.address().port}`;
  const service = client(url);
  await service.post('/register', ADA);
  return { ...service, ...security, data, url };
}

async function createSecurityOf(t, data) {
  const security = await createSecurity(data);
  t.after(() => security.close());
  return security;
}

for (const example of EXAMPLES) {
  test(`${example}: another library verifies the tokens by the published keys`, async (t) => {
    const { createRemoteJWKSet, jwtVerify } = await import('jose');
    const service = await startHere(t, example);
    const { accessToken, sessionId } = await service.login(ADA);
    const published = createRemoteJWKSet(new URL(service.url + JWKS));
    const { payload } = await jwtVerify(accessToken, published, {
      issuer: 'https://auth.example.com',
      audience: 'https://api.example.com',
      typ: 'at+jwt',
      algorithms: ['EdDSA'],
    });
    assert.deepEqual([payload.name, payload.sid], ['ada', sessionId]);
  });

  test(`${example}: the key set is cached and revalidated, and holds nothing private`, async (t) => {
    const service = await startHere(t, example);
    const jwks = (headers) => service.ask('GET', JWKS, { headers });
    const { body, headers, status } = await jwks();
    assert.equal(status, 200);
    assert.equal(headers.get('content-type'), 'application/jwk-set+json');
    assert.equal(headers.get('cache-control'), 'public, max-age=600');
    assert.equal(body.keys.length, 2);
    for (const key of body.keys) assert.equal(key.d, undefined);

    const etag = headers.get('etag');
    for (const tags of [etag, `W/${etag}`, `"other", ${etag}`]) {
      const unchanged = await jwks({ 'If-None-Match': tags });
      assert.deepEqual([unchanged.status, unchanged.body], [304, '']);
      assert.equal(unchanged.headers.get('etag'), etag);
    }
    await service.keys.rotate({ force: true });
    const changed = await jwks({ 'If-None-Match': etag });
    assert.equal(changed.status, 200);
    assert.deepEqual(changed.body.keys.slice(0, 2), body.keys);
    assert.equal(changed.body.keys.length, 3);
  });

  test(`${example}: tokens of a retired key are accepted, those of a revoked one are not`, async (t) => {
    const service = await startHere(t, example);
    const { accessToken } = await service.login(ADA);
    await service.keys.rotate({ force: true });
    const renewed = await service.login(ADA);
    const [old, current] = [accessToken, renewed.accessToken].map((token) => unsafeDecode(token));
    assert.notEqual(current.header.kid, old.header.kid);
    assert.equal((await service.me(accessToken)).status, 200);
    service.keys.revoke(old.header.kid);
    assert.equal((await service.me(accessToken)).status, 401);
    assert.equal((await service.me(renewed.accessToken)).status, 200);
  });

  test(`${example}: a token of somebody who had the name before is refused`, async (t) => {
    const service = await startHere(t, example);
    const { accessToken } = await service.sessions.start('another-id', { name: 'ada' });
    const { status, body } = await service.me(accessToken);
    assert.deepEqual([status, body], [401, { error: 'invalid_token' }]);
  });

  test(`${example}: a key that rotation made is there after a restart`, async (t) => {
    const service = await startHere(t, example);
    await service.keys.rotate({ force: true });
    const { accessToken } = await service.login(ADA);
    const second = await createSecurityOf(t, service.data);
    assert.equal(second.verifier.verify(accessToken).name, 'ada');
    assert.deepEqual(second.keys.list(), service.keys.list());
  });

  test(`${example}: while the store cannot answer, no token is accepted and none is called invalid`, async (t) => {
    const service = await startHere(t, example);
    const { accessToken } = await service.login(ADA);
    assert.equal((await service.me(accessToken)).status, 200);
    await service.store.close();
    const { status, body, headers } = await service.me(accessToken);
    assert.deepEqual([status, body], [503, { error: 'unavailable' }]);
    assert.deepEqual([headers.get('www-authenticate'), headers.get('retry-after')], [null, '5']);
    // A token that is none needs no store.
    assert.equal((await service.me('x')).status, 401);
  });
}
