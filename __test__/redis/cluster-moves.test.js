'use strict';

// A cluster whose slots move to another node, by a resharding or by a failover, while every
// connection stays: the old node answers ASK and MOVED.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { RevocationList } = require('@nodesec/native');
const { RedisRateLimiter, RedisRevocations } = require('@nodesec/native/redis');
const { CLUSTERS } = require('../helpers/redis-clients.js');
const { addReplica, moveSlot, nodeOfKey } = require('../helpers/redis-cluster.js');
const { hear, openList, refuses, secretKey, soon } = require('../helpers/redis-revocations.js');
const { RedisServer, startCluster, until } = require('../helpers/redis-server.js');
const { makeSessions } = require('../helpers/redis-sessions.js');

const STREAM = '{nodesec:revocations}';

/** Has a client reach every node, which a Cluster of ioredis does at its first command there. */
async function reachAll(client, nodes) {
  const limiter = new RedisRateLimiter({ client, limit: 1, windowMs: 1000, denyCache: 0, prefix: 'reach' });
  for (let n = 0; n < 20 * nodes.length; n += 1) {
    await until(async () => !(await limiter.peek(`${n}`)).degraded);
  }
}

async function openOn(t, makeCluster, nodes) {
  const list = new RevocationList();
  const client = await makeCluster(t, nodes);
  const options = { client, list, key: secretKey(), maxStaleness: 4 };
  const revocations = await RedisRevocations.open(options);
  t.after(() => revocations.close());
  return { list, revocations };
}

/** Resolves when a list refuses an id, also if its client takes long to find a node. */
function refused(list, id) {
  return until(() => {
    try {
      return refuses(list, id);
    } catch (error) {
      if (error.code !== 'ERR_REVOCATION_STALE') throw error;
      return false;
    }
  });
}

for (const [name, makeCluster] of Object.entries(CLUSTERS)) {
  test(`${name}: a limit goes on counting while its slot moves`, async (t) => {
    const nodes = await startCluster(t);
    if (nodes === undefined) return;
    const client = await makeCluster(t, nodes);
    await reachAll(client, nodes);
    const limiter = new RedisRateLimiter({ client, limit: 9, windowMs: 3_600_000, prefix: 'p', deadlineMs: 5000 });
    let left = 9;
    const take = async () => {
      left -= 1;
      const { degraded, remaining } = await limiter.consume('key');
      assert.deepEqual([degraded, remaining], [false, left]);
    };
    await take();
    const stored = nodes.flatMap((node) => node.cli('--raw', 'keys', 'p:*').trim().split('\n')).find(Boolean);
    await moveSlot(nodes, stored, async () => {
      await take();
      await take();
    });
    await take();
    await limiter.penalize('key', 2);
    left -= 2;
    await take();
  });

  test(`${name}: sessions go on while their slot moves`, async (t) => {
    const nodes = await startCluster(t);
    if (nodes === undefined) return;
    const client = await makeCluster(t, nodes);
    await reachAll(client, nodes);
    const { sessions, judge } = makeSessions(client, { deadlineMs: 5000, grace: 0 });
    let { refreshToken } = await sessions.start('ada');
    const other = await sessions.start('ada');
    const rotate = async () => {
      const { status, pair } = await sessions.refresh(refreshToken);
      assert.equal(status, 'rotated');
      ({ refreshToken } = pair);
    };
    await rotate();
    const stored = nodes.flatMap((node) => node.cli('--raw', 'keys', '*sessions*').trim().split('\n')).find(Boolean);
    await moveSlot(nodes, stored, async () => {
      await rotate();
      await sessions.end(other.sessionId);
      assert.equal(judge(other), 'ERR_JWT_REVOKED');
      assert.equal((await sessions.list('ada')).length, 1);
    });
    await rotate();
    assert.equal((await sessions.refresh(other.refreshToken)).status, 'unknown');
    await sessions.endAll('ada');
    assert.deepEqual(await sessions.list('ada'), []);
  });

  test(`${name}: lists follow a stream whose slot moves`, async (t) => {
    const nodes = await startCluster(t);
    if (nodes === undefined) return;
    const [one, other] = [await openOn(t, makeCluster, nodes), await openOn(t, makeCluster, nodes)];
    const share = async (from, to, id) => {
      // A Cluster of ioredis refuses the first command for a node that it has not reached: the
      // list publishes again.
      await from.list.revokeId(id, soon()).catch(() => {});
      await refused(from.list, id);
      await refused(to.list, id);
    };
    await share(one, other, 'before');
    await one.list.revokeKey('k');
    const { to } = await moveSlot(nodes, STREAM, async () => {
      await share(one, other, 'meanwhile');
      await share(other, one, 'meanwhile, back');
    });
    await share(other, one, 'after');
    await share(one, other, 'after, back');
    await until(() => [one, other].every(({ revocations }) => revocations.status().state === 'following'));
    const late = await openOn(t, makeCluster, nodes);
    for (const id of ['before', 'meanwhile', 'meanwhile, back', 'after', 'after, back']) {
      assert.ok(refuses(late.list, id), id);
    }
    assert.ok(late.list.isRevoked({ jti: 'x', kid: 'k' }));
    assert.ok(Number(to.cli('xlen', STREAM)) >= 6);
  });
}

