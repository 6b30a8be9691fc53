'use strict';

// Lists over servers that have lost revocations, or that lag, without another notice.

const assert = require('node:assert/strict');
const { readFileSync } = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');

const { RevocationList } = require('@nodesec/native');
const { RedisRevocations } = require('@nodesec/native/redis');
const { CLIENTS, CLUSTERS } = require('../helpers/redis-clients.js');
const { hear, openList, refuses, secretKey, soon } = require('../helpers/redis-revocations.js');
const { RedisServer, startCluster, until } = require('../helpers/redis-server.js');

const HOUR = 3_600_000;
const STREAM = '{nodesec:revocations}';

/** The newest entry of a stream: its id and its text. */
function newest(server) {
  const [id, , text] = server.cli('--raw', 'xrevrange', STREAM, '+', '-', 'COUNT', '1').split('\n');
  return { id, text };
}

test('an entry that a failover has replaced under the same id is published again', async (t) => {
  const server = await RedisServer.start(t);
  const elsewhere = await RedisServer.start(t);
  if (server === undefined) return;
  const { list, revocations } = await openList(t, server, { maxStaleness: 2 });
  const other = await openList(t, elsewhere, { maxStaleness: 2 });
  await other.list.revokeId('new', soon());
  const { text } = newest(elsewhere);
  const later = [];
  for (const next of ['one later', undefined]) {
    const id = `lost before ${next}`;
    await list.revokeId(id, soon());
    await until(() => server.cli('xlen', STREAM) !== '0\n' && refuses(list, id));
    const { id: at } = newest(server);
    // The process compares the stream with this entry.
    const moment = Date.now();
    await until(() => revocations.status().lastAnswer > moment);
    const added = server.cli('--raw', 'xinfo', 'stream', STREAM).split('\n');
    const count = added[added.indexOf('entries-added') + 1];
    // With the same id and the same number of entries.
    const more = next === undefined ? '' : `redis.call('XADD',KEYS[1],'${at}1','r',ARGV[1])`;
    const set = `redis.call('DEL',KEYS[1]) redis.call('XADD',KEYS[1],'${at}','r',ARGV[1]) ${more}`;
    const counted = `redis.call('XSETID',KEYS[1],'${at}${next === undefined ? '' : '1'}','ENTRIESADDED',${
      Number(count) + (next === undefined ? 0 : 1)
    },'MAXDELETEDID','0-0')`;
    server.cli('eval', `${set} ${counted}`, '1', STREAM, text);
    later.push(id);
    const late = await openList(t, server);
    await until(() => later.every((each) => refuses(late.list, each)));
  }
});

test('a failover that a proxy hides between two comparisons is noticed', async (t) => {
  const primary = await RedisServer.start(t);
  const replica = await RedisServer.start(t);
  const elsewhere = await RedisServer.start(t);
  if (primary === undefined) return;
  const foreign = await openList(t, elsewhere);
  for (const id of ['lost', 'between', 'newest']) await foreign.list.revokeId(id, soon());
  const lines = elsewhere.cli('--raw', 'xrange', STREAM, '-', '+').split('\n');
  const [lost, between, last] = lines.filter((_, at) => at % 3 === 2);
  const heir = await CLIENTS.send(t, replica);
  let server = await CLIENTS.send(t, primary);
  let lose = null;
  // The proxy changes the server after a read that has the entry that will be lost.
  const send = async (args) => {
    const isLast = lose !== null && server !== heir && args[0] === 'XREAD';
    if (isLast) lose();
    const reply = await server.send(args);
    if (isLast) server = heir;
    return reply;
  };
  const list = new RevocationList();
  const revocations = await RedisRevocations.open({ client: { send }, list, key: secretKey(), maxStaleness: 20 });
  t.after(() => revocations.close());
  await list.revokeId('kept', soon());
  const [ms] = newest(primary).id.split('-').map(Number);
  replica.cli('replicaof', '127.0.0.1', `${primary.port}`);
  await until(() => replica.cli('xlen', STREAM) === '1\n');
  replica.cli('replicaof', 'no', 'one');
  // Others revoke on the new primary, whose clock is behind: the number of entries is right.
  replica.cli('xadd', STREAM, `${ms + 999}-0`, 'r', between);
  replica.cli('xadd', STREAM, `${ms + 2000}-0`, 'r', last);
  lose = () => primary.cli('xadd', STREAM, `${ms + 1000}-0`, 'r', lost);
  await until(() => ['lost', 'between', 'newest'].every((id) => refuses(list, id)));
  assert.equal(server, heir);
  // The new primary gets the one that is lost.
  await until(() => Number(replica.cli('xlen', STREAM)) > 3);
});

