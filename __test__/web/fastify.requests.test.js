'use strict';

// Requests to Fastify with the plugins, over real connections.

const assert = require('node:assert/strict');
const http2 = require('node:http2');
const net = require('node:net');
const { test } = require('node:test');
const { setTimeout } = require('node:timers/promises');

const Fastify = require('fastify');
const { ConcurrencyLimiter, LoginThrottle, RateLimiter } = require('@nodesec/native');
const { authentication, loginThrottling, rateLimiting } = require('@nodesec/native/fastify');
const { FRAMEWORKS, serveFastify } = require('../helpers/frameworks.js');
const { coded } = require('../helpers/outcome.js');
const { tokens, until } = require('../helpers/web.js');

const limit = (name, limit) =>
  new RateLimiter({ limits: [{ name, limit, windowMs: 60_000 }], clock: () => new Date(0) });
const ALL = '0.0.0.0/1, 128.0.0.0/1, ::/1, 8000::/1';
const TRUSTING = [true, () => true, ALL, ['0.0.0.0/1', '128.0.0.0/1'], '2000::/3', (address, hop) => hop < 100];

/** A limit in front of `/`, which answers with the result that the limiter gave. */
async function limited(t, options, app = Fastify()) {
  await app.register(rateLimiting, options);
  app.get('/', async (request) => request.nodesec.limit);
  return serveFastify(t, app);
}

test('the result of the limiter and the sender are on the request', async (t) => {
  const { bearer, verifier } = await tokens();
  const app = Fastify();
  await app.register(authentication, { verifier });
  await app.register(rateLimiting, {
    limiter: limit('user', 5),
    key: (request) => request.nodesec.auth.claims.sub,
  });
  app.get('/', async ({ nodesec }) => [Object.keys(nodesec), nodesec.limit.remaining]);
  const { get } = await serveFastify(t, app);
  assert.equal((await get('/', bearer())).body, '[["auth","limit","login"],4]');
  assert.equal((await get('/', bearer({ sub: 'bob' }))).body, '[["auth","limit","login"],4]');
  assert.equal((await get('/', bearer())).body, '[["auth","limit","login"],3]');
});

test('a server whose clients choose their address is refused at registration', async () => {
  const throttle = new LoginThrottle();
  for (const trustProxy of TRUSTING) {
    const refused = coded('ERR_INVALID_ARG_VALUE');
    const limits = { limiter: limit('a', 1) };
    await assert.rejects(async () => Fastify({ trustProxy }).register(rateLimiting, limits), refused);
    const login = { throttle, account: () => 'ann' };
    await assert.rejects(async () => Fastify({ trustProxy }).register(loginThrottling, login), refused);
    await Fastify({ trustProxy }).register(rateLimiting, { ...limits, key: () => 'a' });
    const places = { limiter: new ConcurrencyLimiter({ max: 1 }) };
    const app = Fastify({ trustProxy });
    await app.register(rateLimiting, places);
    const route = { config: { nodesec: { limit: limits } } };
    assert.throws(() => app.get('/', route, async () => 'in'), refused);
  }
  for (const trustProxy of [false, 1, '10.0.0.0/8', ['127.0.0.1'], (address, hop) => hop < 2]) {
    await Fastify({ trustProxy }).register(rateLimiting, { limiter: limit('a', 1) });
  }
});

test('without Fastify’s own symbol the first request tells who chooses an address', async (t) => {
  // A later version of Fastify may name its symbols otherwise.
  const app = Fastify({ trustProxy: true });
  const [symbol] = Object.getOwnPropertySymbols(app).filter(
    ({ description }) => description === 'fastify.Request',
  );
  const { [symbol]: Request } = app;
  delete app[symbol];
  app.hasRequestDecorator = () => true;
  await app.register(rateLimiting, { limiter: limit('a', 5) });
  app[symbol] = Request;
  app.decorateRequest('nodesec', null);
  app.get('/', async () => 'in');
  const { get } = await serveFastify(t, app);
  const { status, body } = await get();
  assert.deepEqual([status, JSON.parse(body).code], [500, 'ERR_WEB_MISCONFIGURED']);
});

