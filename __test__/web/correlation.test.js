'use strict';

// The correlation ids of requests, in each framework and behind its parsers of bodies.

const assert = require('node:assert/strict');
const { EventEmitter, on, once } = require('node:events');
const { Agent } = require('node:http');
const http2 = require('node:http2');
const net = require('node:net');
const { test } = require('node:test');
const { setTimeout: sleep } = require('node:timers/promises');
const { gzipSync } = require('node:zlib');

const Fastify = require('fastify');

const { record } = require('@nodesec/native/audit');
const { auditContext } = require('@nodesec/native/express');
const { audit } = require('@nodesec/native/fastify');
const { SERVICES } = require('../helpers/browser.js');
const { serveFastify } = require('../helpers/frameworks.js');
const { heard } = require('../helpers/heard.js');
const { coded } = require('../helpers/outcome.js');
const { EXPRESS, serve } = require('../helpers/web.js');

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = `00-${TRACE}-b7ad6b7169203331-01`;
const UUID7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
// Deno names most faults of a header HPE_ERROR.
const NAMES_FAULTS = process.versions.deno === undefined;
const late = () => record('app.read');

/** Emits the name of each act. */
const acts = new EventEmitter();

/** Records an act of a service, and tells the test. */
function act(name) {
  record(name);
  acts.emit(name);
}

