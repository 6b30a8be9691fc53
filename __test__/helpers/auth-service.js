'use strict';

const { once } = require('node:events');
const { mkdtempSync, rmSync } = require('node:fs');
const { createServer } = require('node:http');
const { tmpdir } = require('node:os');
const path = require('node:path');

/** Creates a folder for one test's data and secrets. */
function dataDirectory(t) {
  const data = mkdtempSync(path.join(tmpdir(), 'auth-service-test-'));
  t.after(() => rmSync(data, { recursive: true, force: true }));
  return data;
}

/** The examples, which are one service in two frameworks. */
const EXAMPLES = ['auth-service', 'fastify-service'];

/**
 * Starts the service in a process of its own for one test: its limits apply per address, and all
 * tests have the same address. The options are those of `startService`.
 */
async function start(t, { data = dataDirectory(t), ...options } = {}) {
  const { startService } = await import('../../scripts/lib/service.mjs');
  const service = await startService({ data, ...options });
  t.after(() => service.stop());
  return { ...service, ...client(service.url) };
}

/** Serves the app of an example in this process. Resolves to its server. */
async function listen(example, parts) {
  const { createApp } = require(`../../examples/${example}/app.js`);
  const app = await createApp(parts);
  await app.ready?.();
  const server = app.server ?? createServer(app);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

/** The requests that tests send to the service at `url`. */
function client(url) {
  async function ask(method, route, { body, token, headers = {} } = {}) {
    const init = { method, headers: { ...headers } };
    if (token !== undefined) init.headers.Authorization = `Bearer ${token}`;
    if (body !== undefined) {
      init.headers['Content-Type'] ??= 'application/json';
      init.body = typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
    }
    const response = await fetch(url + route, init);
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: text && JSON.parse(text),
    };
  }
  const post = (route, body, options) => ask('POST', route, { body, ...options });
  return {
    ask,
    post,
    me: (token) => ask('GET', '/me', { token }),
    refresh: (refreshToken) => post('/refresh', { refreshToken }),
    /** Starts a session and returns its pair of tokens. */
    login: async (user) => (await post('/login', user)).body,
  };
}

module.exports = { EXAMPLES, client, dataDirectory, listen, start };
