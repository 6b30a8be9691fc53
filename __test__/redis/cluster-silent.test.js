'use strict';

// A cluster with a node that hangs: its connections stay, and are silent.

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { setTimeout: sleep } = require('node:timers/promises');

const { connect } = require('../../lib/redis/client.js');
const { KEYS, countScripts, degradedOf, onCluster } = require('../helpers/cluster-limiter.js');
const { heard } = require('../helpers/heard.js');
const { addReplica, moveSlot, nodeOfKey } = require('../helpers/redis-cluster.js');
const { CLUSTERS } = require('../helpers/redis-clients.js');
const { until } = require('../helpers/redis-server.js');

const OPTIONS = { deadlineMs: 200, onStoreError: 'deny' };

/** Has a breaker open: each call of these keys goes on without the server, without a wait. */
async function open(limiter, keys) {
  for (let n = 0; n < 6; n += 1) assert.equal(await degradedOf(limiter, keys), keys.length);
}

/** The name of a limiter's key on the server, of which the node has no other keys. */
async function storedKey(servers, limiter, key) {
  const names = () => servers.flatMap((server) => server.cli('--raw', 'keys', 'p:*').trim().split('\n'));
  await limiter.reset(key);
  const before = new Set(names());
  await limiter.consume(key);
  return names().find((name) => !before.has(name));
}

function told(events) {
  return events.map(({ event }) => event).filter((event) => /^limit\.(degraded|recovered)/.test(event));
}

for (const [name, makeCluster] of Object.entries(CLUSTERS)) {
  test(`${name}: after a failover, the keys of a node that hangs are decided by its heir`, async (t) => {
    const cluster = await onCluster(t, makeCluster, OPTIONS);
    if (cluster === undefined) return;
    const { keysOf, limiter, servers } = cluster;
    const replica = await addReplica(t, servers[0]);
    servers[0].pause();
    const events = await heard(async () => {
      await open(limiter, keysOf.get(servers[0]));
      replica.cli('cluster', 'failover', 'takeover');
      await until(async () => (await degradedOf(limiter, KEYS)) === 0);
    });
    assert.equal(limiter.status().degraded, false);
    assert.equal(told(events).at(-1), 'limit.recovered');
    servers[0].resume();
  });

  test(`${name}: a slot that moves to a node that hangs keeps no other slot from its node`, async (t) => {
    const cluster = await onCluster(t, makeCluster, OPTIONS);
    if (cluster === undefined) return;
    const { keysOf, limiter, servers } = cluster;
    const [key] = KEYS;
    const stored = await storedKey(servers, limiter, key);
    const others = keysOf.get(nodeOfKey(servers, stored)).filter((other) => other !== key);
    await moveSlot(servers, stored, async (from, to) => {
      to.pause();
      // Again and again the moving slot is the first that asks.
      for (let n = 0; n < 3; n += 1) {
        await open(limiter, [key]);
        await until(async () => {
          await limiter.peek(key);
          return (await degradedOf(limiter, others)) === 0;
        });
      }
      to.resume();
    });
    await until(async () => (await degradedOf(limiter, KEYS)) === 0);
  });

  test(`${name}: a node that hangs has not recovered because one of its slots has moved`, async (t) => {
    const cluster = await onCluster(t, makeCluster, OPTIONS);
    if (cluster === undefined) return;
    const { client, keysOf, limiter, servers } = cluster;
    const [key] = keysOf.get(servers[0]);
    const others = keysOf.get(servers[0]).slice(1);
    const stored = await storedKey(servers, limiter, key);
    const slot = servers[0].cli('cluster', 'keyslot', stored).trim();
    const owner = () => connect(client).nodeOf(stored);
    const hung = owner();
    const events = await heard(async () => {
      servers[0].pause();
      // Each call that fails is one of the slot that moves.
      await open(limiter, [key]);
      const id = servers[1].cli('cluster', 'myid').trim();
      for (const server of servers.slice(1)) server.cli('cluster', 'setslot', slot, 'node', id);
      servers[1].cli('cluster', 'bumpepoch');
      await until(async () => {
        await limiter.peek(key);
        return owner() !== hung;
      });
      await until(async () => (await degradedOf(limiter, [key])) === 0);
      assert.equal(limiter.status().reason, 'deadline');
      assert.equal(await degradedOf(limiter, others), others.length);
    });
    assert.deepEqual(told(events), ['limit.degraded']);
    servers[0].resume();
    await until(async () => (await degradedOf(limiter, KEYS)) === 0);
    assert.equal(limiter.status().degraded, false);
  });

  test(`${name}: while a node hangs, at most one question for each of its slots waits in the client`, async (t) => {
    const cluster = await onCluster(t, makeCluster, { ...OPTIONS, deadlineMs: 20 });
    if (cluster === undefined) return;
    const { client, keysOf, limiter, servers } = cluster;
    const keys = keysOf.get(servers[0]).slice(0, 2);
    servers[0].pause();
    await open(limiter, keys);
    const sent = countScripts(client);
    // Some probes are due in this time.
    const end = performance.now() + 1500;
    while (performance.now() < end) {
      assert.equal(await degradedOf(limiter, keys), keys.length);
      await sleep(10);
    }
    assert.ok(sent() <= keys.length, `${sent()} probes`);
    servers[0].resume();
    await until(async () => (await degradedOf(limiter, KEYS)) === 0);
  });
}