for (const [version, service] of Object.entries(SERVICES)) {
  /** Sends a request and resolves to the answer, its id and its events. */
  const ask = async (send, headers = {}, options = {}) => {
    let answer;
    const events = await heard(async () => (answer = await send('/', { headers, ...options })));
    assert.equal(answer.status, 200, answer.body);
    const { id } = JSON.parse(answer.body);
    for (const event of events) assert.equal(event.correlationId, id);
    return { ...answer, id, events };
  };

  test(`${version}: the ids of the headers are those of the events, of the handler and of the answer`, async (t) => {
    const { send } = await service(t, { audit: {}, late });
    const cases = [
      [{ 'x-request-id': 'req.1:a+b/c=@_-' }, 'req.1:a+b/c=@_-', undefined],
      [{ 'x-request-id': 'a'.repeat(64) }, 'a'.repeat(64), undefined],
      [{ traceparent: PARENT }, TRACE, TRACE],
      [{ traceparent: PARENT, 'x-request-id': 'req-1' }, 'req-1', TRACE],
      // A later version may have more fields.
      [{ traceparent: `cc-${TRACE}-b7ad6b7169203331-01-what-comes` }, TRACE, TRACE],
    ];
    for (const [headers, expected, trace] of cases) {
      const { id, events, headers: fields } = await ask(send, headers);
      assert.deepEqual([id, fields['x-request-id']], [expected, expected]);
      assert.ok(events.length > 0);
      for (const { event, traceId } of events) assert.deepEqual([event, traceId], ['app.recorded', trace]);
    }
  });

  test(`${version}: an id that is malformed or too long is replaced, with one record without it`, async (t) => {
    const { send } = await service(t, { audit: {} });
    const token = `${'a'.repeat(20)}.${'b'.repeat(30)}.${'c'.repeat(43)}`;
    const cases = [
      ['x-request-id', 'a b', 'malformed'],
      ['x-request-id', '', 'malformed'],
      ['x-request-id', 'a;b', 'malformed'],
      ['x-request-id', '\xe9', 'malformed'],
      ['x-request-id', 'a%0d%0aSet-Cookie:x=y', 'malformed'],
      ['x-request-id', '{"admin":true}', 'malformed'],
      ['x-request-id', '$'.concat('{jndi:ldap://evil}'), 'malformed'],
      ['x-request-id', ['one', 'two'], 'malformed'],
      ['x-request-id', 'a'.repeat(65), 'too-long'],
      ['x-request-id', token, 'too-long'],
      ['traceparent', `00-${'0'.repeat(32)}-b7ad6b7169203331-01`, 'malformed'],
      ['traceparent', `00-${TRACE}-${'0'.repeat(16)}-01`, 'malformed'],
      ['traceparent', `ff-${TRACE}-b7ad6b7169203331-01`, 'malformed'],
      ['traceparent', PARENT.toUpperCase(), 'malformed'],
      ['traceparent', `${PARENT}-more`, 'malformed'],
      ['traceparent', ` ${PARENT},${PARENT}`, 'malformed'],
      ['traceparent', PARENT.slice(0, -1), 'malformed'],
      ['traceparent', [`cc-${PARENT.slice(3)}-more`, `cc-${PARENT.slice(3)}`], 'malformed'],
      ['traceparent', `cc-${PARENT.slice(3)}-,x`, 'malformed'],
      ['traceparent', `cc-${TRACE}-b7ad6b7169203331-01-${'a'.repeat(1000)}`, 'too-long'],
    ];
    for (const [header, value, fault] of cases) {
      const { id, events, headers } = await ask(send, { [header]: value });
      assert.match(id, UUID7, JSON.stringify(value));
      assert.equal(headers['x-request-id'], id);
      assert.equal(headers['set-cookie'], undefined);
      assert.deepEqual(
        events.map((event) => [event.event, event.outcome, event.header, event.fault]),
        [['correlation.replaced', 'denied', header, fault]],
        JSON.stringify(value),
      );
      assert.ok(![value].flat().some((text) => text !== '' && JSON.stringify(events).includes(text)));
    }
  });

  test(`${version}: a request that splits a header is a 400 of Node, with one record of the parser's code`, async (t) => {
    const { get, raw } = await service(t, { audit: {} });
    // In Express, the server is known from its first request on.
    await get();
    const value = 's3cr3t';
    for (const [lines, code, status = 400] of [
      [`X-Request-Id: ${value}\0b`, 'HPE_INVALID_HEADER_TOKEN'],
      [`X-Request-Id: ${value}\rSet-Cookie: b=c`, /^HPE_(?:LF|CR)_EXPECTED$/],
      [`X-Request-Id: ${value}\x01`, 'HPE_INVALID_HEADER_TOKEN'],
      [`Cookie : ${value}`, 'HPE_INVALID_HEADER_TOKEN'],
      [`X-Request-Id: ${value}\r\n Set-Cookie: b=c`, 'HPE_INVALID_HEADER_TOKEN'],
      [`Content-Length: 1\r\nTransfer-Encoding: chunked`, /^HPE_(?:INVALID_TRANSFER_ENCODING|UNEXPECTED_CONTENT_LENGTH)$/],
      [`Content-Length: 1\r\nContent-Length: 2`, 'HPE_UNEXPECTED_CONTENT_LENGTH'],
      [`Cookie: ${value.repeat(5000)}`, 'HPE_HEADER_OVERFLOW', 431],
    ]) {
      let text;
      const events = await heard(async () => {
        text = await raw(`POST / HTTP/1.1\r\nHost: a\r\n${lines}\r\n\r\n`);
      });
      assert.match(text, new RegExp(`^HTTP/1.1 ${status} `), lines.slice(0, 80));
      assert.doesNotMatch(text, /Set-Cookie/i);
      assert.deepEqual(events.map(({ event }) => event), ['request.malformed'], lines.slice(0, 80));
      assert.match(events[0].code, NAMES_FAULTS ? new RegExp(code) : /^HPE_/, lines.slice(0, 80));
      assert.ok(!JSON.stringify(events).includes(value));
    }
  });

  test(`${version}: every parser of a body is left with the ids of its request`, async (t) => {
    const { send } = await service(t, { audit: {}, late });
    const json = JSON.stringify({ text: 'x'.repeat(80_000) });
    const cases = [
      [{ 'content-type': 'application/json' }, json],
      [{ 'content-type': 'application/x-www-form-urlencoded' }, 'a=b'],
      [{ 'content-type': 'text/plain' }, 'text'],
    ];
    // Fastify inflates no bodies by itself.
    if (version.startsWith('Express')) {
      cases.push([{ 'content-type': 'application/json', 'content-encoding': 'gzip' }, gzipSync(json)]);
    }
    for (const [headers, body] of cases) {
      // Many at once on few connections, whose parsers of HTTP serve one request after the other.
      const ids = Array.from({ length: 20 }, (_, n) => `request-${n}`);
      const events = await heard(() =>
        Promise.all(
          ids.map(async (id) => {
            const answer = await send('/', { method: 'POST', headers: { ...headers, 'x-request-id': id }, body });
            assert.equal(JSON.parse(answer.body).id, id, headers['content-type']);
          }),
        ),
      );
      // One behind the parser, and one in the handler.
      assert.deepEqual(events.map(({ correlationId }) => correlationId).sort(), [...ids, ...ids].sort());
    }
  });

  test(`${version}: requests that wait for their body at once keep their ids apart on a kept connection`, async (t) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 2 });
    t.after(() => agent.destroy());
    const { send } = await service(t, { audit: {}, late });
    const body = JSON.stringify({ text: 'x'.repeat(200_000) }).slice(0, 90_000);
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, n) => {
        const headers = { 'content-type': 'text/plain', 'x-request-id': `kept-${n}` };
        return send('/', { method: 'POST', headers, body, agent });
      }),
    );
    assert.deepEqual(answers.map((answer) => JSON.parse(answer.body).id), answers.map((_, n) => `kept-${n}`));
  });

  test(`${version}: with inbound false no id of a client counts, and with respond false none is sent`, async (t) => {
    const { send } = await service(t, { audit: { inbound: false, respond: false } });
    const headers = { 'x-request-id': 'mine', traceparent: PARENT };
    const { id, headers: fields, events } = await ask(send, headers);
    assert.match(id, UUID7);
    assert.deepEqual([fields['x-request-id'], events], [undefined, []]);
  });

  test(`${version}: the id has the header of the proxy`, async (t) => {
    const { send } = await service(t, { audit: { header: 'X-Amzn-Trace-Id' } });
    const { id, headers } = await ask(send, { 'x-amzn-trace-id': 'Root=1-67891233-abcdef012345678912345678', 'x-request-id': 'other' });
    assert.deepEqual([id, headers['x-amzn-trace-id']], ['Root=1-67891233-abcdef012345678912345678', id]);
    assert.equal(headers['x-request-id'], undefined);
  });

  test(`${version}: a refusal of the middleware has the id of its request`, async (t) => {
    const { send } = await service(t, { audit: {}, crossOrigin: {} });
    const headers = { 'x-request-id': 'attack-1', origin: 'https://evil.example' };
    const events = await heard(() => send('/', { method: 'POST', headers }));
    assert.deepEqual(
      events.map(({ event, kind, correlationId }) => [event, kind, correlationId]),
      [['request.refused', 'cross-origin', 'attack-1']],
    );
  });

  test(`${version}: work that goes on after the answer has the id, and the next request has its own`, async (t) => {
    const work = [];
    const { send } = await service(t, { audit: {}, late: () => work.push(sleep(5).then(() => record('later'))) });
    const events = await heard(async () => {
      for (const id of ['one', 'two']) await send('/', { headers: { 'x-request-id': id } });
      await Promise.all(work);
    });
    const ids = events.map(({ correlationId }) => correlationId);
    assert.deepEqual([...new Set(ids)].sort(), ['one', 'two']);
  });

  test(`${version}: a listener to the end of the response has the id`, async (t) => {
    const before = (req, res) => void res.once('close', () => act('closed'));
    const { send } = await service(t, { audit: {}, before });
    const events = await heard(async () => {
      const closed = once(acts, 'closed');
      await send('/', { headers: { 'x-request-id': 'ended' } });
      await closed;
    });
    assert.deepEqual(events.map(({ action, correlationId }) => [action, correlationId]), [['closed', 'ended']]);
  });
}

