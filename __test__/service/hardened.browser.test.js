'use strict';

// Pages of other origins in Chromium, while a user of examples/hardened-service is logged in there:
// each of their requests is refused, with one record. The service is at shop.test. A page of
// evil.test is of another site, one of blog.shop.test of the same site.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const https = require('node:https');
const { test } = require('node:test');
const { setTimeout } = require('node:timers/promises');

const { openChromium } = require('../helpers/chromium.js');
const { FRAMEWORKS, eventsOf, startHardened } = require('../helpers/hardened.js');

const ADA = { username: 'ada', password: 'correct horse battery' };

for (const framework of FRAMEWORKS) {
  test(`a hostile page does nothing in a user's name, in ${framework}`, { timeout: 120_000 }, async (t) => {
    const services = await startHardened(t, framework, { accessTtl: '5m' });
    const names = ['shop.test', 'blog.shop.test', 'evil.test'];
    const context = await openChromium(t, services.authority.bundle, names);
    if (context === undefined) return;
    const shop = `https://shop.test:${services.accounts.port}`;
    const hostilePort = await serveHostile(t, services.authority, shop);
    const user = await context.newPage();
    await user.goto(shop);
    await user.getByLabel('Username').fill(ADA.username);
    await user.getByLabel('Password').fill(ADA.password);
    await user.getByRole('button', { name: 'Create account' }).click();
    await user.getByText('Logged in as ada').waitFor();
    const cookies = await context.cookies(shop);

    /** Has a browser open a hostile page, and resolves to the records of its request. */
    async function visit(origin, path) {
      const before = eventsOf(services.accounts).length;
      const denied = () => eventsOf(services.accounts).slice(before).filter(isDenied);
      const page = await context.newPage();
      const statuses = [];
      page.on('response', (response) => {
        if (response.url().startsWith(shop)) statuses.push(response.status());
      });
      await page.goto(`https://${origin}:${hostilePort}${path}`);
      while (denied().length === 0) await setTimeout(20);
      await page.close();
      // The browser withholds the other answers from the page and its tools.
      if (path === '/form') assert.deepEqual(statuses.slice(0, 1), [403]);
      return denied();
    }

    for (const origin of ['evil.test', 'blog.shop.test']) {
      for (const path of ['/form', '/fetch', '/frame']) {
        const events = await visit(origin, path);
        assert.deepEqual(events.map(({ event, kind }) => [event, kind]), [['request.refused', 'cross-origin']]);
        const text = JSON.stringify(events);
        for (const { value } of cookies) assert.ok(!text.includes(value));
      }
    }
    assert.equal(await statusOf(user, 'GET', '/api/me'), 200, 'the user is still logged in');

    // A subdomain sets cookies for the domain: the browser drops one of them, the service refuses
    // requests with the other.
    const blog = await context.newPage();
    await blog.goto(`https://blog.shop.test:${hostilePort}/toss`);
    const tossed = (await context.cookies(`${shop}/auth`)).filter(({ domain }) => domain === '.shop.test');
    assert.deepEqual(tossed.map(({ name }) => name), ['__Secure-rt']);
    assert.equal(await statusOf(user, 'GET', '/api/me'), 200);
    const before = eventsOf(services.accounts).length;
    assert.equal(await statusOf(user, 'POST', '/auth/refresh'), 400);
    const refused = eventsOf(services.accounts).slice(before).filter(isDenied);
    assert.deepEqual(refused.map(({ event, kind }) => [event, kind]), [['request.refused', 'cookie-repeated']]);
  });
}

const isDenied = ({ outcome }) => outcome === 'denied';

/** Sends a request from the service's own page. */
function statusOf(page, method, path) {
  return page.evaluate(async (request) => {
    return (await fetch(request.path, { method: request.method })).status;
  }, { method, path });
}

/** The pages of the attacker, on any name. */
async function serveHostile(t, authority, shop) {
  const target = `${shop}/api/logout-everywhere`;
  const form = `<form method="post" action="${target}"></form><script>document.forms[0].submit()</script>`;
  const quoted = form.replaceAll('"', '&quot;');
  const pages = {
    '/form': form,
    '/fetch': `<script>fetch('${target}', { method: 'POST', mode: 'no-cors', credentials: 'include' })</script>`,
    // Its origin is null.
    '/frame': `<iframe sandbox="allow-scripts allow-forms" srcdoc="${quoted}"></iframe>`,
    '/toss': 'A blog.',
  };
  const pem = await authority.issue([{ type: 'dns', value: 'evil.test' }], 60_000);
  const server = https.createServer({ cert: pem, key: pem }, ({ url }, response) => {
    response.setHeader('Content-Type', 'text/html');
    if (url === '/toss') {
      response.appendHeader('Set-Cookie', '__Secure-rt=tossed; Domain=shop.test; Path=/auth; Secure');
      response.appendHeader('Set-Cookie', '__Host-at=tossed; Domain=shop.test; Path=/; Secure');
    }
    response.end(pages[url] ?? '');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return server.address().port;
}
