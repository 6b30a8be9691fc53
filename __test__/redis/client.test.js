'use strict';

// The adaptor over clients, on real servers.

const assert = require('node:assert/strict');
const { randomBytes } = require('node:crypto');
const { describe, test } = require('node:test');

const redis = require('@nodesec/native/redis');
const redis6 = require('redis');
const redis5 = require('redis5');

const { connect, defineScript, pairsOf, reasonOf } = require('../../lib/redis/client.js');
const { coded } = require('../helpers/outcome.js');
const { CLIENTS, CLUSTERS } = require('../helpers/redis-clients.js');
const { secretKey } = require('../helpers/redis-revocations.js');
const { RedisServer, startCluster, until } = require('../helpers/redis-server.js');

const ECHO = defineScript(`return {KEYS[1], ARGV[1], 7, redis.call('INCR', KEYS[1])}`);

test('the reason of an error in a script is that of its command, also with Redis 6.2', () => {
  const at = 'ERR Error running script (call to f_620cd258c2c9c88c9d10db67812ccf663d96bdc6): @user_script:1:';
  for (const [message, reason] of [
    ["OOM command not allowed when used memory > 'maxmemory'.", 'OOM'],
    [`${at} WRONGTYPE Operation against a key holding the wrong kind of value`, 'WRONGTYPE'],
    [`${at} @user_script: 1: -OOM command not allowed when used memory > 'maxmemory'.`, 'OOM'],
    [`${at} @user_script: 1: -READONLY You can't write against a read only replica.`, 'READONLY'],
    [`${at} @user_script: 1: Write commands are not allowed`, 'ERR'],
    ['Connection is closed.', 'connection'],
  ]) {
    assert.equal(reasonOf(new Error(message)), reason, message);
  }
});

for (const [name, makeClient] of Object.entries(CLIENTS)) {
  describe(name, () => {
    test('bytes go and come back unchanged, and every reply has one form', async (t) => {
      const server = await RedisServer.start(t);
      if (server === undefined) return;
      const { command } = bound(connect(await makeClient(t, server)));
      const bytes = randomBytes(256);
      assert.deepEqual(await command(['SET', bytes, bytes], { key: bytes }), Buffer.from('OK'));
      assert.deepEqual(await command(['GET', bytes], { key: bytes }), bytes);
      assert.equal(await command(['GET', 'nothing'], { key: 'nothing' }), null);
      assert.equal(await command(['STRLEN', bytes], { key: bytes }), 256);
      await command(['HSET', 'hash', 'a', bytes.subarray(0, 9), 'b', '2'], { key: 'hash' });
      const pairs = pairsOf(await command(['HGETALL', 'hash'], { key: 'hash' }));
      assert.deepEqual(pairs, [
        [Buffer.from('a'), bytes.subarray(0, 9)],
        [Buffer.from('b'), Buffer.from('2')],
      ]);
      await command(['XADD', 'stream', '1-1', 'field', bytes], { key: 'stream' });
      const read = pairsOf(await command(['XREAD', 'STREAMS', 'stream', '0'], { key: 'stream' }));
      const entry = [Buffer.from('1-1'), [Buffer.from('field'), bytes]];
      assert.deepEqual(read, [[Buffer.from('stream'), [entry]]]);
      assert.deepEqual(pairsOf(await command(['XREAD', 'STREAMS', 'stream', '$'], { key: 'stream' })), []);
    });

    test('a script whose text the server does not have runs once', async (t) => {
      const server = await RedisServer.start(t);
      if (server === undefined) return;
      const connection = connect(await makeClient(t, server));
      const bytes = randomBytes(16);
      for (const count of [1, 2]) {
        const reply = await connection.script(ECHO, ['key'], [bytes]);
        assert.deepEqual(reply, [Buffer.from('key'), bytes, 7, count]);
      }
      server.cli('script', 'flush');
      assert.equal((await connection.script(ECHO, ['key'], [bytes]))[3], 3);
      assert.equal(server.cli('--raw', 'get', 'key'), '3\n');
    });

    test('an error of a script is not answered by sending its text', async (t) => {
      const server = await RedisServer.start(t);
      if (server === undefined) return;
      const connection = connect(await makeClient(t, server));
      const script = defineScript(`redis.call('INCR', KEYS[1]) return redis.error_reply('BROKEN down')`);
      for (let n = 0; n < 2; n++) {
        await assert.rejects(connection.script(script, ['key'], []), (error) => {
          assert.equal(reasonOf(error), 'BROKEN');
          return true;
        });
      }
      assert.equal(server.cli('--raw', 'get', 'key'), '2\n');
    });

    test('a lost connection rejects, and the client is told to be back', async (t) => {
      const server = await RedisServer.start(t);
      if (server === undefined) return;
      const connection = connect(await makeClient(t, server));
      await connection.command(['PING']);
      let times = 0;
      const stop = connection.onReconnect(() => times++);
      await server.kill();
      await assert.rejects(connection.command(['PING']), (error) => reasonOf(error) === 'connection');
      await server.run();
      await until(() => connection.command(['PING']).then(Boolean, () => false));
      if (name !== 'send') assert.equal(times, 1);
      stop();
    });

    test('a second connection waits on the server, and comes again after it broke', async (t) => {
      const server = await RedisServer.start(t);
      if (server === undefined) return;
      const connection = connect(await makeClient(t, server));
      assert.equal(connection.canBlock, name !== 'send');
      if (!connection.canBlock) {
        await assert.rejects(connection.blocking(), coded('ERR_INVALID_ARG_VALUE'));
        return;
      }
      const blocking = await connection.blocking();
      t.after(() => blocking.close());
      const read = () => blocking.command(['BLPOP', 'list', '0'], { key: 'list' });
      await readsWhatIsPushed(connection, read);
      const broken = assert.rejects(read());
      await waiting(connection);
      await server.kill();
      await broken;
      await assert.rejects(read(), (error) => reasonOf(error) === 'connection');
      await server.run();
      await until(() => connection.command(['PING']).then(Boolean, () => false));
      await readsWhatIsPushed(connection, read);
      const replaced = assert.rejects(read());
      await waiting(connection);
      blocking.replace();
      await replaced;
      // Until the server has noticed, it would give the item to the connection that has gone.
      await waiting(connection, 0);
      await readsWhatIsPushed(connection, read);
      const closed = assert.rejects(read());
      await waiting(connection);
      blocking.close();
      await closed;
      await assert.rejects(read(), coded('ERR_INVALID_ARG_VALUE'));
    });
  });
}