test('fields are appended to those of another limiter, and replace none', async (t) => {
  const app = Fastify();
  app.addHook('onRequest', async (request, reply) => {
    reply.headers({ RateLimit: '"other";r=1;t=1', 'RateLimit-Policy': '"other";q=2;w=1' });
  });
  await app.register(rateLimiting, { limiter: limit('day', 7) });
  const { get } = await limited(t, { limiter: limit('burst', 9) }, app);
  const { headers } = await get();
  assert.equal(headers.ratelimit, '"other";r=1;t=1, "day";r=6;t=9, "burst";r=8;t=7');
  assert.match(headers['ratelimit-policy'], /^"other";q=2;w=1, "day";q=7;w=60, "burst";q=9;w=60$/);
});

test('a handler answers in place of the plugin: it sends, returns, throws, or leaves it', async (t) => {
  const handlers = {
    sends: (request, reply, { violated }) => void reply.code(420).send(violated.join()),
    returns: async (request, reply, { violated }) => ({ violated }),
    throws: async () => {
      throw Object.assign(new Error('mine'), { statusCode: 418 });
    },
    leaves: async () => {},
  };
  const handler = (request, ...others) => handlers[request.query.way](request, ...others);
  const limiter = limit('a', 1);
  limiter.consume('x');
  const { get } = await limited(t, { limiter, key: () => 'x', handler });
  const ask = async (way) => {
    const { status, body, headers } = await get(`/?way=${way}`);
    assert.equal(headers['retry-after'], '60');
    return [status, body];
  };
  assert.deepEqual(await ask('sends'), [420, 'a']);
  assert.deepEqual(await ask('returns'), [429, '{"violated":["a"]}']);
  assert.equal((await ask('throws'))[0], 418);
  assert.match((await ask('leaves')).join(), /^429,.*quota-exceeded/);
});

test('in preHandler the key may be of the body, and the handler of a refusal does not run', async (t) => {
  let ran = 0;
  const app = Fastify();
  const key = (request) => request.body.tenant;
  await app.register(rateLimiting, { limiter: limit('a', 1), hook: 'preHandler', key });
  app.post('/', async () => (ran += 1));
  const { send } = await serveFastify(t, app);
  const post = async (tenant) => {
    const headers = { 'content-type': 'application/json' };
    return (await send('/', { method: 'POST', headers, body: JSON.stringify({ tenant }) })).status;
  };
  assert.deepEqual([await post('a'), await post('a'), await post('b')], [200, 429, 200]);
  assert.equal(ran, 2);
});

test('a refused request runs neither the parser of its body nor its handler', async (t) => {
  const { verifier } = await tokens();
  let ran = 0;
  const app = Fastify();
  await app.register(authentication, { verifier });
  app.addHook('preParsing', async () => void (ran += 1));
  app.post('/', async () => void (ran += 1));
  const { send } = await serveFastify(t, app);
  assert.equal((await send('/', { method: 'POST', body: '{' })).status, 401);
  assert.equal(ran, 0);
});

test('a place is held until a hijacked reply has ended, or its client has hung up', async (t) => {
  const limiter = new ConcurrencyLimiter({ max: 1 });
  const app = Fastify();
  await app.register(rateLimiting, { limiter });
  const replies = [];
  app.get('/', (request, reply) => {
    reply.hijack();
    replies.push(reply.raw);
  });
  const { get, port } = await serveFastify(t, app);
  const first = get();
  await until(() => replies.length === 1);
  assert.equal((await get()).status, 503);
  replies[0].end('raw');
  assert.equal((await first).body, 'raw');
  await until(() => limiter.stats().active === 0);
  const socket = net.connect(port, '127.0.0.1');
  socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await until(() => replies.length === 2);
  assert.equal(limiter.stats().active, 1);
  socket.destroy();
  await until(() => limiter.stats().active === 0);
});

