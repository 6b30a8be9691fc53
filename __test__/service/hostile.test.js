'use strict';

// The example services over real HTTP: misuse and attacks.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { request } = require('node:http');
const test = require('node:test');
const { gzipSync } = require('node:zlib');

const { randomToken } = require('@nodesec/native');

const { EXAMPLES, start: startExample } = require('../helpers/auth-service.js');

const ADA = { username: 'ada', password: 'correct horse battery' };
const WRONG = { ...ADA, password: 'incorrect horse battery' };
const MB = 1 << 20;

const field = (name, value) => ({ body: { ...ADA, [name]: value } });
const raw = (body, headers) => ({ body, headers });

/** The errors of Fastify's parser that are others: it takes any JSON, but no `__proto__`. */
const IN_FASTIFY = {
  'a JSON string': 'invalid_request',
  'JSON null': 'invalid_request',
  'an empty body': 'malformed_request',
  'inherited fields': 'malformed_request',
};

/** Requests to /register and /login alike, each with the expected status and error. */
const BODIES = {
  nothing: [{}, 415, 'not_json'],
  'an empty body': [raw(''), 400, 'invalid_request'],
  'another type': [raw('username=ada', { 'Content-Type': 'text/plain' }), 415, 'not_json'],
  'a form': [
    raw('username=ada', { 'Content-Type': 'application/x-www-form-urlencoded' }),
    415,
    'not_json',
  ],
  'an unknown charset': [
    raw('{}', { 'Content-Type': 'application/json; charset=klingon' }),
    415,
    'unsupported_encoding',
  ],
  'a compressed body': [
    raw(gzipSync(JSON.stringify(ADA)), { 'Content-Encoding': 'gzip' }),
    415,
    'unsupported_encoding',
  ],
  'malformed JSON': [raw('{"username":"ada"'), 400, 'malformed_request'],
  'a JSON string': [raw('"ada"'), 400, 'malformed_request'],
  'JSON null': [raw('null'), 400, 'malformed_request'],
  'an array': [raw('["ada"]'), 400, 'invalid_request'],
  'no fields': [raw('{}'), 400, 'invalid_request'],
  'inherited fields': [raw(`{"__proto__":${JSON.stringify(ADA)}}`), 400, 'invalid_request'],
  'no username': [field('username'), 400, 'invalid_request'],
  'no password': [field('password'), 400, 'invalid_request'],
  'a numeric password': [field('password', 1234567890), 400, 'invalid_request'],
  'an object for a password': [field('password', { length: 20 }), 400, 'invalid_request'],
  'a short username': [field('username', 'al'), 400, 'invalid_request'],
  'a long username': [field('username', 'a'.repeat(33)), 400, 'invalid_request'],
  'an odd username': [field('username', 'ada lovelace'), 400, 'invalid_request'],
  'a Cyrillic username': [field('username', '\u0430da'), 400, 'invalid_request'],
  'a lone surrogate': [
    raw('{"username":"ada","password":"correct \\ud800 horse"}'),
    400,
    'invalid_request',
  ],
  'a long password': [field('password', 'a'.repeat(1025)), 400, 'invalid_request'],
  'a password that grows': [field('password', '\ufdfa'.repeat(50)), 400, 'invalid_request'],
  'a very long password': [field('password', 'a'.repeat(20_000)), 413, 'body_too_large'],
  'a body of 10 MB': [raw('a'.repeat(10 * MB)), 413, 'body_too_large'],
};