/**
 * Sends a request to a service of `CARELESS`, without the rest of its body. Resolves to the socket
 * when the service has read the beginning.
 */
async function slowly(port, id) {
  const read = once(acts, 'data');
  const socket = net.connect(port, '127.0.0.1');
  socket.write(`POST / HTTP/1.1\r\nHost: a\r\nX-Request-Id: ${id}\r\nContent-Length: 4\r\n\r\na=`);
  await read;
  return socket;
}

/** Resolves after some acts of a name. */
async function repeated(name, count) {
  const emitted = on(acts, name);
  for (let seen = 0; seen < count; seen += 1) await emitted.next();
  await emitted.return();
}

/** Apps with a parser that takes no care of asynchronous context, as most have none. */
const CARELESS = {
  ...Object.fromEntries(
    Object.entries(EXPRESS).map(([version, make]) => [
      version,
      (t) => {
        const app = make();
        app.use(auditContext());
        app.use((req, res, next) => {
          res.on('close', () => act('ended'));
          req.on('data', () => act('data')).on('end', next).on('close', () => act('over'));
        });
        app.use((req, res) => {
          record('found');
          res.end();
        });
        return serve(t, app);
      },
    ]),
  ),
  async 'Fastify 5'(t) {
    const app = Fastify({ forceCloseConnections: true });
    await app.register(audit);
    app.addHook('onRequest', async (request, reply) => void reply.raw.on('close', () => act('ended')));
    app.addContentTypeParser('*', (request, payload, done) => {
      payload.on('data', () => act('data')).on('end', () => done(null)).on('close', () => act('over'));
    });
    app.post('/', async () => {
      record('found');
      return '';
    });
    return serveFastify(t, app);
  },
};

