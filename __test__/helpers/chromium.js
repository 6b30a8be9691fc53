'use strict';

// Chromium without a screen, driven over the DevTools protocol. Debian's package is `chromium`.

const { X509Certificate, createHash } = require('node:crypto');
const { existsSync, mkdirSync, mkdtempSync, rmSync } = require('node:fs');
const { tmpdir } = require('node:os');
const path = require('node:path');

const { missing } = require('./peers.js');

const BINARY = process.env.NODESEC_CHROMIUM ?? '/usr/bin/chromium';

/**
 * Starts Chromium for one test. It trusts the certificates that an authority, a PEM, has signed,
 * for any name, and finds the hosts of `names` on this machine. Undefined if there is no Chromium.
 */
async function openChromium(t, authority, names = []) {
  if (!existsSync(BINARY)) {
    return missing(t, 'Chromium', 'Debian: `apt-get install chromium`, else set NODESEC_CHROMIUM');
  }
  const { chromium } = require('playwright-core');
  const profile = mkdtempSync(path.join(tmpdir(), 'nodesec-chromium-'));
  const spki = new X509Certificate(authority).publicKey.export({ type: 'spki', format: 'der' });
  const hash = createHash('sha256').update(spki).digest('base64');
  // Chromium takes the list with a profile in a folder of its own only.
  const context = await chromium.launchPersistentContext(profile, {
    args: [
      `--ignore-certificate-errors-spki-list=${hash}`,
      `--host-resolver-rules=${names.map((name) => `MAP ${name} 127.0.0.1`).join(', ')}`,
    ],
    // Its sandbox needs namespaces, which containers of CI do not have.
    chromiumSandbox: false,
    executablePath: BINARY,
    viewport: { width: 1180, height: 900 },
  });
  t.after(async () => {
    await context.close();
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  });
  return context;
}

/** Makes the function that takes a picture of a page, for people to look at. */
function screenshots(t, prefix) {
  const folder = process.env.NODESEC_SCREENSHOTS ?? mkdtempSync(path.join(tmpdir(), 'nodesec-screenshots-'));
  mkdirSync(folder, { recursive: true });
  t.diagnostic(`screenshots: ${folder}`);
  return async (page, name) => {
    for (const colorScheme of ['dark', 'light']) {
      await page.emulateMedia({ colorScheme });
      const file = path.join(folder, `${prefix}-${name}-${colorScheme}.png`);
      await page.screenshot({ path: file, fullPage: true });
    }
  };
}

module.exports = { openChromium, screenshots };
