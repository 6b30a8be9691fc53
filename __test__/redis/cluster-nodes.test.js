'use strict';

// A cluster whose nodes fail one by one: each node has a breaker of its own.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { RedisRateLimiter } = require('@nodesec/native/redis');
const { connect } = require('../../lib/redis/client.js');
const { slotOf } = require('../../lib/redis/slot.js');
const { KEYS, countScripts, degradedOf, onCluster, recovered } = require('../helpers/cluster-limiter.js');
const { heard } = require('../helpers/heard.js');
const { addReplica } = require('../helpers/redis-cluster.js');
const { CLIENTS, CLUSTERS } = require('../helpers/redis-clients.js');
const { RedisServer, startCluster, until } = require('../helpers/redis-server.js');

const HOUR = 3_600_000;

for (const [name, makeCluster] of Object.entries(CLUSTERS)) {
  test(`${name}: while a node is down, the server decides the keys of the other nodes`, async (t) => {
    const cluster = await onCluster(t, makeCluster, { deadlineMs: 10_000 });
    if (cluster === undefined) return;
    const { keysOf, limiter, servers } = cluster;
    const [missing, ...present] = servers.map((server) => keysOf.get(server));
    const events = await heard(async () => {
      await servers[0].kill();
      // The client may take a while to notice, and its other connections may wait meanwhile.
      await until(async () => (await degradedOf(limiter, missing)) === missing.length);
      await until(async () => (await degradedOf(limiter, present.flat())) === 0);
      for (let round = 0; round < 10; round += 1) {
        assert.equal(await degradedOf(limiter, missing), missing.length);
        assert.equal(await degradedOf(limiter, present.flat()), 0);
        assert.equal(limiter.status().degraded, true);
      }
      await servers[0].run();
      await until(async () => (await degradedOf(limiter, KEYS)) === 0);
    });
    assert.equal(limiter.status().reason, undefined);
    const told = events.map(({ event }) => event).filter((event) => /^limit\.(degraded|recovered)/.test(event));
    assert.equal(told.at(-1), 'limit.recovered');
    assert.equal(told.filter((event) => event === 'limit.recovered').length, 1, `${told}`);
  });

  test(`${name}: calls for a silent node do not wait, and calls for the others reach the server`, async (t) => {
    const cluster = await onCluster(t, makeCluster, { deadlineMs: 200, onStoreError: 'deny' });
    if (cluster === undefined) return;
    const { client, keysOf, limiter, servers } = cluster;
    const [missing, ...present] = servers.map((server) => keysOf.get(server));
    servers[0].pause();
    for (const key of missing) assert.equal((await limiter.peek(key)).degraded, true);
    // Only the small script that asks whether the node answers again is on its way.
    const scripts = countScripts(client);
    for (let n = 0; n < 100; n += 1) assert.equal(await degradedOf(limiter, missing), missing.length);
    assert.ok(scripts() < 100, `${scripts()} scripts for ${100 * missing.length} calls`);
    await until(async () => (await degradedOf(limiter, present.flat())) === 0);
    servers[0].resume();
    await until(async () => (await degradedOf(limiter, KEYS)) === 0);
  });

  test(`${name}: the client tells the node of a key, whose slot is the one of the server`, async (t) => {
    const cluster = await onCluster(t, makeCluster);
    if (cluster === undefined) return;
    const { client, servers } = cluster;
    const connection = connect(client);
    const nodes = new Set();
    for (const key of ['', 'ä', 'a{b}c', '{}x', 'a{b', '{b}{c}', 'x'.repeat(300), ...KEYS]) {
      assert.equal(slotOf(key), Number(servers[0].cli('cluster', 'keyslot', key)), key);
      nodes.add(connection.nodeOf(key));
    }
    assert.deepEqual([...nodes].sort(), servers.map(({ port }) => `127.0.0.1:${port}`).sort());
  });
}

test('a failover closes the breaker of the node that has gone', async (t) => {
  const cluster = await onCluster(t, CLUSTERS['redis 6']);
  if (cluster === undefined) return;
  const { keysOf, limiter, servers } = cluster;
  const [lost, heir] = servers;
  const replica = await addReplica(t, lost);
  await lost.kill();
  await until(async () => (await degradedOf(limiter, keysOf.get(lost))) > 0);
  assert.equal(limiter.status().degraded, true);
  replica.cli('cluster', 'failover', 'takeover');
  await until(async () => (await degradedOf(limiter, KEYS)) === 0);
  assert.equal(limiter.status().degraded, false);
  assert.ok(keysOf.get(heir).length > 0);
});

test('a client of one server has one node', async (t) => {
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  const connection = connect(await CLIENTS['ioredis 6'](t, server));
  assert.deepEqual(KEYS.map((key) => connection.nodeOf(key)), KEYS.map(() => undefined));
});

for (const [name, makeCluster] of Object.entries(CLUSTERS)) {
  test(`${name}: a cluster decides for all keys, and without a node for the keys of the others`, async (t) => {
    const servers = await startCluster(t);
    if (servers === undefined) return;
    for (const server of servers) server.cli('config', 'set', 'cluster-require-full-coverage', 'no');
    const client = await makeCluster(t, servers);
    const limiter = new RedisRateLimiter({ client, limit: 2, windowMs: HOUR, deadlineMs: 1000 });
    const keys = Array.from({ length: 30 }, (_, n) => `key ${n}`);
    // A client connects to a node when it needs it first.
    for (const key of keys) await recovered(limiter, key);
    const decisions = () => Promise.all(keys.map((key) => limiter.consume(key)));
    for (const remaining of [1, 0, 0]) {
      assert.deepEqual(
        (await decisions()).map((each) => [each.degraded, each.remaining]),
        keys.map(() => [false, remaining]),
      );
    }
    const sizes = servers.map((server) => Number(server.cli('--raw', 'dbsize')));
    assert.ok(sizes.every((size) => size > 0), `${sizes}`);
    await servers[2].kill();
    for (const key of keys) await limiter.reset(key);
    const seen = { degraded: 0, decided: 0 };
    for (let n = 0; n < 3; n++) {
      for (const { degraded } of await decisions()) seen[degraded ? 'degraded' : 'decided'] += 1;
    }
    assert.ok(seen.degraded > 0, JSON.stringify(seen));
    // Many calls of one key of the missing node keep those of the others from the server only until
    // one of these gets through.
    let isOfMissing = [];
    await until(async () => {
      isOfMissing = [];
      for (const key of keys) isOfMissing.push((await limiter.peek(key)).degraded);
      return new Set(isOfMissing).size === 2;
    });
    const missing = keys[isOfMissing.indexOf(true)];
    for (let n = 0; n < 10; n++) await limiter.peek(missing);
    assert.equal(limiter.status().degraded, true);
    const present = keys.filter((key, at) => !isOfMissing[at]);
    await until(async () => {
      const each = await Promise.all(present.map((key) => limiter.peek(key)));
      return each.length > 0 && each.every(({ degraded }) => !degraded);
    });
    await servers[2].run();
    await until(async () => (await decisions()).every(({ degraded }) => !degraded));
  });
}
