'use strict';

// Runs `npm start` of this checkout without a terminal.

const assert = require('node:assert/strict');
const { execFile } = require('node:child_process');
const { once } = require('node:events');
const { mkdtempSync, readdirSync, rmSync } = require('node:fs');
const { createServer } = require('node:http');
const { tmpdir } = require('node:os');
const path = require('node:path');
const test = require('node:test');

const { missing } = require('../helpers/peers.js');
const { RedisServer } = require('../helpers/redis-server.js');

const ROOT = path.join(__dirname, '..', '..');

/**
 * Runs `npm start` with a folder of its own for temporary files, and reports the files left there.
 */
async function npmStart(t, ...args) {
  const { startable } = await import('../../scripts/lib/run.mjs');
  const temporary = mkdtempSync(path.join(tmpdir(), 'start-test-'));
  t.after(() => rmSync(temporary, { recursive: true, force: true }));
  const env = { ...process.env, TMPDIR: temporary, TEMP: temporary, TMP: temporary };
  return new Promise((resolve) => {
    const child = execFile(
      ...startable('npm', ['start', '--', ...args]),
      { cwd: ROOT, env },
      (_, stdout, stderr) => {
        const left = readdirSync(temporary).filter((name) => /^(?:auth-service|nodesec-redis)/.test(name));
        resolve({ status: child.exitCode, stdout, stderr, left });
      },
    );
  });
}

test('npm start makes the same visit to both services, checks every answer and cleans up', async (t) => {
  const { status, stdout, stderr, left } = await npmStart(t, '--once');
  assert.equal(status, 0, stdout + stderr);
  const [, ...visits] = stdout.split('\nThe service of examples/');
  assert.deepEqual(visits.map((text) => text.match(/^[\w-]+/)[0]), ['auth-service', 'fastify-service']);
  for (const line of [
    /listens on http:\/\/127\.0\.0\.1:\d+$/m,
    /register +POST \/register +201 user [\w-]+… +[\d.]+ ms$/m,
    /a wrong password +POST \/login +401 invalid_credentials/,
    /login +POST \/login +200 access eyJ\w+…/,
    /who am I +GET \/me +200 ada/,
    /refresh +POST \/refresh +200 rotated/,
    /the same token again +POST \/refresh +200 replayed/,
    /used up +POST \/refresh +401 refresh_token_reused/,
    /logout everywhere +POST \/logout-everywhere +204/,
    /SIGKILL, and a new start\n +the phone +GET \/me +401 invalid_token .*\n +its refresh token +POST \/refresh +401 .*\n +the laptop +GET \/me +200 ada .*\n +its session goes on +POST \/refresh +200 rotated/,
    /right password +POST \/login +429 rate_limited, retry after \d+ s/,
    /GET \/.well-known\/jwks\.json 200 2 keys, max-age=600/,
    /GET \/.well-known\/jwks\.json 304/,
  ]) {
    for (const text of visits) assert.match(text, line);
  }
  assert.match(stdout, /^Every answer was the expected one\.$/m);
  assert.doesNotMatch(stdout, /curl/, 'it does not stay up');
  assert.deepEqual(left, []);
});

test('npm start -- --redis shows a logout and a limit that two instances share', async (t) => {
  if (!RedisServer.isInstalled()) return missing(t, 'redis-server', 'install Redis');
  const { status, stdout, stderr, left } = await npmStart(t, '--redis');
  assert.equal(status, 0, stdout + stderr);
  for (const line of [
    /A on http:\/\/127\.0\.0\.1:\d+, B on http:\/\/127\.0\.0\.1:\d+$/m,
    /A: login +POST \/login +200 access eyJ\w+…/,
    /B: who am I +GET \/me +200 ada/,
    /B: refresh +POST \/refresh +200 rotated/,
    /A: logout +POST \/logout +204/,
    /B: who am I +GET \/me +401 invalid_token/,
    /B: refresh +POST \/refresh +401 refresh_token_unknown/,
    /A: guess 5 +POST \/login +401 invalid_credentials/,
    /B: the right password +POST \/login +429 rate_limited, retry after \d+ s/,
    /A: the right password +POST \/login +429 rate_limited, retry after \d+ s/,
    /^Every answer was the expected one\.$/m,
  ]) {
    assert.match(stdout, line);
  }
  assert.deepEqual(left, []);
});

test('without a terminal it ends by itself', async (t) => {
  const { status, stdout } = await npmStart(t);
  assert.equal(status, 0);
  assert.match(stdout, /Every answer was the expected one/);
});

test('a port that is taken is named, with status 1', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const { port } = server.address();
  const { status, stderr, left } = await npmStart(t, '--port', `${port}`);
  assert.equal(status, 1);
  assert.match(stderr, new RegExp(`address already in use 127\\.0\\.0\\.1:${port}`));
  assert.deepEqual(left, []);
});

test('a misspelt option is named, with status 1', async (t) => {
  const { status, stderr } = await npmStart(t, '--prot');
  assert.equal(status, 1);
  assert.match(stderr, /Unknown option '--prot'/);
  assert.doesNotMatch(stderr, /^ +at /m);
});
