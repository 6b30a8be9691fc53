'use strict';

// Limits while their server is away, silent, empty, full or refuses the client.

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');
const { setTimeout: sleep } = require('node:timers/promises');

const { RedisRateLimiter } = require('@nodesec/native/redis');
const redis6 = require('redis');
const { heard } = require('../helpers/heard.js');
const { CLIENTS } = require('../helpers/redis-clients.js');
const { RedisServer, until } = require('../helpers/redis-server.js');

const HOUR = 3_600_000;
const LIMIT = { limit: 8, windowMs: HOUR };
/** For tests whose calls must be decided by the server, however busy the machine is. */
const PATIENT = { ...LIMIT, deadlineMs: 10_000 };

/** Resolves when a limiter decides by its server again, which only its calls find out. */
function recovered(limiter, key = 'other') {
  return until(async () => !(await limiter.peek(key)).degraded);
}

/** The reasons and the recoveries in events, in their order. */
function states(events) {
  return events
    .filter(({ event }) => event === 'limit.degraded' || event === 'limit.recovered')
    .map(({ reason }) => reason ?? 'recovered');
}

for (const [name, makeClient] of Object.entries(CLIENTS)) {
  describe(name, () => {
    test('a server that was killed is replaced by limits of this process until it is back', async (t) => {
      const server = await RedisServer.start(t);
      if (server === undefined) return;
      const limiter = new RedisRateLimiter({ client: await makeClient(t, server), ...PATIENT, instances: 4 });
      // The first call may wait for the connection for longer than its deadline.
      await recovered(limiter);
      assert.equal((await limiter.consume('key', 3)).degraded, false);
      const events = await heard(async () => {
        await server.kill();
        for (let n = 0; n < 20; n++) {
          const { allowed, degraded, limit } = await limiter.consume('key');
          assert.deepEqual([allowed, degraded, limit], [n < 2, true, 2]);
        }
        assert.equal(await limiter.block('blocked', HOUR), false);
        assert.equal(await limiter.check('blocked'), false);
        assert.equal(limiter.status().degraded, true);
        await server.run();
        await recovered(limiter);
      });
      assert.deepEqual(limiter.status().reason, undefined);
      // It has started empty.
      assert.equal((await limiter.consume('key')).remaining, 7);
      const seen = states(events);
      assert.equal(seen.at(-1), 'recovered');
      const known = ['connection', 'deadline', 'LOADING', 'recovered'];
      assert.deepEqual(seen.filter((state) => !known.includes(state)), []);
    });

    test('a silent server keeps nobody waiting, and decides again when it goes on', async (t) => {
      const server = await RedisServer.start(t);
      if (server === undefined) return;
      const limiter = new RedisRateLimiter({
        client: await makeClient(t, server),
        ...LIMIT,
        deadlineMs: 20,
        onStoreError: 'deny',
      });
      await recovered(limiter);
      const silence = await heard(async () => {
        server.pause();
        for (let n = 0; n < 30; n++) {
          const { allowed, degraded, remaining, retryAfterMs, violated } = await limiter.consume('key');
          assert.deepEqual([allowed, degraded, remaining, violated], [false, true, 0, []]);
          assert.ok(retryAfterMs > 0);
        }
      });
      assert.deepEqual(states(silence), ['deadline']);
      const events = await heard(async () => {
        server.resume();
        await recovered(limiter);
      });
      // A busy server may take longer than the deadline for the first answers.
      assert.equal(states(events)[0], 'recovered');
      assert.equal(states(events).at(-1), 'recovered');
      // The server may have taken what it was asked for before anybody knew: at most 5 calls.
      let taken;
      await until(async () => {
        const { degraded, remaining } = await limiter.peek('key');
        taken = 8 - remaining;
        return !degraded;
      });
      assert.ok(taken <= 5, `${taken}`);
    });

    test('a server that comes and goes under load: no call rejects', async (t) => {
      const server = await RedisServer.start(t);
      if (server === undefined) return;
      const client = await makeClient(t, server);
      const options = { client, limit: 1000, windowMs: HOUR, onStoreError: 'allow', deadlineMs: 50 };
      const limiter = new RedisRateLimiter(options);
      await recovered(limiter);
      const load = new AbortController();
      const counts = { allowed: 0, degraded: 0 };
      const workers = Array.from({ length: 20 }, async (_, worker) => {
        for (let n = 0; !load.signal.aborted; n++) {
          const { allowed, degraded } = await limiter.consume(`key ${worker} ${n % 100}`);
          counts.allowed += allowed;
          counts.degraded += degraded;
          if (n % 10 === 0) await new Promise(setImmediate);
        }
      });
      for (let round = 0; round < 2; round++) {
        const before = counts.degraded;
        await server.kill();
        await until(() => counts.degraded > before);
        await server.run();
        await recovered(limiter);
      }
      load.abort();
      await Promise.all(workers);
      assert.ok(counts.allowed > 0 && counts.degraded > 0);
      await recovered(limiter, 'last');
    });
  });
}

