'use strict';

// Lines of docs/hardening.md, against the services of examples/hardened-service as they run.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { chmodSync, statSync } = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const { describe, test } = require('node:test');
const { setTimeout } = require('node:timers/promises');
const tls = require('node:tls');

const { RateLimiter, ipKey } = require('@nodesec/native');
const { FRAMEWORKS, browserAt, eventsOf, startForSuite, startHardened } = require('../helpers/hardened.js');

// Neither name is part of a hash or of an id.
const ADA = { username: 'ada.lovelace', password: 'correct horse battery' };
const BOB = { username: 'bob.kahn', password: 'tr0ub4dor and three' };

async function loggedIn(services, user) {
  const browser = browserAt(services);
  await browser.post('/api/register', user);
  const { status, body } = await browser.post('/api/login', user);
  assert.equal(status, 200, body);
  return browser;
}

/** Waits until an answer fits, which an answer that is an error does not. */
async function until(ask, fits) {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const answer = await ask();
    if (answer.error === undefined && fits(answer)) return answer;
    if (Date.now() > deadline) throw new Error(`no answer fits: ${JSON.stringify(answer)}`);
    await setTimeout(50);
  }
}

for (const framework of FRAMEWORKS) {
  describe(`the service in ${framework}`, () => {
    const suite = startForSuite(framework);

    test('speaks TLS 1.3 only', async () => {
      const { port } = new URL(suite.services.url);
      const old = tls.connect({ host: '127.0.0.1', maxVersion: 'TLSv1.2', port, rejectUnauthorized: false });
      await assert.rejects(once(old, 'secureConnect'), /alert protocol version/);
      const plain = http.get({ host: '127.0.0.1', port });
      await assert.rejects(once(plain, 'response'), /ECONNRESET|socket hang up|Parse Error/);
    });

    test('sets the headers of helmet, with a policy that allows no inline code', async () => {
      const { headers } = await browserAt(suite.services).ask('GET', '/');
      const policy = headers['content-security-policy'].split(';').sort();
      assert.deepEqual(policy, [
        "base-uri 'none'",
        "connect-src 'self'",
        "default-src 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "img-src 'self'",
        "require-trusted-types-for 'script'",
        "script-src 'self'",
        "style-src 'self'",
        "trusted-types 'none'",
      ]);
      assert.match(headers['strict-transport-security'], /^max-age=31536000/);
      assert.equal(headers['x-content-type-options'], 'nosniff');
      assert.equal(headers['x-frame-options'], 'DENY');
      assert.equal(headers['cross-origin-resource-policy'], 'same-origin');
      assert.equal(headers['cross-origin-opener-policy'], 'same-origin');
      assert.equal(headers['referrer-policy'], 'no-referrer');
      assert.equal(headers['x-powered-by'], undefined);
      const { headers: ofApi } = await browserAt(suite.services).ask('GET', '/api/me');
      assert.equal(ofApi['cache-control'], 'no-store');
    });

    test('has sessions in cookies that are HttpOnly, Secure and SameSite', async () => {
      const browser = browserAt(suite.services);
      await browser.post('/api/register', BOB);
      const { headers } = await browser.post('/api/login', BOB);
      const attributes = headers['set-cookie'].map((text) => text.replace(/=[^;]+; Max-Age=\d+/, ''));
      assert.deepEqual(attributes.sort(), [
        '__Host-at; Path=/; HttpOnly; Secure; SameSite=Lax',
        '__Secure-copy; Path=/auth/replay; HttpOnly; Secure; SameSite=Strict',
        '__Secure-rt; Path=/auth; HttpOnly; Secure; SameSite=Strict',
      ]);
    });

    test('checks every input, and repeats none of it', async () => {
      const browser = browserAt(suite.services);
      for (const [body, message] of [
        [{ ...ADA, admin: true }, /a member that is not known/],
        [{ ...ADA, username: '€!' }, /^username must be 3 to 32/],
        [{ ...ADA, username: ['ada.lovelace'] }, /^username /],
        [{ ...ADA, password: 'short' }, /^password must be at least 10/],
        [{ ...ADA, password: 'x'.repeat(257) }, /^password must be at most 256/],
        [{ ...ADA, password: '\ud800 a lone surrogate' }, /^password must be well-formed/],
        [[], /^the input /],
      ]) {
        const answer = await browser.post('/api/register', body);
        assert.equal(answer.status, 400, answer.body);
        const { error, message: said } = JSON.parse(answer.body);
        assert.equal(error, 'invalid_request');
        assert.match(said, message);
        for (const value of Object.values(body)) assert.ok(!said.includes(value), said);
      }
      const polluting = await browser.ask('POST', '/api/register', {
        headers: { 'content-type': 'application/json' },
        raw: `{"__proto__":{"username":"eve"},"username":"eve","password":"${ADA.password}"}`,
      });
      assert.equal(polluting.status, 400);
      assert.equal((await browser.post('/api/register', { ...ADA, filler: 'x'.repeat(5_000) })).status, 413);
      const user = await loggedIn(suite.services, ADA);
      assert.equal((await user.ask('GET', '/api/trail?since=1')).status, 400);
      assert.equal((await user.ask('GET', '/api/trail?user=bob')).status, 400);
    });

    test('tells nothing of itself in errors', async () => {
      for (const route of ['/nowhere', '/../../etc/passwd', '/%ff', '/.git/config']) {
        const { status, body } = await browserAt(suite.services).ask('GET', route);
        assert.ok(status === 404 || status === 400, `${status}`);
        assert.ok(Object.keys(JSON.parse(body)).every((name) => ['error', 'message'].includes(name)), body);
        assert.doesNotMatch(body, /node_modules|hardened|at /);
      }
    });

    test('limits the work of each user, and says when to come again', async () => {
      const user = await loggedIn(suite.services, ADA);
      const answers = await Promise.all(Array.from({ length: 15 }, () => user.post('/api/work')));
      const refused = answers.filter(({ status }) => status === 429);
      assert.ok(refused.length > 0);
      assert.match(refused[0].headers['retry-after'], /^\d+$/);
      const other = await loggedIn(suite.services, BOB);
      assert.equal((await other.post('/api/work')).status, 200);
    });

    test('has an audit trail in which each user sees the own records', async () => {
      const user = await loggedIn(suite.services, ADA);
      const other = await loggedIn(suite.services, BOB);
      await other.post('/api/logout-everywhere');
      const bob = await loggedIn(suite.services, BOB);
      const read = async (browser) => JSON.parse((await browser.ask('GET', '/api/trail')).body);
      const has = (name) => (records) => {
        return records.some(({ event, action = event }) => action === name);
      };
      const ofBob = await until(() => read(bob), has('account.logged-out-everywhere'));
      const ofAda = await until(() => read(user), has('session.started'));
      assert.ok(!has('account.logged-out-everywhere')(ofAda));
      const ids = new Set(ofAda.map(({ id }) => id));
      assert.ok(ofBob.every(({ id }) => !ids.has(id)));
      assert.equal(new Set(ofBob.map(({ subject }) => subject).filter(Boolean)).size, 1);
      assert.doesNotMatch(JSON.stringify([ofAda, ofBob]), /ada\.|bob\./);
      assert.equal((await browserAt(suite.services).ask('GET', '/api/trail')).status, 401);
    });

    test('gives each request an id that its client cannot choose', async () => {
      const user = await loggedIn(suite.services, ADA);
      const seen = eventsOf(suite.services.accounts).length;
      const headers = { 'x-request-id': 'mine', traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` };
      const { headers: answered } = await user.post('/auth/refresh', undefined, { headers });
      const id = answered['x-request-id'];
      assert.match(id, /^[\da-f]{8}-[\da-f]{4}-7/);
      const [{ event, correlationId }] = eventsOf(suite.services.accounts).slice(seen);
      assert.deepEqual([event, correlationId], ['session.refreshed', id]);
    });
  });
}

describe('a restart', () => {
  test('after SIGKILL keeps sessions, logouts, keys, limits and the names in the trail', async (t) => {
    const { services, again } = await twice(t);
    const kept = await loggedIn(services, ADA);
    const stolen = await loggedIn(services, ADA);
    const cookie = `__Host-at=${stolen.cookies.get('__Host-at').value}`;
    assert.equal((await stolen.post('/auth/logout')).status, 204);
    const subject = eventsOf(services.accounts).find(({ event }) => event === 'session.started').subject;
    process.kill(services.accounts.pid, 'SIGKILL');
    await services.accounts.ended;

    const second = await again();
    const browser = browserAt(second);
    for (const [name, value] of kept.cookies) browser.cookies.set(name, value);
    assert.equal((await browser.ask('GET', '/api/me')).status, 200);
    assert.equal((await browser.ask('GET', '/api/me', { cookie })).status, 401);
    assert.equal((await browser.post('/auth/refresh')).status, 200);
    const event = eventsOf(second.accounts).findLast(({ event: name }) => name === 'session.refreshed');
    assert.equal(event.subject, subject);
    assert.equal(await second.accounts.stop(), 0);

    // Another process blocks the address in the file of the limit.
    const limits = path.join(second.home, 'accounts', 'limits', 'requests');
    RateLimiter.machine(limits).block(ipKey('127.0.0.1'), 60_000);
    const third = await again();
    assert.equal((await browserAt(third).ask('GET', '/')).status, 429);
  });

  test('is refused with a secret that others may read', async (t) => {
    const { services, again } = await twice(t);
    const pepper = path.join(services.home, 'secrets', 'pepper');
    await services.accounts.stop();
    chmodSync(pepper, 0o640);
    await assert.rejects(again(), /ERR_SECRET_PERMISSIONS/);
    chmodSync(pepper, 0o600);
    await again();
  });
});

describe('certificates', () => {
  test('of both services are replaced while they run, and the trail goes on', async (t) => {
    const services = await startHardened(t, 'express', { lifetimeMs: 6_000 });
    const user = await loggedIn(services, ADA);
    const serial = async () => {
      const { port } = new URL(services.url);
      const options = { ca: services.authority.bundle, host: '127.0.0.1', port, servername: 'localhost' };
      const socket = tls.connect(options);
      await once(socket, 'secureConnect');
      const { serialNumber } = socket.getPeerX509Certificate();
      socket.destroy();
      return serialNumber;
    };
    const first = await serial();
    const started = Date.now();
    await until(serial, (next) => next !== first && Date.now() > started + 7_000);
    assert.equal((await user.post('/auth/refresh')).status, 200);
    const refreshed = (records) => records.some(({ event }) => event === 'session.refreshed');
    await until(async () => JSON.parse((await user.ask('GET', '/api/trail')).body), refreshed);
    for (const name of ['accounts.log', 'trail.log', 'trail/trail.jsonl']) {
      assert.equal(statSync(path.join(services.home, name)).mode & 0o077, 0, name);
    }
  });
});

/** Services that a test ends, and the function that starts them again on the same data. */
async function twice(t) {
  const { runServices } = await import('../../examples/hardened-service/platform/run.mjs');
  const services = await startHardened(t, 'express');
  let last = services;
  t.after(() => last.stop());
  const again = async () => {
    await last.stop();
    const { home } = services;
    last = { ...(await runServices({ framework: 'express', home })), home };
    return last;
  };
  return { again, services };
}
