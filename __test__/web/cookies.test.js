'use strict';

// Sessions in cookies, in each framework.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { readFileSync } = require('node:fs');
const net = require('node:net');
const path = require('node:path');
const { test } = require('node:test');
const { setImmediate: turn } = require('node:timers/promises');
const vm = require('node:vm');

const Fastify = require('fastify');

const { JwtIssuer, JwtKey, JwtVerifier, RevocationList, SecretBuffer, Sessions, Store } = require('@nodesec/native');
const { sessionCookies } = require('@nodesec/native/express');
const { authentication, cookies } = require('@nodesec/native/fastify');
const { declareAuthentication } = require('../../lib/web/authentication.js');
const { Jar, SERVICES, parsed, sessionParts } = require('../helpers/browser.js');
const { heard } = require('../helpers/heard.js');
const { coded } = require('../helpers/outcome.js');
const { storePath } = require('../helpers/store-service.js');

const DAY = 86_400;
const AT = '__Host-at';
const RT = '__Secure-rt';

/** A response of Node as far as `issue` uses it. */
const response = () => {
  const fields = new Map();
  return {
    fields,
    getHeader: (name) => fields.get(name),
    setHeader: (name, value) => void fields.set(name, value),
  };
};
const cookiesOf = (res) => Object.fromEntries(res.fields.get('Set-Cookie').map((field) => [parsed(field).name, parsed(field)]));
const kindsOf = (events) => events.map(({ event, kind }) => (kind === undefined ? event : `${event} ${kind}`));

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

  test(`${version}: a session and authentication verify the token of a request once`, async (t) => {
    const { sessions, verifier: own } = await sessionParts();
    let verifications = 0;
    const verifier = new (class {
      tryVerifyAsync(token) {
        verifications += 1;
        return own.tryVerifyAsync(token);
      }
    })();
    const { get } = await service(t, { cookies: { sessions, verifier }, auth: { verifier, from: 'cookie' } });
    const { accessToken } = await sessions.start('ann');
    for (let request = 1; request <= 3; request += 1) {
      const answer = await get('/me', { cookie: `${AT}=${accessToken}` });
      assert.deepEqual([answer.status, JSON.parse(answer.body).sub, verifications], [200, 'ann', request]);
    }
    const { accessToken: bound } = await sessions.start('ann', { cnf: { jkt: 'x' } });
    await sessions.endAll('bob');
    const { accessToken: ended, sessionId } = await sessions.start('bob');
    await sessions.end(sessionId);
    for (const [token, expected] of [
      ['x.y.z', ['token.refused']],
      [ended, ['token.refused']],
      [bound, ['request.refused token-bound']],
    ]) {
      const events = await heard(async () => {
        assert.equal((await get('/me', { cookie: `${AT}=${token}` })).status, 401);
      });
      assert.deepEqual(kindsOf(events), expected);
    }
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

  test(`${version}: a used refresh token ends the session, its cookies and the access token`, async (t) => {
    const cookies = await sessionParts();
    const { send } = await service(t, { cookies });
    const [jar, thief] = [new Jar(), new Jar()];
    const login = await send('/login', { method: 'POST' });
    jar.take(login);
    thief.take(login);
    const refresh = async (by) => {
      const answer = await send('/auth/refresh', { method: 'POST', headers: by.header('/auth/refresh') });
      by.take(answer);
      return answer;
    };
    assert.equal((await refresh(jar)).status, 200);
    let answer;
    const events = await heard(async () => (answer = await refresh(thief)));
    assert.deepEqual(kindsOf(events), ['session.reused']);
    assert.deepEqual([answer.status, answer.headers['www-authenticate']], [401, 'Bearer']);
    assert.deepEqual(
      answer.headers['set-cookie'].map(parsed).map(({ name, value, attributes }) => [name, value, attributes['max-age'], attributes.path]),
      [
        [AT, '', '0', '/'],
        [RT, '', '0', '/auth'],
      ],
    );
    assert.equal(JSON.parse((await send('/', { headers: jar.header('/') })).body).sub, undefined);
    assert.equal((await refresh(jar)).status, 401);
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

  test(`${version}: a doubled cookie is a 400 everywhere, with one record that holds no token`, async (t) => {
    const cookies = await sessionParts();
    const { send } = await service(t, { cookies });
    const jar = new Jar();
    jar.take(await send('/login', { method: 'POST' }));
    const [at, rt] = [jar.value(AT), jar.value(RT)];
    const cases = [
      ['/', `${AT}=${at}; ${AT}=evil`],
      ['/', `${AT}=evil; a=b; ${AT}=${at}`],
      ['/', [`${AT}=${at}`, `${AT}=${at}`]],
      ['/', `${AT}=${at}; ${AT}=`],
      ['/auth/refresh', `${RT}=${rt}; ${RT}=evil`],
      ['/auth/refresh', [`${RT}=evil`, `${RT}=${rt}`]],
      ['/auth/logout', `${RT}=${rt}; ${RT}=${rt}`],
      ['/', `${RT}=a;${RT}=b`],
    ];
    for (const [path, cookie] of cases) {
      let answer;
      const events = await heard(async () => (answer = await send(path, { method: 'POST', headers: { cookie } })));
      assert.equal(answer.status, 400, path);
      assert.deepEqual(kindsOf(events), ['request.refused cookie-repeated']);
      assert.ok(![at, rt, 'evil'].some((secret) => JSON.stringify(events).includes(secret)));
    }
    assert.equal((await cookies.sessions.list('ann')).length, 1);
  });

  test(`${version}: a subdomain cannot set a cookie that is read as one with the prefix`, async (t) => {
    const cookies = await sessionParts();
    const { send } = await service(t, { cookies, auth: { verifier: cookies.verifier, from: 'cookie' } });
    const { accessToken } = await cookies.sessions.start('mallory');
    // Browsers take each of these names for one without a prefix, and send the cookie.
    const names = [`\xa0${AT}`, `\xe2\x80\x80${AT}`, `\x85${AT}`, '__host-at', `$Version=1, ${AT}`, `"${AT}"`, `${AT}[]`, `a ${AT}`];
    for (const name of names) {
      const headers = { cookie: `${name}=${accessToken}` };
      assert.equal(JSON.parse((await send('/', { headers })).body).sub, undefined, JSON.stringify(name));
      assert.equal((await send('/me', { headers })).status, 401, JSON.stringify(name));
    }
    const { body } = await send('/', { headers: { cookie: `a=b;\t  ${AT}=${accessToken}; c` } });
    assert.equal(JSON.parse(body).sub, 'mallory');
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

  test(`${version}: a token that is refused is no obstacle to a page, a refresh and a logout`, async (t) => {
    const time = { ms: Date.now() };
    const clock = () => new Date(time.ms);
    const keys = await JwtKey.generate('HS256');
    const revocations = new RevocationList({ clock });
    const issuer = new JwtIssuer({ keys, expiresIn: '10m', clock });
    const verifier = new JwtVerifier({ keys, issuer: false, audience: false, revocations, clock });
    const sessions = new Sessions({ issuer, revocations, refreshTtl: '30d', clock });
    const { send } = await service(t, { cookies: { sessions, verifier }, auth: { verifier, from: 'cookie' } });
    const jar = new Jar();
    jar.take(await send('/login', { method: 'POST' }));
    time.ms += 3_600_000;
    assert.equal((await send('/', { headers: jar.header('/') })).status, 200);
    assert.equal((await send('/me', { headers: jar.header('/me') })).status, 401);
    const refreshed = await send('/auth/refresh', { method: 'POST', headers: jar.header('/auth/refresh') });
    assert.equal(refreshed.status, 200);
    jar.take(refreshed);
    assert.equal((await send('/me', { headers: jar.header('/me') })).status, 200);
    time.ms += 3_600_000;
    assert.equal((await send('/auth/logout', { method: 'POST', headers: jar.header('/auth/logout') })).status, 204);
    assert.deepEqual(await sessions.list('ann'), []);
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

  test(`${version}: a form logs out, whatever its type and body`, async (t) => {
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

  test(`${version}: the session of another site's page is neither refreshed nor ended`, async (t) => {
    const cookies = await sessionParts();
    for (const parts of [{ cookies }, { cookies, crossOrigin: {} }]) {
      const { send } = await service(t, parts);
      const jar = new Jar();
      jar.take(await send('/login', { method: 'POST' }));
      for (const path of ['/auth/refresh', '/auth/logout']) {
        for (const foreign of [{ 'sec-fetch-site': 'same-site' }, { origin: 'https://evil.example' }, { origin: 'null' }]) {
          let answer;
          const headers = { ...jar.header(path), ...foreign };
          const events = await heard(async () => (answer = await send(path, { method: 'POST', headers })));
          assert.equal(answer.status, 403);
          assert.deepEqual(kindsOf(events), ['request.refused cross-origin']);
          assert.equal(answer.headers['set-cookie'], undefined);
        }
      }
      assert.equal((await send('/auth/refresh', { method: 'POST', headers: jar.header('/auth/refresh') })).status, 200);
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

test('the options name the cookies, and issue keeps the cookies of others', async () => {
  const options = await sessionParts();
  const cookies = sessionCookies({ ...options, access: { name: 'at', sameSite: 'strict' }, refresh: { name: '__Host-rt', path: '/' } });
  const pair = await options.sessions.start('ann');
  const res = response();
  res.setHeader('Set-Cookie', 'at2=1');
  cookies.issue(res, pair);
  cookies.issue(res, pair);
  assert.equal(res.fields.get('Set-Cookie').length, 3);
  const { at, at2, '__Host-rt': rt } = cookiesOf(res);
  assert.deepEqual([at.value, at.attributes.samesite, at2.value], [pair.accessToken, 'Strict', '1']);
  assert.deepEqual([rt.value, rt.attributes.path], [pair.refreshToken, '/']);
});

test('no cookie lives longer than 400 days, and none shorter than no time', async () => {
  const time = { ms: Date.now() };
  const options = await sessionParts({ refreshTtl: 399 * DAY, clock: () => new Date(time.ms) });
  const cookies = sessionCookies(options);
  const pair = await options.sessions.start('ann');
  const ageOf = (given) => {
    const res = response();
    cookies.issue(res, given);
    return cookiesOf(res)[RT].attributes['max-age'];
  };
  assert.equal(ageOf(pair), `${399 * DAY}`);
  const refreshExpiresAt = new Date(time.ms + 401 * DAY * 1000);
  assert.equal(ageOf({ ...pair, refreshExpiresAt }), `${400 * DAY}`);
  time.ms += 400 * DAY * 1000;
  assert.equal(ageOf(pair), '0');
});

test('a token that no browser would keep, and other values than a pair, are refused', async () => {
  const options = await sessionParts();
  const cookies = sessionCookies(options);
  const pair = await options.sessions.start('ann', { text: 'x'.repeat(4000) });
  assert.throws(() => cookies.issue(response(), pair), coded('ERR_OUT_OF_RANGE'));
  const good = await options.sessions.start('ann');
  const bad = [
    undefined,
    null,
    'text',
    {},
    { ...good, accessToken: 42 },
    { ...good, refreshToken: 'a; Domain=example.com' },
    { ...good, accessToken: 'a\r\nSet-Cookie: b=c' },
    { ...good, expiresIn: NaN },
    { ...good, refreshExpiresAt: '2030-01-01' },
  ];
  for (const given of bad) assert.throws(() => cookies.issue(response(), given), coded('ERR_INVALID_ARG_TYPE'));
});

test('names and paths that browsers would refuse are refused when the cookies are made', async () => {
  const options = await sessionParts();
  for (const [more, code] of [
    [{ refresh: { name: '__Host-rt' } }, 'ERR_INVALID_ARG_VALUE'],
    [{ refresh: { name: '__hOsT-rt' } }, 'ERR_INVALID_ARG_VALUE'],
    [{ access: { name: 'a' }, refresh: { name: 'a' } }, 'ERR_INVALID_ARG_VALUE'],
    [{ refresh: { path: '/a; Domain=b' } }, 'ERR_INVALID_ARG_VALUE'],
    [{ refresh: { path: 'auth' } }, 'ERR_INVALID_ARG_VALUE'],
    [{ access: { name: 'a=b' } }, 'ERR_INVALID_ARG_VALUE'],
    [{ access: { sameSite: 'none' } }, 'ERR_INVALID_ARG_VALUE'],
    [{ access: { path: '/' } }, 'ERR_UNKNOWN_OPTION'],
  ]) {
    assert.throws(() => sessionCookies({ ...options, ...more }), coded(code), JSON.stringify(more));
  }
});

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

test('middleware verifies the token again after a wait, and with another verifier', async () => {
  const { sessions, verifier } = await sessionParts();
  const strict = new JwtVerifier({ keys: await JwtKey.generate('HS256'), issuer: false, audience: false });
  const checkOf = (own) => declareAuthentication('a test')({ verifier: own, from: 'cookie' });
  const { accessToken, sessionId } = await sessions.start('ann');
  const headers = { cookie: `${AT}=${accessToken}` };
  const raw = { headers, rawHeaders: ['cookie', headers.cookie], method: 'GET', url: '/' };
  const check = checkOf(verifier);
  assert.equal((await check(raw, raw, {})).claims.sub, 'ann');
  await assert.rejects(checkOf(strict)(raw, raw, {}), { status: 401 });
  await sessions.end(sessionId);
  await turn();
  await assert.rejects(check(raw, raw, {}), { status: 401 });
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
