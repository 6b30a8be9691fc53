'use strict';

const assert = require('node:assert/strict');
const { once } = require('node:events');
const http = require('node:http');
const { test } = require('node:test');
const { setTimeout: pause } = require('node:timers/promises');

const { passwordPool } = require('@nodesec/native');
const { createApp } = require('../../examples/auth-service/app.js');
const { createSecurity } = require('../../examples/auth-service/security.js');
const { openUsers } = require('../../examples/auth-service/users.js');
const { dataDirectory } = require('../helpers/auth-service.js');

const LOGINS = 15;

test('no password is hashed for a client that has hung up', async (t) => {
  const data = dataDirectory(t);
  const security = await createSecurity(data);
  const users = openUsers(data);
  const server = http.createServer(createApp({ ...security, users })).listen(0, '127.0.0.1');
  t.after(async () => {
    server.close();
    await users.close();
    await security.close();
  });
  await once(server, 'listening');
  // The jobs of the other logins wait while one hash has all of the memory.
  passwordPool.configure({ threads: 1 });
  const requests = Array.from({ length: LOGINS }, (_, number) => login(server, `user-${number}`));
  while (passwordPool.stats().queued < LOGINS - 2) await pause(1);
  for (const request of requests) request.destroy();
  while (passwordPool.stats().running + passwordPool.stats().queued > 0) await pause(1);
  const { aborted, completed } = passwordPool.stats();
  assert.equal(aborted + completed, LOGINS);
  assert.ok(aborted > 0, `${completed} of ${LOGINS} were computed`);
});

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
