'use strict';

// The services of examples/hardened-service, for one test: each in a process of its own.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { mkdtempSync, readFileSync, rmSync } = require('node:fs');
const https = require('node:https');
const { tmpdir } = require('node:os');
const path = require('node:path');
const { after, before } = require('node:test');

const FRAMEWORKS = ['express', 'fastify'];

/** Starts both services. The options are those of `runServices`. */
async function startHardened(t, framework, options) {
  const { runServices } = await import('../../examples/hardened-service/platform/run.mjs');
  const home = mkdtempSync(path.join(tmpdir(), 'hardened-test-'));
  const running = runServices({ framework, home, ...options });
  t.after(async () => {
    await running.then(({ stop }) => stop(), () => {});
    rmSync(home, { recursive: true, force: true, maxRetries: 5 });
  });
  return { ...(await running), home };
}

/** Starts both services for a suite of tests, which finds them in `services` of the result. */
function startForSuite(framework, options) {
  const suite = {};
  let end;
  before(async () => {
    suite.services = await startHardened({ after: (fn) => (end = fn) }, framework, options);
  });
  after(() => end?.());
  return suite;
}

/** The audit trail of a service: the events in its log, oldest first. */
function eventsOf({ log }) {
  const lines = readFileSync(log, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line).audit);
}

/**
 * Makes a function that checks the status of a request, and that it leaves exactly one record with
 * these members and without any of `secrets`. Resolves to the record.
 */
function refusals(service, secrets) {
  return async (status, expected, request) => {
    const seen = eventsOf(service()).length;
    const answer = await request();
    assert.equal(answer.status, status, answer.body);
    const events = eventsOf(service()).slice(seen);
    assert.equal(events.length, 1, JSON.stringify(events));
    const [event] = events;
    for (const [name, value] of Object.entries(expected)) assert.equal(event[name], value, name);
    assert.equal(event.outcome, 'denied');
    assert.match(event.correlationId ?? event.id, /^[0-9a-f-]{36}$/);
    const text = JSON.stringify(event);
    for (const secret of secrets) assert.ok(!text.includes(secret), text);
    return event;
  };
}

/** A browser's cookies, and requests with exactly the headers that are given. */
function browserAt({ authority, url }) {
  const cookies = new Map();

  /** `cookie` replaces the browser's cookies. A header may be a list. */
  async function ask(method, route, { body, cookie = header(route), headers = {}, raw } = {}) {
    const sent = { 'sec-fetch-site': 'same-origin', ...headers };
    if (cookie) sent.cookie = cookie;
    if (body !== undefined) sent['content-type'] ??= 'application/json';
    const request = https.request(new URL(route, url), {
      agent: false,
      ca: authority.bundle,
      // Undefined stands for a header that is not sent.
      headers: Object.fromEntries(Object.entries(sent).filter(([, value]) => value !== undefined)),
      method,
      // Also if the header Host names another one.
      servername: new URL(url).hostname,
    });
    request.end(raw ?? (body === undefined ? undefined : JSON.stringify(body)));
    const [response] = await once(request, 'response');
    const text = Buffer.concat(await response.toArray()).toString();
    for (const set of response.headers['set-cookie'] ?? []) take(set);
    return { body: text, headers: response.headers, status: response.statusCode };
  }

  function take(set) {
    const [pair, ...attributes] = set.split('; ');
    const [name, value] = pair.split('=');
    if (attributes.includes('Max-Age=0')) cookies.delete(name);
    else cookies.set(name, { value, path: attributes.find((text) => text.startsWith('Path=')).slice(5) });
  }

  function header(route) {
    const sent = [...cookies].filter(([, { path: prefix }]) => route.startsWith(prefix));
    return sent.map(([name, { value }]) => `${name}=${value}`).join('; ');
  }

  return { ask, cookies, post: (route, body, options) => ask('POST', route, { body, ...options }) };
}

module.exports = { FRAMEWORKS, browserAt, eventsOf, refusals, startForSuite, startHardened };
