'use strict';

const { mkdtempSync, rmSync } = require('node:fs');
const { tmpdir } = require('node:os');
const path = require('node:path');

/** Creates a folder for one test's data and secrets. */
function dataDirectory(t) {
  const data = mkdtempSync(path.join(tmpdir(), 'auth-service-test-'));
  t.after(() => rmSync(data, { recursive: true, force: true }));
  return data;
}

/**
 * Starts the service in a process of its own for one test: its limits apply per address, and all
 * tests have the same address.
 */
async function start(t, data = dataDirectory(t), env = {}, workers = 1) {
  const { startService } = await import('../../scripts/lib/service.mjs');
  const service = await startService({ data, env, workers });
  t.after(() => service.stop());
  return { ...service, ...client(service.url) };
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

module.exports = { client, dataDirectory, start };
