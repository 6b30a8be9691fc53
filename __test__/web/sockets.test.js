'use strict';

// Ten thousand connections at once, with a limiter in front. Client and server are processes of
// their own, because both sides take a descriptor for each connection.

const assert = require('node:assert/strict');
const { fork } = require('node:child_process');
const { on, once } = require('node:events');
const path = require('node:path');
const { test } = require('node:test');

const SOCKETS = 10_000;
const UNITS = 4000;
const PLACES = 6000;

function start(t, file, ...args) {
  const child = fork(path.join(__dirname, '..', 'helpers', file), args.map(String));
  t.after(() => child.kill('SIGKILL'));
  return child;
}

/** The first message for which `isIt` gives true. */
async function message(child, isIt) {
  for await (const [sent] of on(child, 'message')) if (isIt(sent)) return sent;
  throw new Error('the process has ended');
}

/** Asks the server for its numbers until they are as expected. */
async function numbers(server, isIt) {
  for (;;) {
    server.send('numbers');
    const [found] = await once(server, 'message');
    if (isIt(found)) return found;
    await new Promise((resolve) => {
      setTimeout(resolve, 20);
    });
  }
}

for (const framework of ['Express 5', 'Fastify 5']) {
  test(`${framework}: a limit holds exactly over ${SOCKETS} connections, and a killed client leaves no place behind`, async (t) => {
    const server = start(t, 'web-server.js', framework, UNITS, PLACES);
    const [{ port }] = await once(server, 'message');
    const client = start(t, 'web-client.js', port, SOCKETS);
    await message(client, ({ opened }) => opened === SOCKETS);
    await numbers(server, ({ connections }) => connections === SOCKETS);

    const answers = (count) => ({ seen = {} }) =>
      Object.values(seen).reduce((sum, n) => sum + n, 0) === count;
    const units = message(client, answers(SOCKETS));
    client.send('/units');
    assert.deepEqual((await units).seen, { 200: UNITS, 429: SOCKETS - UNITS });

    const places = message(client, answers(SOCKETS - PLACES));
    client.send('/places');
    assert.deepEqual((await places).seen, { 503: SOCKETS - PLACES });
    await numbers(server, ({ active }) => active === PLACES);
    client.kill('SIGKILL');
    await numbers(server, ({ active, connections }) => active === 0 && connections === 0);
  });
}
