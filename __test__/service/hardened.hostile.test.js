'use strict';

// Requests of other sites and of thieves, to examples/hardened-service: each is refused with its
// status, and leaves one record that names its kind and has no secret in it.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { before, describe, test } = require('node:test');
const tls = require('node:tls');

const { JwtIssuer, JwtKey } = require('@nodesec/native');
const { ISSUER } = require('../../examples/hardened-service/names.js');
const { FRAMEWORKS, browserAt, eventsOf, refusals, startForSuite } = require('../helpers/hardened.js');

const ADA = { username: 'ada', password: 'correct horse battery' };
const EVIL = 'https://evil.example';

/** Requests of pages of other origins. The browser sends the user's cookies with none of them. */
const FOREIGN = {
  'a form of another site': { headers: { 'sec-fetch-site': 'cross-site', origin: EVIL } },
  'a form of another site, without Sec-Fetch-Site': {
    headers: { 'sec-fetch-site': undefined, origin: EVIL },
  },
  'a fetch of a subdomain': {
    headers: { 'sec-fetch-site': 'same-site', origin: 'https://blog.localhost' },
  },
  'another port of the same host': {
    headers: { 'sec-fetch-site': 'same-site', origin: 'https://localhost:1' },
  },
  'a sandboxed frame': { headers: { 'sec-fetch-site': undefined, origin: 'null' } },
  'a sandboxed frame, as newer browsers tell it': {
    headers: { 'sec-fetch-site': 'cross-site', origin: 'null' },
  },
  'no browser': { headers: { 'sec-fetch-site': undefined } },
};