for (const name of ['ioredis 6', 'ioredis 5']) {
  test(`${name}: a node that takes over a slot and does not answer ends no process`, async (t) => {
    const nodes = await startCluster(t);
    if (nodes === undefined) return;
    const { list, revocations } = await openOn(t, CLUSTERS[name], nodes);
    await moveSlot(nodes, STREAM, async (from, to) => {
      to.pause();
      // The list has sent ASKING, and gives the connection up. The runner of the tests fails this
      // one if a rejection is unhandled.
      await assert.rejects(list.revokeId('a', soon()), { code: 'ERR_REVOCATION_STORE' });
      await until(() => revocations.status().state !== 'following');
      to.resume();
    });
    await until(() => revocations.status().state === 'following');
    await until(() => revocations.status().unconfirmed === 0);
    const late = await openOn(t, CLUSTERS[name], nodes);
    assert.ok(refuses(late.list, 'a'));
  });
}

/**
 * Makes a replica without the last entries of a stream the primary of its node, which stays up and
 * keeps its connections. `lose()` publishes these entries.
 */
async function loseByFailover(t, nodes, lose) {
  const primary = nodeOfKey(nodes, STREAM);
  const replica = await addReplica(t, primary);
  await until(() => replica.cli('cluster', 'nodes').includes('slave'));
  // The replica gets no entries any more; clients keep their connections.
  primary.cli('acl', 'setuser', 'default', '-psync', '-sync');
  primary.cli('client', 'kill', 'type', 'replica');
  await until(() => replica.cli('info', 'replication').includes('master_link_status:down'));
  await lose(primary);
  return { primary, replica };
}

for (const name of Object.keys(CLUSTERS)) {
  test(`${name}: a list notices entries that a failover without a break has replaced`, async (t) => {
    const nodes = await startCluster(t);
    const elsewhere = await RedisServer.start(t);
    if (nodes === undefined) return;
    const foreign = await openList(t, elsewhere);
    await foreign.list.revokeId('of another process', soon());
    await foreign.list.revokeId('of one more process', soon());
    const rows = elsewhere.cli('--raw', 'xrange', STREAM, '-', '+').trim().split('\n').filter((_, at) => at % 3 === 2);
    const one = await openOn(t, CLUSTERS[name], nodes);
    await one.list.revokeId('kept', soon());
    let lostAt;
    const { primary, replica } = await loseByFailover(t, nodes, async (node) => {
      await one.list.revokeId('lost', soon());
      [lostAt] = node.cli('--raw', 'xrevrange', STREAM, '+', '-', 'COUNT', '1').split('\n');
      // The process compares the stream with this entry.
      const moment = Date.now();
      await until(() => one.revocations.status().lastAnswer > moment);
    });
    const republished = hear(t, ['revocation.republished']);
    replica.cli('cluster', 'failover', 'takeover');
    await until(() => replica.cli('role').startsWith('master'));
    // Other processes revoke on the new primary, whose clock is a moment behind at first: the
    // number of entries is the expected one, and the last id is a later one.
    const [ms] = lostAt.split('-').map(Number);
    replica.cli('xadd', STREAM, `${ms - 1}-0`, 'r', rows[0]);
    replica.cli('xadd', STREAM, `${ms + 1}-0`, 'r', rows[1]);
    await refused(one.list, 'of another process');
    await refused(one.list, 'of one more process');
    await until(() => republished.length > 0);
    const late = await openOn(t, CLUSTERS[name], [replica, ...nodes.filter((node) => node !== primary)]);
    for (const id of ['kept', 'lost', 'of another process', 'of one more process']) {
      assert.ok(refuses(late.list, id), id);
    }
  });
}
