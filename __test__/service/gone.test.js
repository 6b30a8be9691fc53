'use strict';

const assert = require('node:assert/strict');
const http = require('node:http');
const { test } = require('node:test');
const { setTimeout: pause } = require('node:timers/promises');

const { hash, passwordPool } = require('@nodesec/native');
const { createSecurity } = require('../../examples/auth-service/security.js');
const { openUsers } = require('../../examples/auth-service/users.js');
const { EXAMPLES, dataDirectory, listen } = require('../helpers/auth-service.js');

const LOGINS = 15;

for (const example of EXAMPLES) {
  test(`${example}: no password is hashed for a client that has hung up`, async (t) => {
    const data = dataDirectory(t);
    const security = await createSecurity(data);
    const users = openUsers(data);
    const server = await listen(example, { ...security, users });
    t.after(async () => {
      server.close();
      await users.close();
      await security.close();
    });
    // All logins wait for the only thread, which has a hash that does not end by itself.
    passwordPool.configure({ threads: 1 });
    const before = passwordPool.stats();
    const controller = new AbortController();
    const { signal } = controller;
    const endless = hash('x', { memoryCost: 1024, timeCost: 65536, parallelism: 1, signal });
    const requests = Array.from({ length: LOGINS }, (_, number) => login(server, `user-${number}`));
    while (passwordPool.stats().queued < LOGINS) await pause(1);
    for (const request of requests) request.destroy();
    while (passwordPool.stats().queued > 0) await pause(1);
    const { aborted, completed } = passwordPool.stats();
    assert.deepEqual([aborted - before.aborted, completed - before.completed], [LOGINS, 0]);
    controller.abort();
    await assert.rejects(endless, { code: 'ABORT_ERR' });
  });
}

function login(server, username) {
  const request = http.request({
    host: '127.0.0.1',
    port: server.address().port,
    path: '/login',
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
  });
  request.on('error', () => {});
  request.end(JSON.stringify({ username, password: 'a password that is long' }));
  return request;
}