for (const [version, start] of Object.entries(CARELESS)) {
  test(`${version}: a parser that keeps no context runs, and goes on, with the ids of its request`, async (t) => {
    const { port } = await start(t);
    const events = await heard(async () => {
      const sockets = [await slowly(port, 'one'), await slowly(port, 'two')];
      const ends = ['ended', 'over'].map((name) => repeated(name, sockets.length));
      for (const socket of sockets) socket.write('bc');
      await Promise.all(sockets.map((socket) => once(socket, 'data')));
      for (const socket of sockets) socket.destroy();
      await Promise.all(ends);
    });
    const seen = (id) => events.filter(({ correlationId }) => correlationId === id).map(({ action }) => action);
    for (const id of ['one', 'two']) assert.deepEqual(seen(id).sort(), ['data', 'data', 'ended', 'found', 'over']);
    assert.equal(seen(undefined).length, 0);
  });

  test(`${version}: a hang-up in the middle of a body has the id of its request`, async (t) => {
    const { port } = await start(t);
    const events = await heard(async () => {
      const socket = await slowly(port, 'gone');
      const ends = ['ended', 'over'].map((name) => once(acts, name));
      socket.destroy();
      await Promise.all(ends);
    });
    assert.deepEqual(events.map(({ action, correlationId }) => `${action} ${correlationId}`).sort(), [
      'data gone',
      'ended gone',
      'over gone',
    ]);
  });
}

test('Express: a second middleware enters the ids of the first again', async (t) => {
  for (const make of Object.values(EXPRESS)) {
    const app = make();
    app.use(auditContext());
    // A middleware that loses every context.
    const callers = [];
    const timer = setInterval(() => callers.splice(0).forEach((call) => call()), 1);
    t.after(() => clearInterval(timer));
    app.use((req, res, next) => void callers.push(next));
    app.use((req, res, next) => {
      record('lost');
      next();
    });
    app.use(auditContext());
    app.get('/', (req, res) => {
      record('found');
      res.end();
    });
    const { get } = await serve(t, app);
    const events = await heard(() => get('/', { 'x-request-id': 'a' }));
    assert.deepEqual(events.map(({ action, correlationId }) => [action, correlationId]), [
      ['lost', undefined],
      ['found', 'a'],
    ]);
  }
});

test('Fastify: a hook that loses the ids before the handler loses nothing, in every scope', async (t) => {
  const app = Fastify();
  t.after(() => app.close());
  await app.register(audit);
  const callers = [];
  const timer = setInterval(() => callers.splice(0).forEach((call) => call()), 1);
  t.after(() => clearInterval(timer));
  app.addHook('preParsing', (request, reply, payload, done) => void callers.push(() => done(null, payload)));
  await app.register(async (scope) => {
    scope.post('/', async (request, reply) => {
      record('found');
      return reply.send({});
    });
  });
  const events = await heard(() => app.inject({ method: 'POST', url: '/', body: { a: 1 }, headers: { 'x-request-id': 'a' } }));
  assert.deepEqual(events.map(({ action, correlationId }) => [action, correlationId]), [['found', 'a']]);
});

test('Fastify: a scope and those within it have one audit', async (t) => {
  const app = Fastify();
  t.after(() => app.close());
  await app.register(audit);
  await assert.rejects(
    async () => app.register(async (scope) => scope.register(audit)),
    coded('ERR_INVALID_ARG_VALUE'),
  );
});

test('Fastify: the ids last in HTTP/2, too', async (t) => {
  const app = Fastify({ http2: true });
  await app.register(audit);
  app.post('/', async (request) => {
    record('found');
    return request.body;
  });
  await app.ready();
  const { port } = await serve(t, undefined, app.server);
  const session = http2.connect(`http://127.0.0.1:${port}`);
  t.after(() => session.close());
  // Afterwards, because Fastify waits a minute for a session that is open.
  t.after(() => app.close());
  const events = await heard(async () => {
    const ids = ['one', 'two'];
    const streams = ids.map((id) => {
      return session.request({ ':method': 'POST', ':path': '/', 'content-type': 'text/plain', 'x-request-id': id });
    });
    for (const stream of streams) stream.write('a');
    await sleep(20);
    const answers = streams.map((stream) => once(stream, 'response'));
    for (const stream of streams) stream.end('b').resume();
    const headers = (await Promise.all(answers)).map(([fields]) => fields);
    assert.deepEqual(headers.map((fields) => [fields[':status'], fields['x-request-id']]), [[200, 'one'], [200, 'two']]);
  });
  assert.deepEqual(events.map(({ action, correlationId }) => `${action} ${correlationId}`).sort(), ['found one', 'found two']);
});
