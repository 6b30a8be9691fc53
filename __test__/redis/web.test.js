'use strict';

// Express and Fastify with limits and sessions over Redis.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { RedisRateLimiter } = require('@nodesec/native/redis');
const { Jar, SERVICES } = require('../helpers/browser.js');
const { FRAMEWORKS } = require('../helpers/frameworks.js');
const { CLIENTS } = require('../helpers/redis-clients.js');
const { RedisServer, until } = require('../helpers/redis-server.js');
const { makeSessions } = require('../helpers/redis-sessions.js');

const HOUR = 3_600_000;

for (const [name, start] of Object.entries(FRAMEWORKS)) {
  test(`${name}: two services share a limit, and refunds reach the server`, async (t) => {
    const server = await RedisServer.start(t);
    if (server === undefined) return;
    const services = [];
    for (const kind of ['ioredis 6', 'redis 6']) {
      const client = await CLIENTS[kind](t, server);
      const limiter = new RedisRateLimiter({ client, limit: 2, windowMs: HOUR, deadlineMs: 10_000 });
      const refundOn = (request) => request.headers.free === 'yes';
      services.push({ limiter, ...(await start(t, { limits: [{ limiter, key: () => 'client', refundOn }] })) });
    }
    const [one, two] = services;
    const free = await one.get('/', { free: 'yes' });
    assert.equal(free.status, 200);
    await until(async () => (await two.limiter.peek('client')).remaining === 2);
    const answers = [await one.get('/'), await two.get('/'), await one.get('/'), await two.get('/')];
    assert.deepEqual(answers.map(({ status }) => status), [200, 200, 429, 429]);
    assert.match(answers[1].headers.ratelimit, /^"default";r=0;t=\d+$/);
    assert.ok(Number(answers[2].headers['retry-after']) > 0);
    assert.equal(JSON.parse(answers[3].body).type, 'https://iana.org/assignments/http-problem-types#quota-exceeded');
  });

  test(`${name}: without a server requests are decided as configured, and a denial is 503`, async (t) => {
    const client = { send: () => Promise.reject(new Error('away')) };
    for (const [onStoreError, statuses] of [
      ['local', [200, 429]],
      ['allow', [200, 200]],
      ['deny', [503, 503]],
    ]) {
      const limiter = new RedisRateLimiter({ client, limit: 1, windowMs: HOUR, onStoreError, prefix: onStoreError });
      const { get } = await start(t, { limits: [{ limiter, key: () => 'client' }] });
      const answers = [await get('/'), await get('/')];
      assert.deepEqual(answers.map(({ status }) => status), statuses, onStoreError);
      if (onStoreError === 'deny') assert.equal(answers[0].headers['retry-after'], '1');
    }
  });
}

for (const [name, start] of Object.entries(SERVICES)) {
  test(`${name}: a session in cookies goes on at another service, and an outage is 503`, async (t) => {
    const server = await RedisServer.start(t);
    if (server === undefined) return;
    const services = [];
    for (const kind of ['ioredis 6', 'redis 6']) {
      const { sessions, verifier } = makeSessions(await CLIENTS[kind](t, server));
      services.push(await start(t, { cookies: { sessions, verifier } }));
    }
    const [one, two] = services;
    const jar = new Jar();
    const post = async ({ send }, path) => {
      const answer = await send(path, { method: 'POST', headers: jar.header(path) });
      jar.take(answer);
      return answer;
    };
    assert.equal((await post(one, '/login')).status, 200);
    assert.equal((await post(two, '/auth/refresh')).status, 200);
    server.cli('client', 'pause', '100000', 'ALL');
    const { status, headers } = await post(one, '/auth/refresh');
    assert.equal(status, 503);
    assert.ok(Number(headers['retry-after']) > 0);
    // The browser has its cookies, and comes again.
    await server.kill();
    await server.run();
    await until(async () => (await post(one, '/auth/refresh')).status === 401);
  });
}