test('a server without memory decides nothing, and is asked again', async (t) => {
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  const client = await CLIENTS['ioredis 6'](t, server);
  const limiter = new RedisRateLimiter({ client, ...PATIENT, onStoreError: 'allow' });
  assert.equal((await limiter.consume('key')).degraded, false);
  const events = await heard(async () => {
    server.cli('config', 'set', 'maxmemory-policy', 'noeviction');
    server.cli('config', 'set', 'maxmemory', '1');
    for (let n = 0; n < 20; n++) {
      const { allowed, degraded } = await limiter.consume('key');
      assert.deepEqual([allowed, degraded], [true, true]);
    }
    // Reads still work, and do not count as an answer: the server cannot take anything.
    await sleep(300);
    assert.equal((await limiter.consume('key')).degraded, true);
    assert.equal(limiter.status().reason, 'OOM');
    server.cli('config', 'set', 'maxmemory', '0');
    await recovered(limiter);
  });
  assert.deepEqual(states(events), ['OOM', 'recovered']);
  assert.equal((await limiter.consume('key')).remaining, 6);
});

for (const name of ['ioredis 6', 'ioredis 5', 'redis 6', 'redis 5']) {
  test(`${name}: a wrong password is an outage until the server accepts it`, async (t) => {
    const server = await RedisServer.start(t, { password: 'right' });
    if (server === undefined) return;
    const wrong = { port: server.port, password: 'wrong' };
    const client = await CLIENTS[name](t, wrong, name.startsWith('redis') ? { waits: false } : {});
    const limiter = new RedisRateLimiter({ client, ...LIMIT, onStoreError: 'deny' });
    for (let n = 0; n < 10; n++) assert.equal(await limiter.check('key'), false);
    assert.equal(limiter.status().degraded, true);
    server.cli('config', 'set', 'requirepass', 'wrong');
    server.password = 'wrong';
    await recovered(limiter);
    assert.equal(await limiter.check('key'), true);
  });
}

test('a password that a server asks for later is an outage with its word', async (t) => {
  const server = await RedisServer.start(t, { password: 'right' });
  if (server === undefined) return;
  const client = await CLIENTS['ioredis 6'](t, server);
  const limiter = new RedisRateLimiter({ client, ...PATIENT });
  assert.equal((await limiter.consume('key')).degraded, false);
  server.cli('acl', 'setuser', 'default', '-evalsha', '-eval');
  assert.equal((await limiter.consume('key')).degraded, true);
  assert.equal(limiter.status().reason, 'NOPERM');
  server.cli('acl', 'setuser', 'default', '+@all');
  await recovered(limiter);
});

