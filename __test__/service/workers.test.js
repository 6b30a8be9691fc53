'use strict';

// The example service with several workers, over real HTTP. Each request has a connection of its
// own, and the primary process gives connections to the workers in turn.

const assert = require('node:assert/strict');
const { readdirSync, readFileSync } = require('node:fs');
const path = require('node:path');
const test = require('node:test');

const { createLimiters } = require('../../examples/auth-service/limiters.js');
const { EXAMPLES, dataDirectory, start } = require('../helpers/auth-service.js');

const ADA = { username: 'ada', password: 'correct horse battery' };
const WRONG = { ...ADA, password: 'incorrect horse battery' };
const WORKERS = 3;
const ALONE = { headers: { Connection: 'close' } };

const statuses = (answers) => answers.map(({ status }) => status).sort();
const times = (count, ask) => Promise.all(Array.from({ length: count }, ask));
/** The processes that a process has started. */
const children = (pid) => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');

for (const example of EXAMPLES) {
  test(`${example}: workers count guesses together, and a right password gives its attempt back`, async (t) => {
    const service = await start(t, { example, workers: WORKERS });
    await service.post('/register', ADA, ALONE);
    const guess = () => service.post('/login', WRONG, ALONE);
    assert.deepEqual(statuses(await times(4, guess)), [401, 401, 401, 401]);
    // One attempt is left, which each of these gives back to the next.
    for (let login = 1; login <= 2 * WORKERS; login += 1) {
      assert.equal((await service.post('/login', ADA, ALONE)).status, 200, `login ${login}`);
    }
    assert.deepEqual(statuses(await times(2 * WORKERS, guess)), [401, 429, 429, 429, 429, 429]);
    assert.equal((await service.post('/login', ADA, ALONE)).status, 429);
    assert.equal(service.log(), '');
  });
}

test('a token of one worker is one of all, until its session ends', async (t) => {
  const service = await start(t, { workers: WORKERS });
  await service.post('/register', ADA, ALONE);
  const { body } = await service.post('/login', ADA, ALONE);
  const token = body.accessToken;
  const me = () => service.ask('GET', '/me', { token, ...ALONE });
  assert.deepEqual(statuses(await times(2 * WORKERS, me)), Array(2 * WORKERS).fill(200));
  assert.equal((await service.ask('POST', '/logout', { token, ...ALONE })).status, 204);
  assert.deepEqual(statuses(await times(2 * WORKERS, me)), Array(2 * WORKERS).fill(401));
});

test('guesses of before a restart of all workers still count', async (t) => {
  const data = dataDirectory(t);
  const first = await start(t, { data, workers: WORKERS });
  await first.post('/register', ADA, ALONE);
  for (let guess = 1; guess <= 5; guess += 1) await first.post('/login', WRONG, ALONE);
  assert.equal(await first.stop(), 0);
  assert.deepEqual(readdirSync(path.join(data, 'limits')).sort(), ['logins', 'passwords', 'requests']);
  const second = await start(t, { data, workers: WORKERS });
  assert.equal((await second.post('/login', ADA, ALONE)).status, 429);
  assert.equal(await second.stop(), 0);
});

const onLinux = process.platform === 'linux' ? test : () => {};

onLinux('a worker that is killed is replaced, and the guesses stay counted', async (t) => {
  const data = dataDirectory(t);
  const service = await start(t, { data, workers: WORKERS });
  await service.post('/register', ADA, ALONE);
  // One by one: the machine's limiter may refuse a rival in error, and then a guess is left.
  for (let guess = 1; guess <= 5; guess += 1) {
    assert.equal((await service.post('/login', WRONG, ALONE)).status, 401, `guess ${guess}`);
  }
  const before = children(service.pid);
  assert.equal(before.length, WORKERS);
  process.kill(Number(before[0]), 'SIGKILL');
  const isReplaced = () => {
    const now = children(service.pid);
    return now.length === WORKERS && !now.includes(before[0]);
  };
  while (!isReplaced()) await new Promise(setImmediate);
  const logins = await times(2 * WORKERS, () => service.post('/login', ADA, ALONE));
  assert.deepEqual(statuses(logins), Array(2 * WORKERS).fill(429));
  // This process reads the same file.
  assert.equal(createLimiters(path.join(data, 'limits')).logins.peek('127.0.0.1 ada').allowed, false);
  assert.equal(await service.stop(), 0);
});
