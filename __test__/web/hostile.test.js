'use strict';

// A hostile client of a service in each framework: each attack has its status.

const assert = require('node:assert/strict');
const { createHmac, createPublicKey } = require('node:crypto');
const net = require('node:net');
const { test } = require('node:test');

const { ConcurrencyLimiter, LoginThrottle, RateLimiter, RevocationList } = require('@nodesec/native');
const { FRAMEWORKS } = require('../helpers/frameworks.js');
const { tokens, until } = require('../helpers/web.js');

const MINUTE = 60_000;
const limited = (limit = 2) =>
  new RateLimiter({ limits: [{ name: 'burst', limit, windowMs: MINUTE }], clock: () => new Date(0) });
const encoded = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
const bearerOf = (token) => ({ authorization: `Bearer ${token}` });

for (const [version, service] of Object.entries(FRAMEWORKS)) {
  test(`${version}: a key with line breaks splits no header`, async (t) => {
    const key = (request) => decodeURIComponent(request.query.key);
    const { get } = await service(t, { limits: [{ limiter: limited(1), key }] });
    const value = encodeURIComponent(encodeURIComponent('a\r\nSet-Cookie: b=c'));
    for (const status of [200, 429]) {
      const { headers, ...answer } = await get(`/?key=${value}`);
      assert.deepEqual([answer.status, headers['set-cookie']], [status, undefined]);
    }
  });

  test(`${version}: a token with line breaks or control characters is refused before it is read`, async (t) => {
    const { bearer, verifier } = await tokens();
    const { raw } = await service(t, { auth: { verifier } });
    const { authorization } = bearer();
    const ask = async (value) => {
      const head = `GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: ${value}\r\n\r\n`;
      return /^HTTP\/1\.1 (\d+)/.exec(await raw(head))[1];
    };
    assert.equal(await ask(authorization), '200');
    for (const value of [`${authorization}\0`, `${authorization}\x01`, `${authorization}\r\n x`, `${authorization}\n\nGET`]) {
      assert.equal(await ask(value), '400', JSON.stringify(value.slice(-6)));
    }
  });

  test(`${version}: headers that are too long are a 431, and tokens that are too long a 401`, async (t) => {
    const { verifier } = await tokens();
    const { get } = await service(t, { auth: { verifier } });
    assert.equal((await get('/', bearerOf('a'.repeat(20_000)))).status, 431);
    for (const token of ['a'.repeat(15_000), '.'.repeat(15_000), `${'a.'.repeat(7000)}a`]) {
      assert.equal((await get('/', bearerOf(token))).status, 401);
    }
  });

  test(`${version}: no token passes with the algorithm of another key, or with none`, async (t) => {
    const { issuer, keys, verifier } = await tokens({}, 'ES256');
    const { get } = await service(t, { auth: { verifier } });
    const genuine = issuer.sign({ sub: 'ann' });
    const [header, payload, signature] = genuine.split('.');
    assert.equal((await get('/', bearerOf(genuine))).status, 200);
    const publicKey = createPublicKey({ key: keys.toPublicJwk(), format: 'jwk' });
    const forged = [encoded({ alg: 'none' }), encoded({ alg: 'none', kid: 'k1' })].map((head) => `${head}.${payload}.`);
    for (const type of ['pem', 'der']) {
      const secret = publicKey.export({ type: 'spki', format: type });
      const text = `${encoded({ alg: 'HS256', typ: 'JWT', kid: 'k1' })}.${payload}`;
      forged.push(`${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`);
    }
    const own = await tokens({}, 'ES256');
    forged.push(own.issuer.sign({ sub: 'ann' }));
    // The client's own key, in the header of the token.
    const embedded = encoded({ alg: 'ES256', jwk: own.keys.toPublicJwk() });
    forged.push(`${embedded}.${payload}.${own.issuer.sign({}).split('.')[2]}`);
    forged.push(`${header}.${encoded({ sub: 'root' })}.${signature}`, `${genuine}.`, `${header}.${payload}.`);
    for (const token of forged) {
      const { status, headers } = await get('/', bearerOf(token));
      assert.deepEqual([status, headers['www-authenticate']], [401, 'Bearer error="invalid_token"'], token);
    }
  });

  test(`${version}: a token that was revoked or has expired cannot be replayed`, async (t) => {
    const revocations = new RevocationList();
    const time = { ms: Date.now() };
    const { bearer, verifier } = await tokens({ revocations, cache: true, clock: () => new Date(time.ms) });
    const { get } = await service(t, { auth: { verifier } });
    const [revoked, old] = [bearer(), bearer({ sub: 'bob' })];
    for (const headers of [revoked, old]) assert.equal((await get('/', headers)).status, 200);
    await revocations.revoke(verifier.verify(revoked.authorization.slice(7)));
    assert.equal((await get('/', revoked)).status, 401);
    assert.equal((await get('/', old)).status, 200);
    time.ms += 10 * MINUTE;
    assert.equal((await get('/', old)).status, 401);
  });

  test(`${version}: a forged X-Forwarded-For gives no other address, with and without a proxy`, async (t) => {
    for (const [trust, address] of [
      [undefined, ''],
      ['127.0.0.1', ', 192.0.2.1'],
    ]) {
      const { get } = await service(t, { limits: [{ limiter: limited(3) }], trust });
      const seen = [];
      for (const forged of ['10.0.0.1', '10.0.0.2', '"; drop', 'unknown', '10.0.0.3']) {
        seen.push((await get('/', { 'x-forwarded-for': `${forged}${address}` })).status);
      }
      assert.deepEqual(seen, [200, 200, 200, 429, 429], `${trust}`);
    }
  });

  test(`${version}: the addresses of one IPv6 network share a limit`, async (t) => {
    const { get } = await service(t, { limits: [{ limiter: limited(3) }], trust: '127.0.0.1' });
    const seen = [];
    for (let n = 0; n < 5; n += 1) {
      const forwarded = `2001:db8:0:${n}::${n}`;
      seen.push((await get('/', { 'x-forwarded-for': forwarded })).status);
    }
    assert.deepEqual(seen, [200, 200, 200, 429, 429]);
  });

  test(`${version}: a body that does not come in holds no place once its client is gone`, async (t) => {
    const limiter = new ConcurrencyLimiter({ max: 10 });
    const login = { throttle: new LoginThrottle(), account: (request) => request.body.account };
    const { port, get } = await service(t, { limits: [{ limiter }], login });
    const sockets = Array.from({ length: 10 }, () => {
      const socket = net.connect(port, '127.0.0.1');
      const head = 'POST /login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{';
      socket.write(head);
      return socket;
    });
    await until(() => limiter.stats().active === 10);
    assert.equal((await get()).status, 503);
    for (const socket of sockets) socket.destroy();
    await until(() => limiter.stats().active === 0);
    assert.equal((await get()).status, 200);
  });

  test(`${version}: a refusal does not wait for the body of its request`, async (t) => {
    const limiter = limited(1);
    limiter.consume('a');
    const { port } = await service(t, { limits: [{ limiter, key: () => 'a' }] });
    const socket = net.connect(port, '127.0.0.1');
    socket.write('POST /login HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n{');
    const [answer] = await new Promise((resolve) => {
      socket.once('data', (data) => resolve([data.toString('latin1')]));
    });
    socket.destroy();
    assert.match(answer, /^HTTP\/1\.1 429 /);
  });

  test(`${version}: nobody locks a user out from elsewhere`, async (t) => {
    const throttle = new LoginThrottle({ freeFailures: 2, jitter: 0, clock: () => new Date(0) });
    const login = { throttle, account: (request) => request.body.account };
    const { send } = await service(t, { login, trust: '127.0.0.1' });
    const attempt = async (status, address) => {
      const headers = { 'content-type': 'application/json', 'x-forwarded-for': address };
      const body = JSON.stringify({ account: 'ann', status });
      return (await send('/login', { method: 'POST', headers, body })).status;
    };
    assert.equal(await attempt(200, '192.0.2.7'), 200);
    const attacks = [];
    for (let n = 0; n < 10; n += 1) attacks.push(await attempt(401, '203.0.113.9'));
    assert.deepEqual([...new Set(attacks)], [401, 429]);
    assert.equal(await attempt(200, '192.0.2.7'), 200);
  });
}
