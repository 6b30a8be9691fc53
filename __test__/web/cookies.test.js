'use strict';

// Sessions in cookies, in each framework: their login, their refresh and their logout.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { readFileSync } = require('node:fs');
const net = require('node:net');
const path = require('node:path');
const { test } = require('node:test');
const vm = require('node:vm');

const { JwtIssuer, JwtKey, JwtVerifier, RevocationList, SecretBuffer, Sessions, Store } = require('@nodesec/native');
const { AT, Jar, RT, SERVICES, parsed, sessionParts } = require('../helpers/browser.js');
const { storePath } = require('../helpers/store-service.js');

const DAY = 86_400;

for (const [version, service] of Object.entries(SERVICES)) {
  test(`${version}: a session begins, is asked for, goes on and ends in cookies`, async (t) => {
    const cookies = await sessionParts();
    const { send } = await service(t, { cookies, auth: { verifier: cookies.verifier, from: 'cookie' } });
    const jar = new Jar();
    const call = async (method, path) => {
      const answer = await send(path, { method, headers: jar.header(path) });
      jar.take(answer);
      return answer;
    };
    const subject = async () => JSON.parse((await call('GET', '/')).body).sub;
    assert.equal(await subject(), undefined);
    assert.equal((await call('GET', '/me')).status, 401);
    assert.equal((await call('POST', '/login')).status, 200);
    assert.equal(await subject(), 'ann');
    assert.equal((await call('GET', '/me')).status, 200);
    const first = [jar.value(AT), jar.value(RT)];
    const { status, headers, body } = await call('POST', '/auth/refresh');
    assert.deepEqual([status, body], [200, '{"expiresIn":600}']);
    assert.match(headers['content-type'], /^application\/json/);
    assert.equal(headers['cache-control'], 'no-store');
    assert.ok(jar.value(RT) !== first[1]);
    assert.equal(await subject(), 'ann');
    const { status: ended, headers: cleared, body: nothing } = await call('POST', '/auth/logout');
    assert.deepEqual([ended, nothing, cleared['cache-control']], [204, '', 'no-store']);
    assert.deepEqual([jar.value(AT), jar.value(RT)], [undefined, undefined]);
    // The cookies of another browser that has them, too.
    assert.deepEqual(JSON.parse((await send('/', { headers: { cookie: `${AT}=${first[0]}` } })).body).sub, undefined);
    assert.deepEqual(await cookies.sessions.list('ann'), []);
  });

  test(`${version}: cookies have the prefix, the path and the attributes of their kind`, async (t) => {
    const cookies = await sessionParts();
    const { send } = await service(t, { cookies, before: (req, res) => res.setHeader('Set-Cookie', 'other=1') });
    const { headers } = await send('/login', { method: 'POST' });
    // Fastify sets the fields of its reply in place of those of Node.
    const made = headers['set-cookie'].map(parsed).filter(({ name }) => name !== 'other');
    const common = { httponly: true, secure: true };
    assert.deepEqual(
      made.map(({ name, attributes }) => [name, attributes]),
      [
        [AT, { 'max-age': '600', path: '/', ...common, samesite: 'Lax' }],
        [RT, { 'max-age': made[1].attributes['max-age'], path: '/auth', ...common, samesite: 'Strict' }],
      ],
    );
    const left = Number(made[1].attributes['max-age']);
    assert.ok(left > 29 * DAY && left <= 30 * DAY, `${left}`);
    assert.equal(headers['cache-control'], 'no-store');
  });

  test(`${version}: no cookie, an empty one and garbage are a 401 of the refresh`, async (t) => {
    const { send } = await service(t, { cookies: await sessionParts() });
    const refresh = (cookie) =>
      send('/auth/refresh', { method: 'POST', headers: cookie === undefined ? {} : { cookie } });
    for (const cookie of [undefined, `${RT}=`, `${RT}=garbage`, `${RT}=\xff\xfe`, `x${RT}=a`, `${RT.toLowerCase()}=a`, `${RT} =a`]) {
      assert.equal((await refresh(cookie)).status, 401, cookie);
    }
  });

  test(`${version}: other methods than POST neither refresh nor log out`, async (t) => {
    const cookies = await sessionParts();
    const { send } = await service(t, { cookies });
    const jar = new Jar();
    jar.take(await send('/login', { method: 'POST' }));
    for (const path of ['/auth/refresh', '/auth/logout']) {
      for (const method of ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE']) {
        const answer = await send(path, { method, headers: jar.header(path) });
        assert.deepEqual([answer.status, answer.headers.allow, answer.body], [405, 'POST', '']);
        assert.equal(answer.headers['set-cookie'], undefined);
      }
    }
    assert.equal((await cookies.sessions.list('ann')).length, 1);
  });

  test(`${version}: the page of the guide refreshes once for all requests that wait, and two tabs do`, async (t) => {
    const guide = readFileSync(path.join(__dirname, '..', '..', 'docs', 'browser.md'), 'utf8');
    const [, code] = /```text\n(let refreshing;[^]*?)```/.exec(guide);
    const cookies = await sessionParts({ grace: 30 });
    const { send } = await service(t, { cookies, auth: { verifier: cookies.verifier, from: 'cookie' } });
    const jar = new Jar();
    jar.take(await send('/login', { method: 'POST' }));
    const { sid } = cookies.verifier.verify(jar.value(AT));
    const seen = [];
    const fetch = async (path, options) => {
      const answer = await send(path, { ...options, headers: jar.header(path) });
      jar.take(answer);
      seen.push(`${path} ${answer.status}`);
      return { status: answer.status, ok: answer.status < 300 };
    };
    // Locks of one browser: the next one begins when the last one is over.
    let last = Promise.resolve();
    const request = (name, fn) => (last = last.then(fn));
    const tab = () => vm.runInNewContext(`${code} api`, { fetch, navigator: { locks: { request } } });
    const [one, two] = [tab(), tab()];
    assert.equal((await one('/me')).status, 200);
    // The browser has dropped the access token when it expired.
    jar.take({ headers: { 'set-cookie': [`${AT}=; Max-Age=0; Path=/`] } });
    seen.length = 0;
    const answers = await Promise.all([one('/me'), one('/me'), two('/me')]);
    assert.deepEqual(answers.map(({ status }) => status), [200, 200, 200]);
    assert.equal(seen.filter((each) => each === '/auth/refresh 200').length, 2);
    await cookies.sessions.end(sid);
    assert.equal((await one('/me')).status, 401);
    assert.equal(jar.value(RT), undefined);
  });

  test(`${version}: a logout with the access token alone ends the session`, async (t) => {
    const cookies = await sessionParts();
    const { send } = await service(t, { cookies });
    const jar = new Jar();
    jar.take(await send('/login', { method: 'POST' }));
    const headers = { cookie: `${AT}=${jar.value(AT)}` };
    assert.equal((await send('/auth/logout', { method: 'POST', headers })).status, 204);
    assert.deepEqual(await cookies.sessions.list('ann'), []);
    assert.equal((await send('/auth/logout', { method: 'POST' })).status, 204);
  });

  test(`${version}: the answer waits for no body, which the session has no use for`, async (t) => {
    const { port } = await service(t, { cookies: await sessionParts() });
    for (const length of ['Content-Length: 1000000000', 'Transfer-Encoding: chunked']) {
      const client = net.connect(port, '127.0.0.1').setEncoding('latin1');
      client.write(`POST /auth/logout HTTP/1.1\r\nHost: a\r\n${length}\r\nContent-Type: text/html\r\n\r\n`);
      const [answer] = await once(client, 'data');
      client.destroy();
      assert.match(answer, /^HTTP\/1.1 204 /);
    }
  });

  test(`${version}: a form of any type and body logs out`, async (t) => {
    const cookies = await sessionParts();
    const { send } = await service(t, { cookies });
    for (const [type, body] of [
      ['application/x-www-form-urlencoded', 'a=b'],
      ['application/x-www-form-urlencoded', ''],
      ['multipart/form-data; boundary=x', '--x--'],
      ['text/plain', 'a'],
      ['text/html', 'a'.repeat(300_000)],
      ['\xff', 'a'],
      ['', 'a'],
    ]) {
      const jar = new Jar();
      jar.take(await send('/login', { method: 'POST' }));
      const headers = { ...jar.header('/auth/logout'), 'content-type': type };
      assert.equal((await send('/auth/logout', { method: 'POST', headers, body })).status, 204, type);
    }
  });

  test(`${version}: the protection's own options hold for the refresh and the logout`, async (t) => {
    const cookies = await sessionParts();
    const origin = 'https://app.example';
    const { send } = await service(t, { cookies, crossOrigin: { trustedOrigins: [origin] } });
    const jar = new Jar();
    jar.take(await send('/login', { method: 'POST' }));
    const headers = { ...jar.header('/auth/refresh'), origin, 'sec-fetch-site': 'same-site' };
    assert.equal((await send('/auth/refresh', { method: 'POST', headers })).status, 200);
  });

  test(`${version}: while the store cannot answer, the browser keeps its cookies`, async (t) => {
    const store = await Store.open(storePath(t), { key: SecretBuffer.random(32) });
    const revocations = new RevocationList({ store });
    const keys = await JwtKey.generate('HS256');
    const issuer = new JwtIssuer({ keys, expiresIn: '10m' });
    const verifier = new JwtVerifier({ keys, issuer: false, audience: false, revocations });
    const sessions = new Sessions({ issuer, revocations, store, refreshTtl: '30d' });
    const { send } = await service(t, { cookies: { sessions, verifier } });
    const jar = new Jar();
    jar.take(await send('/login', { method: 'POST' }));
    await store.close();
    for (const path of ['/auth/refresh', '/auth/logout', '/']) {
      const { cookie } = path === '/' ? jar.header('/') : { cookie: `${RT}=${jar.value(RT)}` };
      const { status, headers } = await send(path, { method: 'POST', headers: { cookie } });
      assert.deepEqual([status, headers['retry-after'], headers['set-cookie']], [503, '5', undefined], path);
    }
  });

  test(`${version}: clear has the browser forget both cookies`, async (t) => {
    const { send } = await service(t, { cookies: await sessionParts() });
    const jar = new Jar();
    jar.take(await send('/login', { method: 'POST' }));
    jar.take(await send('/clear', { method: 'POST', headers: jar.header('/clear') }));
    assert.deepEqual([jar.value(AT), jar.value(RT)], [undefined, undefined]);
  });
}