test('a server that has forgotten what it took is noticed by the process that published it', async (t) => {
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  const send = (await CLIENTS.send(t, server)).send;
  let isHidden = true;
  // The entry never comes to the connection that reads.
  const client = {
    send: (args) => (args[0] === 'XADD' && isHidden ? `${Date.now() + 1000}-0` : send(args)),
  };
  const list = new RevocationList();
  const options = { client, list, key: secretKey(), maxStaleness: 1 };
  const revocations = await RedisRevocations.open(options);
  t.after(() => revocations.close());
  const events = hear(t, ['revocation.republished']);
  await list.revokeId('a', soon());
  isHidden = false;
  await until(() => events.length > 0);
  const late = await openList(t, server);
  assert.ok(refuses(late.list, 'a'));
});

test('a replica is no server of a list, and a primary that becomes one stops confirming', async (t) => {
  const primary = await RedisServer.start(t);
  if (primary === undefined) return;
  const replica = await RedisServer.start(t, { settings: ['--replicaof', '127.0.0.1', `${primary.port}`] });
  await until(() => replica.cli('info', 'replication').includes('master_link_status:up'));
  const { revocations } = await openList(t, primary, { maxStaleness: 1 });
  await until(() => replica.cli('exists', `${STREAM}:meta`) === '1\n');
  const client = await CLIENTS['ioredis 6'](t, replica);
  const options = { client, list: new RevocationList(), key: secretKey(), maxStaleness: 1 };
  await assert.rejects(RedisRevocations.open(options), { code: 'ERR_REVOCATION_STORE', message: /\(a replica\)/ });
  primary.cli('replicaof', '127.0.0.1', '1');
  await until(() => revocations.status().state === 'stale');
  assert.equal(revocations.status().reason, 'a replica');
  primary.cli('replicaof', 'no', 'one');
  await until(() => revocations.status().state === 'following');
});

test('a server whose reads lag behind its last entry confirms nothing', async (t) => {
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  const send = (await CLIENTS.send(t, server)).send;
  let lags = false;
  const client = {
    async send(args) {
      const reply = await send(args);
      if (!lags) return reply;
      return { XREAD: null, XRANGE: [] }[args[0]] ?? (args[0] === 'XREAD' ? null : reply);
    },
  };
  const list = new RevocationList();
  const options = { client, list, key: secretKey(), maxStaleness: 1 };
  const revocations = await RedisRevocations.open(options);
  t.after(() => revocations.close());
  const other = await openList(t, server);
  lags = true;
  await other.list.revokeId('a', soon());
  await until(() => revocations.status().state === 'stale');
  lags = false;
  await until(() => revocations.status().state === 'following' && refuses(list, 'a'));
});

test('a Cluster of ioredis that reads from replicas follows a primary', async (t) => {
  const servers = await startCluster(t);
  if (servers === undefined) return;
  const client = await CLUSTERS['ioredis 6'](t, servers, { scaleReads: 'slave' });
  const duplicates = [];
  const duplicate = client.duplicate.bind(client);
  client.duplicate = (...args) => {
    duplicates.push(duplicate(...args));
    return duplicates.at(-1);
  };
  const list = new RevocationList();
  const revocations = await RedisRevocations.open({ client, list, key: secretKey(), maxStaleness: 2 });
  t.after(() => revocations.close());
  await list.revokeId('a', soon());
  assert.equal(duplicates.length, 2);
  assert.deepEqual(duplicates.map(({ options }) => options.scaleReads), ['master', 'master']);
});

