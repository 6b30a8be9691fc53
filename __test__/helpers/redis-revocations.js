'use strict';

// Lists on a server of Redis, for tests.

const { subscribe, unsubscribe } = require('node:diagnostics_channel');

const { RevocationList, SecretBuffer } = require('@nodesec/native');
const { RedisRevocations } = require('@nodesec/native/redis');
const { CLIENTS } = require('./redis-clients.js');

const KEY = Buffer.alloc(32, 7);

/** A list on the server, over a client of its own. `more` are options. */
async function openList(t, server, { kind = 'ioredis 6', lists, own, ...more } = {}) {
  const list = new RevocationList(lists);
  const client = await CLIENTS[kind](t, server, own);
  const options = { client, list, maxStaleness: 2, key: secretKey(), ...more };
  const revocations = await RedisRevocations.open(options);
  t.after(() => revocations.close());
  return { client, list, revocations };
}

function secretKey(byte) {
  return SecretBuffer.from(byte === undefined ? Buffer.from(KEY) : Buffer.alloc(32, byte));
}

/** Whether a list refuses a token with this id, which is long valid. */
function refuses(list, jti) {
  return list.isRevoked({ jti, iat: 1 });
}

/** An expiry in ten minutes. */
function soon() {
  return Math.floor(Date.now() / 1000) + 600;
}

/** The events of these names of the audit trail, as they come during a test. */
function hear(t, names) {
  const events = [];
  const listener = (event) => events.push(event);
  for (const name of names) {
    subscribe(`nodesec:${name}`, listener);
    t.after(() => unsubscribe(`nodesec:${name}`, listener));
  }
  return events;
}

module.exports = { hear, openList, refuses, secretKey, soon };
