'use strict';

// Cookies and tokens that a session refuses, in each framework.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { JwtIssuer, JwtKey, JwtVerifier, RevocationList, Sessions } = require('@nodesec/native');
const { AT, Jar, RT, SERVICES, parsed, sessionParts } = require('../helpers/browser.js');
const { heard } = require('../helpers/heard.js');

const kindsOf = (events) => events.map(({ event, kind }) => (kind === undefined ? event : `${event} ${kind}`));

for (const [version, service] of Object.entries(SERVICES)) {
  test(`${version}: a refused token is verified once by a session and authentication, in one record`, async (t) => {
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
    const answer = await get('/me', { cookie: `${AT}=${accessToken}` });
    assert.deepEqual([answer.status, JSON.parse(answer.body).sub], [200, 'ann']);
    const { accessToken: ended, sessionId } = await sessions.start('bob');
    await sessions.end(sessionId);
    for (const token of ['x.y.z', ended]) {
      verifications = 0;
      const events = await heard(async () => {
        assert.equal((await get('/me', { cookie: `${AT}=${token}` })).status, 401);
      });
      assert.deepEqual([kindsOf(events), verifications], [['token.refused'], 1]);
    }
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
}