test('a user with the rights of docs/redis.md and no others is enough, and without ROLE there is a warning', async (t) => {
  const page = readFileSync(path.join(__dirname, '..', '..', 'docs', 'redis.md'), 'utf8');
  const [, rights] = /`(~\{nodesec:revocations\}\* [^`]+)`/.exec(page);
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  const warnings = [];
  const onWarning = ({ code }) => warnings.push(code);
  process.on('warning', onWarning);
  t.after(() => process.off('warning', onWarning));
  server.cli('acl', 'setuser', 'lists', 'on', '>password', ...rights.split(/\s+/));
  const login = { port: server.port, password: 'password' };
  for (const kind of ['ioredis 6', 'redis 6']) {
    const { list } = await openList(t, login, { kind, own: { username: 'lists' } });
    await list.revokeId(kind, soon());
    await list.revokeKey(kind);
    const late = await openList(t, login, { kind, key: undefined, prefix: 'nodesec:revocations}other', own: { username: 'lists' } }).catch(({ code }) => code);
    assert.equal(late, 'ERR_INVALID_ARG_VALUE');
  }
  assert.deepEqual(warnings, []);
  // Without INFO, a list still knows the role.
  server.cli('acl', 'setuser', 'lists', '-info');
  const { list: other } = await openList(t, login, { own: { username: 'lists' } });
  assert.ok(refuses(other, 'redis 6'));
  assert.deepEqual(warnings, []);
  server.cli('acl', 'setuser', 'lists', '-role');
  const { list } = await openList(t, login, { own: { username: 'lists' } });
  await list.revokeId('a', soon());
  assert.ok(refuses(list, 'ioredis 6'));
  await until(() => warnings.length > 0);
  assert.deepEqual(warnings, ['NODESEC_REDIS_ROLE']);
});

test('a lasting row is in the stream and in the hash, or in neither', async (t) => {
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  const { list } = await openList(t, server);
  // The hash cannot be written: nothing is, and the row is published again.
  server.cli('set', `${STREAM}:lasting`, 'a text');
  await assert.rejects(list.revokeKey('k'), { code: 'ERR_REVOCATION_STORE', message: /\(WRONGTYPE\)|\(ERR\)/ });
  assert.equal(Number(server.cli('xlen', STREAM)), 0);
  server.cli('del', `${STREAM}:lasting`);
  await until(() => Number(server.cli('hlen', `${STREAM}:lasting`)) === 1);
  const calls = server.cli('info', 'commandstats');
  await list.revokeKey('l');
  const since = server.cli('info', 'commandstats');
  const scripts = (text) => Number(/cmdstat_evalsha:calls=(\d+)/.exec(text)?.[1] ?? 0);
  assert.equal(scripts(since) - scripts(calls), 1);
  assert.equal(Number(server.cli('hlen', `${STREAM}:lasting`)), 2);
});

test('entries of others that are no rows stop no process, however many and long they are', async (t) => {
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  const { list, revocations } = await openList(t, server);
  await list.revokeId('a', soon());
  const add = `for n=1,1200 do redis.call('XADD',KEYS[1],'*','r',ARGV[1])
    redis.call('HSET',KEYS[2],n,ARGV[1]) end`;
  server.cli('eval', add, '2', STREAM, `${STREAM}:lasting`, 'A'.repeat(60_000));
  await until(() => revocations.status().ignored.forged === 1200);
  const late = await openList(t, server, { maxStaleness: 10 });
  assert.ok(refuses(late.list, 'a'));
  assert.equal(late.revocations.status().ignored.forged, 2400);
});

test('a list that does not get long answers in time reads fewer entries at once', async (t) => {
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  const { send } = await CLIENTS.send(t, server);
  const counts = new Set();
  const client = {
    send(args) {
      const at = args.indexOf('COUNT');
      if (at === -1) return send(args);
      counts.add(Number(args[at + 1]));
      return args[at + 1] > 300 ? new Promise(() => {}) : send(args);
    },
  };
  const other = await openList(t, server);
  for (let count = 0; count < 300; count += 1) await other.list.revokeId(`${count}`, soon());
  const list = new RevocationList();
  const options = { client, list, key: secretKey(), maxStaleness: 8 };
  const revocations = await RedisRevocations.open(options);
  t.after(() => revocations.close());
  assert.ok(refuses(list, '0') && refuses(list, '299'));
  assert.deepEqual([...counts].slice(0, 2), [2000, 250]);
  await other.list.revokeId('later', soon());
  await until(() => refuses(list, 'later'));
});

for (const key of [undefined, 7]) {
  test(`an entry that a clock in the past has given its id is not trimmed while it is needed, ${key}`, async (t) => {
    const server = await RedisServer.start(t);
    if (server === undefined) return;
    const { send } = await CLIENTS.send(t, server);
    const behind = Date.now() - 48 * HOUR;
    let isBehind = true;
    const trims = [];
    const client = {
      send(args) {
        const at = args.indexOf('*');
        if (args[0] !== 'XADD') return send(args);
        if (args.includes('MINID')) trims.push(Number(args[args.indexOf('MINID') + 2]));
        return send(isBehind ? args.toSpliced(at, 1, `${behind}-1`) : args);
      },
    };
    let now = Date.now();
    const list = new RevocationList({ clock: () => new Date(now), maxTokenTtl: '12h' });
    const secret = key === undefined ? {} : { key: secretKey(key) };
    const revocations = await RedisRevocations.open({ client, list, maxStaleness: 2, ...secret });
    t.after(() => revocations.close());
    await list.revokeId('a', Math.floor((now + 10 * HOUR) / 1000));
    isBehind = false;
    now += 3 * HOUR;
    for (const id of ['b', 'c', 'd']) {
      await list.revokeId(id, Math.floor((now + HOUR) / 1000));
      const moment = Date.now();
      await until(() => revocations.status().lastAnswer > moment);
    }
    assert.ok(trims.length > 0);
    assert.ok(trims.every((least) => least <= behind), `${trims} ${behind}`);
    assert.ok(trims.at(-1) > behind - 24 * HOUR);
  });
}
