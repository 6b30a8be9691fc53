'use strict';

// Requests that pages of other origins have a browser send, in each framework.

const assert = require('node:assert/strict');
const http = require('node:http');
const http2 = require('node:http2');
const net = require('node:net');
const { test } = require('node:test');

const Fastify = require('fastify');

const { crossOriginProtection } = require('@nodesec/native/express');
const { crossOrigin } = require('@nodesec/native/fastify');
const { SERVICES } = require('../helpers/browser.js');
const { serveFastify } = require('../helpers/frameworks.js');
const { heard } = require('../helpers/heard.js');
const { coded } = require('../helpers/outcome.js');
const { serve } = require('../helpers/web.js');

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const kindsOf = (events) => events.map(({ event, kind, origin }) => [event, kind, origin]);
/** The member `cause` is for the application, and never sent. */
const CROSS = (origin) => [['request.refused', 'cross-origin', origin]];

for (const [version, service] of Object.entries(SERVICES)) {
  /** Sends a form with these headers: `{ status, body, events }`. */
  const post = async (send, headers, path = '/') => {
    let answer;
    const events = await heard(async () => {
      answer = await send(path, { method: 'POST', headers: { ...FORM, ...headers }, body: 'a=b' });
    });
    return { ...answer, events: kindsOf(events) };
  };

  test(`${version}: a form or a fetch of another site is a 403 with one record`, async (t) => {
    const { send, port } = await service(t, { crossOrigin: {} });
    const host = `127.0.0.1:${port}`;
    const cases = [
      [{ 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }, 'https://evil.example'],
      [{ 'sec-fetch-site': 'cross-site', origin: 'null' }, undefined],
      [{ 'sec-fetch-site': 'cross-site' }, undefined],
      // A subdomain, or another port of the host.
      [{ 'sec-fetch-site': 'same-site', origin: `http://${host}` }, `http://${host}`],
      [{ 'sec-fetch-site': 'made-up' }, undefined],
      [{ 'sec-fetch-site': 'same-origin, cross-site' }, undefined],
      [{ 'sec-fetch-site': '' }, undefined],
      [{ 'sec-fetch-site': 'Same-Origin' }, undefined],
      // Browsers before 2023, and addresses without TLS.
      [{ origin: 'https://evil.example' }, 'https://evil.example'],
      [{ origin: 'null' }, undefined],
      [{ origin: '' }, undefined],
      [{ origin: 'http://127.0.0.1' }, 'http://127.0.0.1'],
      [{ origin: `http://${host}.evil.example` }, undefined],
      [{ origin: `http://evil.example?${host}` }, undefined],
      [{ origin: `http://evil.example/@${host}` }, undefined],
      [{ origin: `http://evil.example@${host}` }, undefined],
      [{ origin: `http://${host}, http://evil.example` }, undefined],
      [{ origin: `http://${host} ` }, undefined, 200],
      [{ origin: `ws://${host}` }, undefined],
      [{ origin: `http://${'a'.repeat(1000)}` }, undefined],
    ];
    for (const [headers, origin, expected = 403] of cases) {
      const { status, events, body } = await post(send, headers);
      assert.equal(status, expected, JSON.stringify(headers));
      assert.deepEqual(events, expected === 403 ? CROSS(origin) : [], JSON.stringify(headers));
      assert.ok(!body.includes('trustedOrigins'), body);
    }
  });

  test(`${version}: an own page, a person and a program pass`, async (t) => {
    const { send, port } = await service(t, { crossOrigin: {} });
    const cases = [
      {},
      { 'sec-fetch-site': 'same-origin', origin: `http://127.0.0.1:${port}` },
      // The policy no-referrer, which helmet sets, has browsers hide the origin of own forms.
      { 'sec-fetch-site': 'same-origin', origin: 'null' },
      { 'sec-fetch-site': 'none' },
      { origin: `http://127.0.0.1:${port}` },
      { origin: `https://127.0.0.1:${port}` },
      { origin: 'http://own.example', host: 'own.example' },
      { origin: 'http://own.example', host: 'OWN.example:80' },
      { origin: 'https://own.example', host: 'own.example:443' },
      { origin: 'https://own.example:8443', host: 'own.example:8443' },
      { origin: 'http://[::1]:8080', host: '[::1]:8080' },
    ];
    for (const headers of cases) {
      const { status, events } = await post(send, headers);
      assert.deepEqual([status, events], [200, []], JSON.stringify(headers));
    }
    for (const headers of [
      { origin: 'http://own.example:443', host: 'own.example' },
      { origin: 'https://own.example', host: 'own.example:80' },
      { origin: 'http://own.example', host: 'own.example:8080' },
      { origin: 'http://own.example:8080', host: 'own.example' },
      { origin: 'http://own.example', host: 'x@own.example' },
      { origin: 'http://own.example', host: 'own.example/' },
    ]) {
      assert.equal((await post(send, headers)).status, 403, JSON.stringify(headers));
    }
  });

  test(`${version}: methods that change nothing pass from anywhere, and no other method`, async (t) => {
    const { send } = await service(t, { crossOrigin: {} });
    const headers = { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' };
    const statuses = {};
    for (const method of ['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'DELETE']) {
      statuses[method] = (await send('/', { method, headers })).status;
    }
    assert.deepEqual(statuses, { GET: 200, HEAD: 200, OPTIONS: 200, POST: 403, PUT: 403, DELETE: 403 });
  });

  test(`${version}: exact trusted origins pass, and none beside them`, async (t) => {
    const trustedOrigins = ['https://app.example', 'capacitor://localhost'];
    const { send } = await service(t, { crossOrigin: { trustedOrigins } });
    for (const origin of trustedOrigins) {
      for (const site of [{}, { 'sec-fetch-site': 'cross-site' }]) {
        assert.equal((await post(send, { origin, ...site })).status, 200);
      }
    }
    for (const origin of ['http://app.example', 'https://app.example:8443', 'https://app.example.evil.example', 'https://www.app.example', 'https://APP.example', 'null']) {
      assert.equal((await post(send, { origin, 'sec-fetch-site': 'cross-site' })).status, 403, origin);
    }
  });

  test(`${version}: with strict, a request without either header is refused`, async (t) => {
    const { send, port } = await service(t, { crossOrigin: { strict: true } });
    assert.deepEqual((await post(send, {})).events, CROSS(undefined));
    assert.equal((await post(send, { 'sec-fetch-site': 'same-origin' })).status, 200);
    assert.equal((await post(send, { origin: `http://127.0.0.1:${port}` })).status, 200);
    assert.equal((await send('/', {})).status, 200);
  });

  test(`${version}: bypass lets pass with true alone, and is asked about refusals alone`, async (t) => {
    const asked = [];
    const answers = [true, false, 'yes', Promise.resolve(true), Promise.resolve(false), undefined];
    const bypass = (request) => {
      asked.push(request.url);
      if (answers.length === 0) throw new Error('of the application');
      return answers.shift();
    };
    const { send } = await service(t, { crossOrigin: { bypass } });
    const foreign = { origin: 'https://evil.example' };
    const statuses = [];
    for (let n = 0; n < 6; n += 1) statuses.push((await post(send, foreign)).status);
    assert.deepEqual(statuses, [200, 403, 403, 200, 403, 403]);
    assert.equal((await post(send, {})).status, 200);
    assert.equal(asked.length, 6);
    assert.equal((await post(send, foreign)).status, 500);
  });

  test(`${version}: a doubled header that decides is a 400 with one record`, async (t) => {
    const { raw } = await service(t, { crossOrigin: {} });
    const own = 'Host: own.example\r\n';
    for (const lines of [
      `${own}Origin: http://own.example\r\nOrigin: http://own.example\r\n`,
      `${own}Origin: http://evil.example\r\norigin: http://own.example\r\n`,
      `${own}Sec-Fetch-Site: same-origin\r\nSec-Fetch-Site: cross-site\r\n`,
      `${own}Host: evil.example\r\nOrigin: http://own.example\r\n`,
    ]) {
      let text;
      const events = await heard(async () => {
        text = await raw(`POST / HTTP/1.1\r\n${lines}Content-Length: 0\r\nConnection: close\r\n\r\n`);
      });
      assert.match(text, /^HTTP\/1\.1 400 /, lines);
      assert.deepEqual(kindsOf(events), [['request.refused', 'header-repeated', undefined]], lines);
    }
  });

  test(`${version}: X-Forwarded-Host counts from a trusted proxy alone, and only one`, async (t) => {
    const forwarded = { 'x-forwarded-host': 'own.example', origin: 'https://own.example' };
    for (const [trust, headers, status] of [
      [undefined, forwarded, 403],
      ['192.0.2.1', forwarded, 403],
      ['127.0.0.1', forwarded, 200],
      ['127.0.0.1', { ...forwarded, origin: 'https://own.example:444' }, 403],
      ['127.0.0.1', { ...forwarded, 'x-forwarded-host': 'own.example:443' }, 200],
      ['127.0.0.1', { ...forwarded, 'x-forwarded-host': 'own.example, own.example' }, 403],
      ['127.0.0.1', { ...forwarded, 'x-forwarded-host': ['evil.example', 'own.example'] }, 403],
      ['127.0.0.1', { ...forwarded, 'x-forwarded-host': 'evil.example' }, 403],
      // The proxy has changed the host, which is not that of the client.
      ['127.0.0.1', { 'x-forwarded-host': 'other.example', origin: 'https://own.example', host: 'own.example' }, 403],
      [undefined, { 'x-forwarded-host': 'evil.example', origin: 'https://own.example', host: 'own.example' }, 200],
      [undefined, { 'x-forwarded-host': 'evil.example', origin: 'https://evil.example', host: 'own.example' }, 403],
    ]) {
      const { send } = await service(t, { crossOrigin: {}, trust });
      assert.equal((await post(send, headers)).status, status, JSON.stringify([trust, headers]));
    }
  });

  test(`${version}: without a Host there is no origin that fits`, async (t) => {
    const { raw } = await service(t, { crossOrigin: {} });
    const ask = (headers) => raw(`POST / HTTP/1.0\r\n${headers}Content-Length: 0\r\n\r\n`);
    assert.match(await ask('Origin: http://own.example\r\n'), /^HTTP\/1\.1 403 /);
    assert.match(await ask(''), /^HTTP\/1\.1 200 /);
  });
}

/** A session of HTTP/2 in the clear: sends a request, and resolves to its status. */
async function overHttp2(t, server) {
  const { port } = await serve(t, undefined, server);
  const session = http2.connect(`http://127.0.0.1:${port}`);
  t.after(() => session.close());
  return (headers) =>
    new Promise((resolve, reject) => {
      const stream = session.request({ ':path': '/', ':method': 'POST', ...headers });
      stream.on('error', reject);
      stream.on('response', (answer) => resolve(answer[':status']));
      stream.resume();
      stream.end();
    });
}

const HTTP2 = {
  async Express(t) {
    const protect = crossOriginProtection();
    const server = http2.createServer((req, res) => {
      protect(req, res, (error) => {
        res.statusCode = error?.status ?? 200;
        res.end();
      });
    });
    return overHttp2(t, server);
  },
  async Fastify(t) {
    const app = Fastify({ http2: true });
    await app.register(crossOrigin);
    app.post('/', async () => 'in');
    await app.ready();
    const post = await overHttp2(t, app.server);
    // Afterwards, because Fastify waits a minute for a session that is open.
    t.after(() => app.close());
    return post;
  },
};

for (const [name, start] of Object.entries(HTTP2)) {
  test(`${name}: in HTTP/2 the host is :authority, and another Host beside it is a 400`, async (t) => {
    const post = await start(t);
    const authority = { ':authority': 'own.example' };
    assert.equal(await post({ ...authority, origin: 'https://own.example' }), 200);
    assert.equal(await post({ ...authority, origin: 'https://evil.example' }), 403);
    assert.equal(await post({ ...authority, origin: 'https://own.example:8443' }), 403);
    assert.equal(await post({ ...authority, host: 'evil.example', origin: 'https://evil.example' }), 400);
    assert.equal(await post({ ...authority, host: 'own.example', origin: 'https://own.example' }), 200);
    assert.equal(await post({ host: 'own.example', origin: 'https://own.example' }), 200);
  });
}

/** Asks for an upgrade. Resolves to the first line of the answer. */
function upgrade(port, headers) {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, '127.0.0.1', () => {
      const lines = { Host: `127.0.0.1:${port}`, Connection: 'Upgrade', Upgrade: 'websocket', ...headers };
      const text = Object.entries(lines).map(([name, value]) => `${name}: ${value}\r\n`);
      socket.write(`GET / HTTP/1.1\r\n${text.join('')}\r\n`);
    });
    socket.on('error', reject);
    socket.once('data', (data) => {
      socket.destroy();
      resolve(data.toString('latin1').split('\r\n')[0]);
    });
  });
}

