'use strict';

// Provokes the events of keys, key rings and key sets.

const assert = require('node:assert/strict');

const { KeyRing, RemoteJwks } = require('@nodesec/native');
const { RedisKeyRing } = require('@nodesec/native/redis');
const { KeyServer, providerKey } = require('../key-server.js');
const { outcome } = require('../outcome.js');
const { ringServer } = require('../redis-sender.js');
const { SECRET, key, secretKey } = require('./call.js');

module.exports = {
  async 'keyring.followed'(t) {
    await openRing(t, ringServer());
    return { SECRET };
  },
  async 'keyring.lost'() {
    const send = async () => {
      throw new Error(`NOAUTH ${SECRET}`);
    };
    const { error } = await outcome(() => openRing(undefined, { send }));
    assert.equal(error.code, 'ERR_KEYRING_STORE');
    return { SECRET };
  },
  async 'keyring.restored'(t) {
    const server = ringServer();
    const ring = await openRing(t, server);
    const { version } = ring.status();
    server.lose();
    await ring.rotate({ force: true });
    assert.equal(ring.status().version, version + 1);
    return { SECRET };
  },
  async 'key.added'() {
    new KeyRing().add(key);
    return { SECRET };
  },
  async 'key.rotated'() {
    const ring = new KeyRing({ alg: 'EdDSA' });
    await ring.rotate();
    await ring.rotate({ force: true });
    return {};
  },
  async 'key.retired'() {
    const ring = new KeyRing({ alg: 'EdDSA' });
    await ring.rotate();
    await ring.rotate({ force: true });
    return {};
  },
  async 'key.revoked'() {
    const ring = new KeyRing({ keys: [key] });
    ring.revoke(key.kid);
    return { SECRET };
  },
  async 'key.removed'() {
    const ring = new KeyRing({ alg: 'EdDSA', maxTokenTtl: '1m' });
    await ring.rotate();
    await ring.rotate({ force: true });
    ring.tick(new Date(Date.now() + 86_400_000));
    return {};
  },
  async 'keyset.changed'(t) {
    const server = await KeyServer.start(t, [providerKey('one')]);
    const query = 'a-key-of-the-application';
    await new RemoteJwks(`${server.url}?key=${query}`).refresh();
    return { query };
  },
  async 'keyset.failed'(t) {
    const server = await KeyServer.start(t);
    server.answer = (_, response) => response.writeHead(500).end();
    const query = 'a-key-of-the-application';
    await outcome(() => new RemoteJwks(`${server.url}?key=${query}`).refresh());
    return { query };
  },
};

/** A ring on a server. */
async function openRing(t, client) {
  const key = secretKey();
  const ring = await RedisKeyRing.open({ client, key, alg: 'EdDSA' });
  t.after(() => ring.close());
  return ring;
}