for (const framework of FRAMEWORKS) {
  describe(`a hostile client, in ${framework}`, () => {
    const suite = startForSuite(framework, { accessTtl: '5m' });
    let services;
    let ada;
    /** All secrets that were in a request: none may be in a record. */
    const secrets = new Set([ADA.password]);

    before(async () => {
      ({ services } = suite);
      ada = browserAt(services);
      assert.equal((await ada.post('/api/register', ADA)).status, 201);
      assert.equal((await ada.post('/api/login', ADA)).status, 200);
      for (const { value } of ada.cookies.values()) secrets.add(value);
    });

    const refused = refusals(() => services.accounts, secrets);
    const requestRefused = (kind) => ({ event: 'request.refused', kind });

    test('requests of other origins are refused on every route', async () => {
      for (const route of ['/api/login', '/api/logout-everywhere', '/auth/refresh', '/auth/logout']) {
        for (const [name, options] of Object.entries(FOREIGN)) {
          const all = { ...options, body: ADA };
          const { origin } = await refused(403, requestRefused('cross-origin'), () => {
            return ada.ask('POST', route, all);
          });
          if (options.headers.origin === EVIL) assert.equal(origin, EVIL, name);
        }
      }
      assert.equal((await ada.ask('GET', '/api/me')).status, 200);
    });

    test('a form is no JSON', async () => {
      const headers = { 'content-type': 'text/plain' };
      const answer = await ada.ask('POST', '/api/login', { headers, raw: JSON.stringify(ADA) });
      assert.equal(answer.status, 415);
    });

    test('a cookie that comes twice is refused, in whichever order', async () => {
      const { value } = ada.cookies.get('__Host-at');
      for (const cookie of [`__Host-at=tossed; __Host-at=${value}`, `__Host-at=${value}; __Host-at=`]) {
        await refused(400, requestRefused('cookie-repeated'), () => {
          return ada.ask('GET', '/api/me', { cookie });
        });
      }
      const { value: token } = ada.cookies.get('__Secure-rt');
      for (const cookie of [`__Secure-rt=tossed; __Secure-rt=${token}`, `__Secure-rt=${token}; __Secure-rt=${token}`]) {
        await refused(400, requestRefused('cookie-repeated'), () => {
          return ada.post('/auth/refresh', undefined, { cookie });
        });
      }
    });

    test('a cookie whose name only looks like that of the token is none', async () => {
      const { value } = ada.cookies.get('__Host-at');
      for (const name of ['__host-at', '__HOST-AT', 'at', '\u2000__Host-at']) {
        const cookie = Buffer.from(`${name}=${value}`).toString('latin1');
        assert.equal((await ada.ask('GET', '/api/me', { cookie })).status, 401);
      }
    });

    test('a header that comes twice is refused', async () => {
      for (const headers of [
        { origin: [services.url, EVIL] },
        { 'sec-fetch-site': ['same-origin', 'same-origin'] },
      ]) {
        await refused(400, requestRefused('header-repeated'), () => {
          return ada.post('/auth/refresh', undefined, { headers });
        });
      }
    });

    test('a token in two places is refused', async () => {
      const { value } = ada.cookies.get('__Host-at');
      await refused(400, requestRefused('credentials-repeated'), () => {
        return ada.ask('GET', `/api/me?access_token=${value}`);
      });
    });

    test('a forged token is refused', async () => {
      const keys = await JwtKey.generate('EdDSA');
      const names = { issuer: ISSUER, audience: ISSUER, typ: 'at+jwt', expiresIn: '5m' };
      const forged = new JwtIssuer({ ...names, keys }).sign({ sub: 'ada', sid: 'x' });
      secrets.add(forged);
      const expected = { event: 'token.refused', code: 'ERR_JWT_KEY_NOT_FOUND' };
      await refused(401, expected, () => ada.ask('GET', '/api/me', { cookie: `__Host-at=${forged}` }));
    });

    test('a refresh token is no access token', async () => {
      const { value } = ada.cookies.get('__Secure-rt');
      const expected = { event: 'token.refused', code: 'ERR_JWT_MALFORMED' };
      await refused(401, expected, () => ada.ask('GET', '/api/me', { cookie: `__Host-at=${value}` }));
    });

    test('a request that splits headers is refused by the parser', async () => {
      for (const [lines, code] of [
        [['X-Request-Id: a\rb'], 'HPE_LF_EXPECTED'],
        [['X-Request-Id: a\nSet-Cookie: __Host-at=x'], 'HPE_CR_EXPECTED'],
        [['X-Request-Id: a\0b'], 'HPE_INVALID_HEADER_TOKEN'],
        [['Content-Length: 5', 'Content-Length: 6'], 'HPE_UNEXPECTED_CONTENT_LENGTH'],
        [['Content-Length: 5', 'Transfer-Encoding: chunked'], 'HPE_INVALID_TRANSFER_ENCODING'],
        [[`X: ${'x'.repeat(10_000)}`], 'HPE_HEADER_OVERFLOW'],
      ]) {
        const status = code === 'HPE_HEADER_OVERFLOW' ? 431 : 400;
        const event = await refused(status, { event: 'request.malformed' }, () => raw(services, lines));
        assert.equal(event.code, code);
      }
    });

    test('a stolen access token ends with its session', async () => {
      const thief = browserAt(services);
      assert.equal((await ada.post('/api/login', ADA)).status, 200);
      const { value } = ada.cookies.get('__Host-at');
      secrets.add(value);
      assert.equal((await ada.post('/auth/logout')).status, 204);
      const expected = { event: 'token.refused', code: 'ERR_JWT_REVOKED' };
      const { subject } = await refused(401, expected, () => {
        return thief.ask('GET', '/api/me', { cookie: `__Host-at=${value}` });
      });
      assert.match(subject, /^[\w-]{22}$/);
    });

    test('a used refresh token ends the session', async () => {
      assert.equal((await ada.post('/api/login', ADA)).status, 200);
      const { value: stolen } = ada.cookies.get('__Secure-rt');
      assert.equal((await ada.post('/auth/refresh')).status, 200);
      for (const { value } of ada.cookies.values()) secrets.add(value);
      await refused(401, { event: 'session.reused' }, () => {
        return browserAt(services).post('/auth/refresh', undefined, { cookie: `__Secure-rt=${stolen}` });
      });
      const { value: access } = ada.cookies.get('__Host-at');
      await refused(401, { event: 'token.refused', code: 'ERR_JWT_REVOKED' }, () => {
        return ada.ask('GET', '/api/me', { cookie: `__Host-at=${access}` });
      });
    });

    test('guesses at a password are slowed down', async () => {
      const guess = () => ada.post('/api/login', { ...ADA, password: 'a wrong guess' }, { cookie: '' });
      for (let count = 0; count < 5; count += 1) {
        await refused(401, { event: 'password.refused' }, guess);
      }
      await refused(429, { event: 'limit.denied' }, guess);
    });

    test('no log of a service has a secret', () => {
      for (const service of [services.accounts, services.trail]) {
        const text = JSON.stringify(eventsOf(service)) + service.errors();
        for (const secret of secrets) assert.ok(!text.includes(secret));
      }
    });
  });
}

/** Sends a request with these lines as they are. */
async function raw({ authority, url }, lines) {
  const { port } = new URL(url);
  const socket = tls.connect({ ca: authority.bundle, host: '127.0.0.1', port, servername: 'localhost' });
  await once(socket, 'secureConnect');
  socket.setEncoding('latin1');
  const head = ['POST /auth/refresh HTTP/1.1', `Host: localhost:${port}`, ...lines];
  socket.write(`${head.join('\r\n')}\r\n\r\n`, 'latin1');
  let text = '';
  for await (const chunk of socket) text += chunk;
  return { body: text, status: Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1]) };
}