test('a hook that has hijacked the reply ends the limit, and a later answer stays as it is', async (t) => {
  const app = Fastify();
  app.addHook('onRequest', async (request, reply) => {
    setImmediate(() => {
      reply.hijack();
      reply.raw.writeHead(204).end();
    });
  });
  const limiter = limit('a', 5);
  const key = () => setTimeout(20, 'a');
  const { get } = await limited(t, { limiter, key }, app);
  const { status, headers } = await get();
  assert.deepEqual([status, headers.ratelimit], [204, undefined]);
  await until(() => limiter.peek('a').remaining === 4);
});

test('close waits for the refunds of the requests that have ended', async () => {
  const limiter = limit('a', 1);
  const refundOn = () => setTimeout(30, true);
  const app = Fastify({ forceCloseConnections: true });
  await app.register(rateLimiting, { limiter, key: () => 'a', refundOn });
  app.get('/', async () => 'in');
  const address = await app.listen({ port: 0, host: '127.0.0.1' });
  assert.equal((await fetch(address)).status, 200);
  assert.equal(limiter.peek('a').remaining, 0);
  await app.close();
  assert.equal(limiter.peek('a').remaining, 1);
});

/** Connects over HTTP/2 while `use` runs: Fastify waits for open sessions when it closes. */
async function overHttp2(port, use) {
  const client = http2.connect(`http://127.0.0.1:${port}`);
  try {
    await use(client);
  } finally {
    client.destroy();
  }
}

test('HTTP/2 is authenticated, limited and answered in the same way', async (t) => {
  const { bearer, verifier } = await tokens();
  const places = new ConcurrencyLimiter({ max: 5 });
  const app = Fastify({ http2: true });
  await app.register(rateLimiting, { limiter: places });
  await app.register(rateLimiting, { limiter: limit('burst', 3) });
  await app.register(authentication, { verifier });
  app.get('/', async (request) => request.nodesec.auth.claims.sub);
  app.get('/slow', () => new Promise(() => {}));
  const { port } = await serveFastify(t, app);
  await overHttp2(port, async (client) => {
    const ask = (headers) =>
      new Promise((resolve, reject) => {
        const stream = client.request({ ':path': '/', ...headers });
        stream.on('response', resolve);
        stream.on('error', reject);
        stream.resume();
      });
    const { authorization } = bearer();
    assert.equal((await ask({ authorization }))[':status'], 200);
    assert.equal((await ask({}))['www-authenticate'], 'Bearer');
    await until(() => places.stats().active === 0);
    const slow = client.request({ ':path': '/slow', authorization });
    await until(() => places.stats().active === 1);
    slow.close(http2.constants.NGHTTP2_CANCEL);
    await until(() => places.stats().active === 0);
    const refused = await ask({ authorization });
    assert.deepEqual([refused[':status'], refused['retry-after']], [429, '20']);
    await until(() => places.stats().active === 0);
  });
});

for (const [version, service] of Object.entries(FRAMEWORKS)) {
  test(`${version}: each request of a keep-alive connection is judged on its own`, async (t) => {
    const { bearer, verifier } = await tokens();
    const { raw } = await service(t, { auth: { verifier }, limits: [{ limiter: limit('a', 3) }] });
    const line = (headers) => `GET / HTTP/1.1\r\nHost: a\r\n${headers}\r\n`;
    const { authorization } = bearer();
    const good = `Authorization: ${authorization}\r\n`;
    const answers = await raw(line(good) + line('') + line(good) + line(`${good}Connection: close\r\n`));
    const statuses = answers.match(/HTTP\/1\.1 \d+/g).map((status) => status.slice(-3));
    assert.deepEqual(statuses, ['200', '401', '200', '429']);
  });
}