for (const [name, makeCluster] of Object.entries(CLUSTERS)) {
  test(`${name}: a cluster finds the node of a key, also for scripts and waiting commands`, async (t) => {
    const servers = await startCluster(t);
    if (servers === undefined) return;
    const connection = connect(await makeCluster(t, servers));
    for (let n = 0; n < 30; n++) {
      const key = `key ${n}`;
      await connection.command(['SET', key, `${n}`], { key });
      assert.equal((await connection.script(ECHO, [key], ['']))[3], n + 1);
    }
    const sizes = servers.map((server) => Number(server.cli('--raw', 'dbsize')));
    assert.equal(sizes.reduce((sum, size) => sum + size), 30);
    assert.ok(sizes.every((size) => size > 0), `${sizes}`);
    const blocking = await connection.blocking();
    t.after(() => blocking.close());
    for (const list of ['a', 'b', 'c', 'd']) {
      const reading = blocking.command(['BLPOP', list, '0'], { key: list });
      await connection.command(['RPUSH', list, 'item'], { key: list });
      assert.deepEqual(await reading, [Buffer.from(list), Buffer.from('item')]);
    }
  });
}

test('settings that send a command twice are warned of, once a client', async (t) => {
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  const warnings = [];
  const listener = (warning) => warnings.push(warning);
  process.on('warning', listener);
  t.after(() => process.off('warning', listener));
  const risky = { enableOfflineQueue: true, autoResendUnfulfilledCommands: true };
  const queueing = { disableOfflineQueue: false };
  for (const [name, more] of [
    ['ioredis 6', risky],
    ['ioredis 5', risky],
    ['iovalkey', risky],
    ['redis 6', queueing],
    ['redis 5', queueing],
  ]) {
    const client = await CLIENTS[name](t, server, more);
    for (let n = 0; n < 2; n++) connect(client);
    connect(await CLIENTS[name](t, server));
  }
  await new Promise(setImmediate);
  assert.deepEqual(warnings.map(({ code }) => code), Array(5).fill('NODESEC_REDIS_CLIENT'));
  assert.match(warnings[0].message, /enableOfflineQueue: false.*autoResendUnfulfilledCommands: false/);
  assert.match(warnings[3].message, /disableOfflineQueue: true/);
});

test('a value that is no client is refused', () => {
  for (const wrong of [undefined, null, 'redis://localhost', {}, { send: 1 }, () => {}]) {
    assert.throws(() => connect(wrong), coded('ERR_INVALID_ARG_TYPE'));
  }
});

test('a pool and a sentinel of node-redis are refused with the clients to give instead', () => {
  for (const { createClient, createClientPool, createSentinel } of [redis5, redis6]) {
    const sentinel = createSentinel({ name: 'main', sentinelRootNodes: [] });
    const wrong = [createClientPool(), sentinel, sentinel.withTypeMapping({})];
    for (const client of wrong) {
      const refusal = { code: 'ERR_INVALID_ARG_VALUE', message: /createClient or createCluster/ };
      assert.throws(() => connect(client), refusal);
    }
    connect(createClient({ disableOfflineQueue: true }));
  }
});

test('options that are an instance of a class are refused by every class', async () => {
  class Options {
    client = { send: async () => null };
    key = secretKey();
    limits = [{ name: 'a', limit: 5, windowMs: 1000 }];
  }
  const { RedisKeyRing, RedisRateLimiter, RedisRevocations, RedisSessions } = redis;
  const refusal = { code: 'ERR_INVALID_ARG_TYPE', message: /plain object/ };
  for (const Class of [RedisRateLimiter, RedisSessions]) {
    assert.throws(() => new Class(new Options()), refusal, Class.name);
  }
  for (const Class of [RedisKeyRing, RedisRevocations]) {
    await assert.rejects(Class.open(new Options()), refusal, Class.name);
  }
});

function bound(connection) {
  return { command: (args, route) => connection.command(args, route) };
}

async function readsWhatIsPushed(connection, read) {
  const reading = read();
  await connection.command(['RPUSH', 'list', 'item'], { key: 'list' });
  assert.deepEqual(await reading, [Buffer.from('list'), Buffer.from('item')]);
}

/** Resolves when so many clients of the server wait in a command. */
async function waiting(connection, count = 1) {
  const waits = new RegExp(`blocked_clients:${count}\\b`);
  await until(async () => waits.test(`${await connection.command(['INFO', 'clients'])}`));
}