const UPGRADES = {
  /** As the guide has it for a server of WebSockets beside Express. */
  async Express(t) {
    const protect = crossOriginProtection();
    const server = http.createServer((req, res) => res.end());
    server.on('upgrade', (req, socket) => {
      protect(req, undefined, (error) => {
        socket.end(`HTTP/1.1 ${error === undefined ? '101 Switching Protocols' : `${error.status} ${error.message}`}\r\n\r\n`);
      });
    });
    return (await serve(t, undefined, server)).port;
  },
  /** Without a listener for upgrades, Node gives the request to the app. */
  async Fastify(t) {
    const app = Fastify({ forceCloseConnections: true });
    await app.register(crossOrigin);
    app.get('/', async (request, reply) => reply.code(101).send());
    return (await serveFastify(t, app)).port;
  },
};

for (const [name, start] of Object.entries(UPGRADES)) {
  test(`${name}: a WebSocket of another origin is refused, although its method is GET`, async (t) => {
    const port = await start(t);
    const own = `http://127.0.0.1:${port}`;
    const cases = [
      [{ Origin: own }, 101],
      [{ Origin: own, 'Sec-Fetch-Site': 'same-origin' }, 101],
      [{}, 101],
      [{ Origin: 'https://evil.example' }, 403],
      [{ Origin: 'null' }, 403],
      [{ Origin: own, 'Sec-Fetch-Site': 'same-site' }, 403],
      [{ Upgrade: 'WebSocket', Origin: 'https://evil.example' }, 403],
      [{ Upgrade: 'h2c, websocket', Origin: 'https://evil.example' }, 403],
      [{ Upgrade: 'websocket/13', Origin: 'https://evil.example' }, 403],
    ];
    for (const [headers, status] of cases) {
      let line;
      const events = await heard(async () => (line = await upgrade(port, headers)));
      assert.match(line, new RegExp(`^HTTP/1.1 ${status} `), JSON.stringify(headers));
      assert.equal(events.length, status === 403 ? 1 : 0);
    }
  });
}

