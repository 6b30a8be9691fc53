'use strict';

// Callbacks that fail, and clients that are gone: no request gets in, and nothing is lost.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const net = require('node:net');
const { test } = require('node:test');
const { setTimeout: sleep } = require('node:timers/promises');
const vm = require('node:vm');

const { ConcurrencyLimiter, RateLimiter } = require('@nodesec/native');
const { correlationId } = require('@nodesec/native/audit');
const { FRAMEWORKS } = require('../helpers/frameworks.js');
const { tokens, until } = require('../helpers/web.js');

/** Values that Express takes for no error, or for the name of another handler. */
const THROWN = [undefined, null, false, 0, '', 'route', 'router', Symbol('s')];
const limiter = () => new RateLimiter({ limit: 1, windowMs: 60_000 });

for (const [framework, start] of Object.entries(FRAMEWORKS)) {
  test(`${framework}: a callback that rejects with any reason lets nobody in`, async (t) => {
    const { bearer, verifier } = await tokens();
    const bound = bearer({ cnf: { 'x5t#S256': 'A'.repeat(43) } });
    for (const thrown of THROWN) {
      const fails = () => Promise.reject(thrown);
      for (const parts of [
        { auth: { verifier, getCertificate: fails } },
        { limits: [{ limiter: limiter(), key: fails }] },
        { limits: [{ limiter: limiter(), skip: fails }] },
        { limits: [{ limiter: limiter(), cost: fails }] },
      ]) {
        const { get } = await start(t, { ...parts, handle: () => 'inside' });
        const { status, body } = await get('/', bound);
        assert.equal(status, 500, String(thrown));
        assert.doesNotMatch(body, /inside/);
      }
    }
  });

  test(`${framework}: a refund that fails with any reason is a warning`, async (t) => {
    const foreign = vm.runInNewContext('new Error("of another realm")');
    for (const thrown of [undefined, null, { code: 'X' }, foreign, Symbol('s'), 'text']) {
      const refundOn = () => Promise.reject(thrown);
      const { get } = await start(t, { limits: [{ limiter: limiter(), refundOn }] });
      const warned = once(process, 'warning');
      assert.equal((await get('/')).status, 200);
      const [{ message }] = await warned;
      assert.match(message, /callback failed|^text$/);
    }
  });

  test(`${framework}: refunds have the ids of their requests, also if the client of several hangs up`, async (t) => {
    const seen = [];
    const refundOn = (request) => void seen.push([request.headers['x-request-id'], correlationId()]);
    let count = 0;
    const handle = () => {
      count += 1;
      return new Promise(() => {});
    };
    const limits = [{ limiter: new RateLimiter({ limit: 9, windowMs: 60_000 }), refundOn }];
    const { port } = await start(t, { audit: {}, limits, handle });
    const client = net.connect(port, '127.0.0.1');
    await once(client, 'connect');
    const names = ['first', 'second', 'third'];
    client.write(names.map((name) => `GET / HTTP/1.1\r\nHost: a\r\nX-Request-Id: ${name}\r\n\r\n`).join(''));
    await until(() => count === names.length);
    client.destroy();
    await until(() => seen.length === names.length);
    assert.deepEqual(seen.sort(), names.map((name) => [name, name]));
  });

  test(`${framework}: a client that sends many requests at once and hangs up keeps no place`, async (t) => {
    const places = new ConcurrencyLimiter({ max: 50 });
    const answers = [];
    const handle = () =>
      new Promise((resolve) => {
        answers.push(resolve);
      });
    const { port, get } = await start(t, { limits: [{ limiter: places }], handle });
    const client = net.connect(port, '127.0.0.1');
    await once(client, 'connect');
    client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(20));
    while (places.stats().active < 20) await sleep(5);
    client.destroy();
    while (places.stats().active > 0) await sleep(5);
    for (const answer of answers) answer('late');
    await sleep(5);
    assert.equal(places.stats().active, 0);
    const after = get('/');
    while (answers.length < 21) await sleep(5);
    answers[20]('in time');
    assert.equal((await after).status, 200);
  });
}
