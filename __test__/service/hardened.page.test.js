'use strict';

// The page of examples/hardened-service in Chromium, as a person uses it. The screenshots are in
// the folder that the test names, or in NODESEC_SCREENSHOTS.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { openChromium, screenshots } = require('../helpers/chromium.js');
const { lowContrasts } = require('../helpers/contrast.js');
const { FRAMEWORKS, startHardened } = require('../helpers/hardened.js');

/* global document */

const PASSWORD = 'correct horse battery';

for (const framework of FRAMEWORKS) {
  test(`a person uses every function of the page, in ${framework}`, { timeout: 120_000 }, async (t) => {
    const services = await startHardened(t, framework, { accessTtl: '4s', lifetimeMs: 60_000 });
    const context = await openChromium(t, services.authority.bundle);
    if (context === undefined) return;
    const shoot = screenshots(t, framework);
    const violations = [];
    const page = await openPage(context, services.url, violations);

    // With the keyboard alone.
    await page.keyboard.press('Tab');
    await seen(page.locator('.skip:focus'));
    await shoot(page, '1-logged-out');
    await page.keyboard.press('Tab');
    await page.keyboard.type('ada');
    await page.keyboard.press('Tab');
    await page.keyboard.type(PASSWORD);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate('document.activeElement.textContent'), 'Create account');
    await page.keyboard.press('Enter');
    await told(page, 'Your account exists, and you are logged in.');
    await seen(page.getByText('Logged in as ada'));
    assert.equal(await page.evaluate('document.activeElement.id'), 'signed-in-heading');
    await recorded(page, 'account.registered', 'ok');
    await recorded(page, 'session.started', 'ok');

    // The page refreshes the token by itself, and no script sees one.
    await seen(page.locator('#refreshes').filter({ hasNotText: /^0$/ }));
    await recorded(page, 'session.refreshed', 'ok');
    assert.equal(await page.evaluate('document.cookie'), '');
    const cookies = await context.cookies(services.url);
    assert.ok(cookies.length > 0);
    for (const { name, httpOnly, secure, sameSite } of cookies) {
      assert.deepEqual([httpOnly, secure], [true, true], name);
      assert.equal(sameSite, name === '__Host-at' ? 'Lax' : 'Strict');
    }
    await page.reload();
    await seen(page.getByText('Logged in as ada'));

    await page.getByRole('button', { name: 'Send 15 requests' }).click();
    await told(page, /^1\d of 15 requests were served, the others were too many\. Try again in \d+ s\.$/);
    await recorded(page, 'work.refused', 'denied');
    await shoot(page, '2-limit');
    for (const colorScheme of ['dark', 'light']) {
      await page.emulateMedia({ colorScheme });
      assert.deepEqual(await page.evaluate(lowContrasts), [], colorScheme);
    }

    await page.getByRole('button', { name: 'Replay an old token' }).click();
    await told(page, /^The old token was refused, and the session has ended/);
    await seen(page.getByRole('button', { name: 'Log in', exact: true }));
    await logIn(page, 'a wrong password');
    await told(page, 'This name and password belong to no account.');
    await logIn(page, PASSWORD);
    await told(page, /^You are logged in/);
    await recorded(page, 'session.reused', 'denied');
    await shoot(page, '3-reused');

    // Another browser is logged out, too, and a browser of somebody else sees nothing of it.
    const second = await openChromium(t, services.authority.bundle);
    const other = await openPage(second, services.url, violations);
    await logIn(other, PASSWORD);
    await told(other, /^You are logged in/);
    await seen(page.getByText('another one, since'));
    await page.getByRole('button', { name: 'Log out everywhere' }).click();
    await told(page, 'All your sessions have ended, in every browser.');
    await told(other, 'Your session has ended.');
    await other.getByLabel('Username').fill('bob');
    await other.getByLabel('Password').fill(PASSWORD);
    await other.getByRole('button', { name: 'Create account' }).click();
    await told(other, /^Your account exists/);
    await recorded(other, 'account.registered', 'ok');
    const records = await other.locator('#trail li').evaluateAll((items) => {
      return items.map(({ dataset }) => dataset.event);
    });
    const ofBob = ['account.registered', 'session.refreshed', 'session.started'];
    assert.deepEqual(records.filter((event) => !ofBob.includes(event)), []);

    await page.setViewportSize({ width: 390, height: 844 });
    const width = await page.evaluate('document.documentElement.scrollWidth');
    assert.ok(width <= 390, `the page is ${width} pixels wide on a phone`);
    await shoot(page, '4-phone');

    assert.deepEqual(violations, []);
    const inline = page.evaluate(() => {
      const script = document.createElement('script');
      script.textContent = 'document.title = "inline"';
      document.head.append(script);
    });
    await assert.rejects(inline, /TrustedScript/);
    assert.equal(await page.title(), 'Hardened service');
  });
}

async function openPage(context, url, violations) {
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  page.on('pageerror', (error) => violations.push(error.message));
  page.on('console', (message) => {
    if (/Content Security Policy/.test(message.text())) violations.push(message.text());
  });
  await page.goto(url);
  return page;
}

async function logIn(page, password) {
  await page.getByLabel('Username').fill('ada');
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Log in', exact: true }).click();
}

const seen = (locator) => locator.waitFor({ state: 'visible' });

/** Waits until the page says this to the user. */
async function told(page, text) {
  const status = page.getByRole('status');
  await seen(status.filter({ hasText: text })).catch(async () => {
    assert.fail(`the page says "${await status.textContent()}" in place of ${text}`);
  });
}

/** Waits until the trail beside the page has the record of an event. */
function recorded(page, event, outcome) {
  const item = page.locator(`#trail li[data-event="${event}"]`).filter({ hasText: outcome });
  return seen(item.first());
}
