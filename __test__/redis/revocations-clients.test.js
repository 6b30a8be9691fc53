'use strict';

// Lists over clients that fail in unusual ways, and over connections that say nothing.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { RevocationList } = require('@nodesec/native');
const { RedisRevocations } = require('@nodesec/native/redis');
const { CLIENTS } = require('../helpers/redis-clients.js');
const { refuses, secretKey, soon } = require('../helpers/redis-revocations.js');
const { RedisServer, until } = require('../helpers/redis-server.js');

/** A list over `send`, of which `answer(args, send)` may give another answer. */
async function openSender(t, server, answer, more) {
  const { send } = await CLIENTS.send(t, server);
  const client = { send: (args) => answer(args, send) };
  const list = new RevocationList();
  const options = { client, list, key: secretKey(), maxStaleness: 1, ...more };
  const revocations = await RedisRevocations.open(options);
  t.after(() => revocations.close());
  return { list, revocations };
}

for (const reason of [undefined, null, { message: { __proto__: null } }]) {
  test(`a send that rejects with ${JSON.stringify(reason)} is an outage, and the process goes on`, async (t) => {
    const server = await RedisServer.start(t);
    if (server === undefined) return;
    let isDown = false;
    const { list, revocations } = await openSender(t, server, async (args, send) => {
      if (isDown) throw reason;
      return send(args);
    });
    isDown = true;
    await assert.rejects(list.revokeId('a', soon()), { code: 'ERR_REVOCATION_STORE' });
    await until(() => revocations.status().state === 'stale');
    isDown = false;
    await until(() => revocations.status().state === 'following' && refuses(list, 'a'));
    await until(() => revocations.status().unconfirmed === 0);
  });
}
