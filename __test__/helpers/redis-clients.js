'use strict';

// The clients of Redis and Valkey that are supported, with the settings that docs/redis.md
// recommends. Each ends with its test.

const Iovalkey = require('iovalkey');
const Ioredis5 = require('ioredis5');
const Ioredis6 = require('ioredis');
const redis5 = require('redis5');
const redis6 = require('redis');

const IOREDIS = {
  autoResendUnfulfilledCommands: false,
  enableOfflineQueue: false,
  lazyConnect: true,
  maxRetriesPerRequest: 0,
  retryStrategy: () => 50,
};

/** By name: makes a client of `{ port, password }`. `more` are options of its own kind. */
const CLIENTS = {
  'ioredis 6': ioredis(Ioredis6),
  'ioredis 5': ioredis(Ioredis5),
  iovalkey: ioredis(Iovalkey),
  'redis 6': nodeRedis(redis6),
  'redis 6, RESP2': nodeRedis(redis6, { RESP: 2 }),
  'redis 5': nodeRedis(redis5),
  'redis 5, RESP3': nodeRedis(redis5, { RESP: 3 }),
  send: bare,
};

/** By name: makes a client of a cluster whose nodes have these servers. */
const CLUSTERS = {
  'ioredis 6': ioredisCluster(Ioredis6),
  'ioredis 5': ioredisCluster(Ioredis5),
  'redis 6': nodeRedisCluster(redis6),
  'redis 5': nodeRedisCluster(redis5),
};

function ioredis(Client) {
  return async (t, { port, password }, more) => {
    const client = new Client({ host: '127.0.0.1', port, password, ...IOREDIS, ...more });
    client.on('error', () => {});
    t.after(() => client.disconnect());
    return client;
  };
}

function nodeRedis({ createClient }, own) {
  return async (t, { port, password }, more) => {
    const client = createClient({
      socket: { host: '127.0.0.1', port, reconnectStrategy: () => 50 },
      password,
      disableOfflineQueue: true,
      ...own,
      ...more,
    });
    client.on('error', () => {});
    t.after(() => client.isOpen && client.destroy());
    // With a wrong password it goes on trying.
    const connecting = client.connect();
    connecting.catch(() => {});
    if (more?.waits !== false) await connecting;
    return client;
  };
}

/** A client that has only `send`. */
async function bare(t, server) {
  const client = await CLIENTS['ioredis 6'](t, server);
  await client.connect();
  return { send: ([name, ...args]) => client.callBuffer(name, ...args) };
}

function ioredisCluster({ Cluster }) {
  return async (t, servers, more) => {
    const nodes = servers.map(({ port }) => ({ host: '127.0.0.1', port }));
    const cluster = new Cluster(nodes, {
      clusterRetryStrategy: () => 50,
      enableOfflineQueue: false,
      lazyConnect: true,
      retryDelayOnFailover: 0,
      ...more,
    });
    cluster.on('error', () => {});
    t.after(() => cluster.disconnect());
    return cluster;
  };
}

function nodeRedisCluster({ createCluster }) {
  return async (t, servers) => {
    const cluster = createCluster({
      rootNodes: servers.map(({ port }) => ({ url: `redis://127.0.0.1:${port}` })),
      defaults: { disableOfflineQueue: true },
    });
    cluster.on('error', () => {});
    t.after(() => cluster.isOpen && cluster.destroy());
    await cluster.connect();
    return cluster;
  };
}

module.exports = { CLIENTS, CLUSTERS };
