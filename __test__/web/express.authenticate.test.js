'use strict';

const assert = require('node:assert/strict');
const http2 = require('node:http2');
const { test } = require('node:test');

const { authenticate, requireScope } = require('@nodesec/native/express');
const { coded } = require('../helpers/outcome.js');
const { EXPRESS, serve, tokens } = require('../helpers/web.js');

test('an app of its own below another, and a 404 handler behind it, are guarded', async (t) => {
  const express = EXPRESS['Express 5'];
  const { bearer, verifier } = await tokens();
  const [app, inner] = [express(), express()];
  inner.get('/here', (req, res) => res.send(req.auth.claims.sub));
  app.get('/open', (req, res) => res.send('open'));
  app.use('/inner', authenticate({ verifier }), inner);
  const { get } = await serve(t, app);
  assert.equal((await get('/open')).status, 200);
  assert.equal((await get('/inner/here', bearer())).body, 'ann');
  assert.equal((await get('/inner/nowhere', bearer())).status, 404);
  assert.equal((await get('/inner/nowhere')).status, 401);
});

test('a keep-alive connection is authenticated anew for each request', async (t) => {
  const express = EXPRESS['Express 5'];
  const { bearer, verifier } = await tokens();
  const app = express();
  app.get('/', authenticate({ verifier }), (req, res) => res.send('in'));
  const { raw } = await serve(t, app);
  const line = (headers) => `GET / HTTP/1.1\r\nHost: a\r\n${headers}\r\n`;
  const { authorization } = bearer();
  const answers = await raw(
    line(`Authorization: ${authorization}\r\n`) + line('') + line('Connection: close\r\n'),
  );
  assert.deepEqual(answers.match(/HTTP\/1\.1 \d+/g), ['HTTP/1.1 200', 'HTTP/1.1 401', 'HTTP/1.1 401']);
});

test('the middleware also serves plain Node over HTTP/2', async (t) => {
  const { bearer, verifier } = await tokens();
  const guard = authenticate({ verifier });
  const server = http2.createServer((req, res) => {
    guard(req, res, (error) => {
      res.writeHead(error?.status ?? 200, error?.headers);
      res.end(req.auth?.claims.sub);
    });
  });
  const { port } = await serve(t, undefined, server);
  const client = http2.connect(`http://127.0.0.1:${port}`);
  t.after(() => client.destroy());
  const ask = (headers) =>
    new Promise((resolve) => {
      const stream = client.request({ ':path': '/', ...headers });
      stream.on('response', (answer) => resolve(answer));
      stream.resume();
    });
  assert.equal((await ask(bearer()))[':status'], 200);
  const refused = await ask({});
  assert.deepEqual([refused[':status'], refused['www-authenticate']], [401, 'Bearer']);
});

test('options that cannot be are refused when the middleware is made', async () => {
  const { verifier } = await tokens();
  const make = (options) => () => authenticate({ verifier, ...options });
  assert.throws(() => authenticate({}), coded('ERR_MISSING_OPTION'));
  assert.throws(() => authenticate(), coded('ERR_MISSING_OPTION'));
  assert.throws(make({ dpopp: 'off' }), coded('ERR_UNKNOWN_OPTION'));
  assert.throws(make({ verifier: {} }), coded('ERR_INVALID_ARG_TYPE'));
  assert.throws(make({ from: 'header' }), coded('ERR_INVALID_ARG_VALUE'));
  for (const acr of [[], ['a b'], ['"'], Array(101).fill('a')]) {
    assert.throws(make({ acr }), coded('ERR_INVALID_ARG_VALUE'));
  }
  for (const maxAuthAge of [0, -1, NaN, 1.5, 2 ** 53]) {
    assert.throws(make({ maxAuthAge }), coded('ERR_OUT_OF_RANGE'));
  }
  assert.throws(make({ maxAuthAge: '5 minutes' }), coded('ERR_INVALID_ARG_TYPE'));
  assert.throws(make({ cookie: 'a=b' }), coded('ERR_INVALID_ARG_VALUE'));
  assert.throws(make({ realm: 'a"b' }), coded('ERR_INVALID_ARG_VALUE'));
  assert.throws(() => requireScope(), coded('ERR_INVALID_ARG_VALUE'));
  assert.throws(() => requireScope('a b'), coded('ERR_INVALID_ARG_VALUE'));
  // Looking at each of its places would take minutes.
  const endless = { verifier, scope: new Array(2 ** 32 - 1) };
  assert.throws(() => authenticate(endless), coded('ERR_INVALID_ARG_VALUE'));
});