for (const example of EXAMPLES) {
  const isFastify = example === 'fastify-service';
  const start = (t, options) => startExample(t, { example, ...options });

  test(`${example}: bodies that cannot be used are refused with a 4xx`, async (t) => {
    const service = await start(t);
    for (const [what, [options, status, error]] of Object.entries(BODIES)) {
      for (const route of ['/register', '/login']) {
        const answer = await service.ask('POST', route, options);
        const expected = (isFastify && IN_FASTIFY[what]) || error;
        assert.deepEqual([answer.status, answer.body.error], [status, expected], `${what}: ${route}`);
      }
    }
    const short = await service.post('/register', { ...ADA, password: 'too short' });
    assert.deepEqual([short.status, short.body.error], [400, 'invalid_request']);
    assert.equal(service.log(), '', 'none of it is an error of the service');
    assert.equal((await service.post('/register', ADA)).status, 201, 'the limits were not spent');
  });

  test(`${example}: a body of 10 MB of no declared length is refused`, async (t) => {
    const service = await start(t);
    const headers = { 'Content-Type': 'application/json' };
    const sending = request(`${service.url}/login`, { method: 'POST', headers });
    for (let megabyte = 0; megabyte < 10; megabyte += 1) sending.write(Buffer.alloc(MB, 'a'));
    sending.end();
    const [answer] = await once(sending, 'response');
    answer.resume();
    assert.equal(answer.statusCode, 413);
    assert.equal(service.log(), '');
  });

  test(`${example}: tokens that are none are refused with a 401 or a 400`, async (t) => {
    const service = await start(t);
    await service.post('/register', ADA);
    const { accessToken, refreshToken } = await service.login(ADA);
    const [header, payload, signature] = accessToken.split('.');
    const none = Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url');

    const missing = await service.me();
    assert.deepEqual([missing.status, missing.body], [401, { error: 'missing_token' }]);
    assert.equal(missing.headers.get('www-authenticate'), 'Bearer');
    const basic = await service.ask('GET', '/me', { headers: { Authorization: 'Basic YTpi' } });
    assert.equal(basic.body.error, 'missing_token');
    const forged = [
      'x',
      '..',
      'a'.repeat(10_000),
      refreshToken,
      `${none}.${payload}.`,
      `${none}.${payload}.${signature}`,
      `${header}.${payload}.${randomToken(64)}`,
      `${header}.${payload}.${signature}.${signature}`,
    ];
    for (const token of forged) {
      for (const [method, route] of [
        ['GET', '/me'],
        ['POST', '/logout'],
        ['POST', '/logout-everywhere'],
      ]) {
        const answer = await service.ask(method, route, { token });
        assert.deepEqual([answer.status, answer.body], [401, { error: 'invalid_token' }], token);
        const challenge = answer.headers.get('www-authenticate');
        assert.equal(challenge, 'Bearer error="invalid_token"');
      }
    }

    for (const token of ['', 'x', accessToken, randomToken(53), refreshToken.toLowerCase()]) {
      const { status, body } = await service.refresh(token);
      assert.deepEqual([status, body], [401, { error: 'refresh_token_unknown' }], token);
    }
    for (const token of [undefined, null, 1, ['x'], 'a'.repeat(1025)]) {
      const { status, body } = await service.refresh(token);
      assert.deepEqual([status, body.error], [400, 'invalid_request'], `${token}`);
    }
    assert.equal((await service.me(accessToken)).status, 200);
    assert.equal((await service.refresh(refreshToken)).status, 200, 'none of it ended the session');
    assert.equal(service.log(), '');
  });

  test(`${example}: an unknown path is a 404, and a malformed request a 400`, async (t) => {
    const service = await start(t);
    for (const [method, route, status, error] of [
      ['GET', '/', 404, 'not_found'],
      ['GET', '/login', 404, 'not_found'],
      ['DELETE', '/me', 404, 'not_found'],
      isFastify ? ['GET', '/%E0%A4%A', 400, 'malformed_request'] : ['GET', '/%E0%A4%A', 404, 'not_found'],
      ['GET', '/../pepper', 404, 'not_found'],
    ]) {
      const answer = await service.ask(method, route);
      assert.deepEqual([answer.status, answer.body], [status, { error }], route);
      assert.equal(answer.headers.get('x-powered-by'), null);
    }
    assert.equal(service.log(), '');
  });

  test(`${example}: guesses at one account are limited, however they come`, async (t) => {
    const service = await start(t);
    await service.post('/register', ADA);
    await service.post('/register', { ...ADA, username: 'grace' });
    const guess = (_, index) =>
      service.post('/login', WRONG, { headers: { 'X-Forwarded-For': `192.0.2.${index}` } });
    const answers = await Promise.all(Array.from({ length: 8 }, guess));
    const statuses = answers.map(({ status }) => status).sort();
    assert.deepEqual(statuses, [401, 401, 401, 401, 401, 429, 429, 429]);

    const right = await service.post('/login', ADA);
    assert.deepEqual([right.status, right.body], [429, { error: 'rate_limited' }]);
    const seconds = Number(right.headers.get('retry-after'));
    assert.ok(Number.isInteger(seconds) && seconds > 0 && seconds <= 180, `${seconds}`);
    assert.equal((await service.post('/login', { ...ADA, username: 'ADA' })).status, 429);
    const grace = await service.post('/login', { ...ADA, username: 'grace' });
    assert.equal(grace.status, 200, 'another account is not concerned');
  });

  test(`${example}: a right password gives its attempt back, and the wrong ones stay spent`, async (t) => {
    const service = await start(t);
    await service.post('/register', ADA);
    for (const user of [WRONG, WRONG, WRONG, WRONG]) {
      assert.equal((await service.post('/login', user)).status, 401);
    }
    // One attempt is left, and none of these needs more.
    for (let login = 1; login <= 5; login += 1) {
      assert.equal((await service.post('/login', ADA)).status, 200, `login ${login}`);
    }
    assert.equal((await service.post('/login', WRONG)).status, 401);
    assert.equal((await service.post('/login', ADA)).status, 429);
  });

  test(`${example}: one client cannot try many accounts, nor send many requests`, async (t) => {
    const service = await start(t);
    const attempt = (_, index) => service.post('/login', { ...ADA, username: `user-${index}` });
    const attempts = await Promise.all(Array.from({ length: 30 }, attempt));
    const count = (answers, wanted) => answers.filter(({ status }) => status === wanted).length;
    // The limit restores one attempt every 3 seconds, and a slow machine may take that long.
    assert.ok(count(attempts, 401) >= 20 && count(attempts, 401) < 30);
    assert.equal(count(attempts, 401) + count(attempts, 429), 30);

    const flood = await Promise.all(Array.from({ length: 400 }, () => service.ask('GET', '/me')));
    assert.ok(count(flood, 401) >= 270 && count(flood, 429) > 0);
    assert.equal(count(flood, 401) + count(flood, 429), 400);
    const refused = flood.find(({ status }) => status === 429);
    assert.equal(refused.body.error, 'rate_limited');
    assert.equal(refused.headers.get('retry-after'), '1');
    assert.equal(service.log(), '');
  });

  test(`${example}: behind a proxy, a client is an IPv4 address or a /56 of IPv6, and forges none`, async (t) => {
    const service = await start(t, { proxies: 1 });
    await service.post('/register', ADA);
    const left = async (forwarded) => {
      const { headers } = await service.ask('GET', '/', { headers: { 'X-Forwarded-For': forwarded } });
      return Number(headers.get('ratelimit').match(/"hour";r=(\d+)/)[1]);
    };
    for (const [number, ip] of [
      [1, '192.0.2.1'],
      [2, '::ffff:192.0.2.1'],
      [3, '198.51.100.7, 192.0.2.1'],
      [1, '192.0.2.2'],
      [1, '2001:db8:1:2300::1'],
      [2, '2001:db8:1:23ff:ffff:ffff:ffff:ffff'],
      [1, '2001:db8:1:2400::'],
    ]) {
      assert.equal(await left(ip), 6000 - number, ip);
    }
    const guess = (ip) => service.post('/login', WRONG, { headers: { 'X-Forwarded-For': ip } });
    for (let n = 0; n < 5; n += 1) assert.equal((await guess(`2001:db8:9:100::${n}`)).status, 401);
    assert.equal((await guess('2001:db8:9:100::9')).status, 429);
    assert.equal((await guess('2001:db8:9:200::9')).status, 401);
  });
}