test('a replica, a key of another type and one of another version are outages of that key', async (t) => {
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  const client = await CLIENTS['ioredis 6'](t, server);
  const limiter = new RedisRateLimiter({ client, ...PATIENT, prefix: 'p' });
  await recovered(limiter);
  await limiter.consume('key');
  const [stored] = server.cli('--raw', 'keys', 'p:*').trim().split('\n');
  for (const [reason, ...command] of [
    ['WRONGTYPE', 'lpush', stored, 'x'],
    ['FORMAT', 'set', stored, '2'.padEnd(19, '0')],
  ]) {
    server.cli('del', stored);
    server.cli(...command);
    assert.equal((await limiter.consume('key')).degraded, true);
    assert.equal(limiter.status().reason, reason);
    assert.equal((await limiter.consume('other')).degraded, false);
    assert.equal(limiter.status().reason, undefined);
  }
  server.cli('replicaof', '127.0.0.1', '1');
  assert.equal((await limiter.consume('other')).degraded, true);
  assert.equal(limiter.status().reason, 'READONLY');
});

test('answers that a busy process has not read yet are not too late', async (t) => {
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  const client = await CLIENTS['ioredis 6'](t, server);
  const limiter = new RedisRateLimiter({ client, ...LIMIT, deadlineMs: 500 });
  await recovered(limiter);
  // The server has the scripts of both calls.
  await until(async () => !(await limiter.consume('another')).degraded);
  for (let n = 0; n < 3; n++) {
    const calls = [limiter.consume('key'), limiter.peek('key')];
    // Deno sends them in the second turn of its event loop.
    for (let turns = process.versions.deno ? 2 : 1; turns > 0; turns -= 1) await new Promise(setImmediate);
    // Longer than the deadline.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
    for (const { degraded } of await Promise.all(calls)) assert.equal(degraded, false);
  }
});

test('a client without a listener for errors ends no process', async (t) => {
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  const client = redis6.createClient({ url: server.url, disableOfflineQueue: true });
  t.after(() => client.isOpen && client.destroy());
  const limiter = new RedisRateLimiter({ client, ...LIMIT });
  assert.equal((await limiter.consume('key')).degraded, true, 'it is not connected yet');
  await client.connect();
  await recovered(limiter);
  await server.kill();
  await until(() => !client.isReady);
  assert.equal((await limiter.consume('key')).degraded, true);
});

test('a client whose send throws, or answers with something else, rejects no call', async () => {
  const replies = [
    () => {
      throw new Error('thrown by send');
    },
    () => Promise.reject(new Error('rejected by send')),
    // Not an error at all.
    Promise.reject.bind(Promise),
    () => Promise.resolve('OK'),
    () => Promise.resolve([1, 0]),
    () => undefined,
    () => new Promise(() => {}),
  ];
  for (const reply of replies) {
    const limiter = new RedisRateLimiter({ client: { send: reply }, ...LIMIT, deadlineMs: 5 });
    for (let n = 0; n < 10; n++) {
      const { allowed, degraded } = await limiter.consume('key');
      assert.deepEqual([allowed, degraded], [n < 8, true], `${reply}`);
    }
    for (const call of ['refund', 'unblock', 'reset']) assert.equal(await limiter[call]('key'), false);
  }
});

test('a key of another format, however often it is asked for, leaves other keys to the server', async (t) => {
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  const client = await CLIENTS['ioredis 6'](t, server);
  const limiter = new RedisRateLimiter({ client, ...PATIENT, onStoreError: 'allow', prefix: 'p' });
  await limiter.consume('poison');
  const stored = server.cli('--raw', 'keys', 'p:*').trim();
  for (const command of [['set', stored, 'zz'], ['del', stored], ['lpush', stored, 'x']]) {
    server.cli(...command);
    if (command[0] === 'del') continue;
    for (let n = 0; n < 20; n++) assert.equal((await limiter.consume('poison')).degraded, true);
    const { degraded, reason } = limiter.status();
    assert.deepEqual([degraded, reason], [true, command[0] === 'set' ? 'FORMAT' : 'WRONGTYPE']);
    assert.equal((await limiter.consume('other')).degraded, false);
    assert.equal(limiter.status().degraded, false);
  }
});