test('an origin that no browser sends is refused when the middleware is made', () => {
  for (const origin of [
    'null',
    '*',
    'https://*.example',
    'https://app.example/',
    'https://app.example/path',
    'https://APP.example',
    'https://app.example:443',
    'http://app.example:80',
    'https://ann@app.example',
    'app.example',
    '',
    'data:text/html,a',
    'https://',
  ]) {
    assert.throws(() => crossOriginProtection({ trustedOrigins: [origin] }), coded('ERR_INVALID_ARG_VALUE'), origin);
  }
  const many = Array.from({ length: 101 }, (_, n) => `https://a${n}.example`);
  assert.throws(() => crossOriginProtection({ trustedOrigins: many }), coded('ERR_INVALID_ARG_VALUE'));
  assert.equal(typeof crossOriginProtection({ trustedOrigins: many.slice(1) }), 'function');
  // Looking at each of its places would take minutes.
  const endless = { trustedOrigins: new Array(2 ** 32 - 1) };
  assert.throws(() => crossOriginProtection(endless), coded('ERR_INVALID_ARG_VALUE'));
});

test('Fastify: an inner scope and a route have options of their own', async (t) => {
  const app = Fastify();
  t.after(() => app.close());
  await app.register(crossOrigin);
  app.post('/', async () => 'in');
  app.post('/hook', { config: { nodesec: { crossOrigin: false } } }, async () => 'in');
  const trusting = { crossOrigin: { trustedOrigins: ['https://evil.example'] } };
  app.post('/trusting', { config: { nodesec: trusting } }, async () => 'in');
  await app.register(async (scope) => {
    await scope.register(crossOrigin, trusting.crossOrigin);
    scope.post('/scope', async () => 'in');
  });
  const statuses = [];
  for (const url of ['/', '/hook', '/trusting', '/scope', '/none']) {
    const { statusCode } = await app.inject({ method: 'POST', url, headers: { origin: 'https://evil.example' } });
    statuses.push(statusCode);
  }
  assert.deepEqual(statuses, [403, 200, 200, 200, 403]);
});

test('Fastify: a scope has one protection', async (t) => {
  const app = Fastify();
  t.after(() => app.close());
  await app.register(crossOrigin);
  await assert.rejects(async () => app.register(crossOrigin), coded('ERR_INVALID_ARG_VALUE'));
});
