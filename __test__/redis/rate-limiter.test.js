'use strict';

// The rights and commands that a limiter over Redis needs, and the keys that it shares with others.

const assert = require('node:assert/strict');
const { readFileSync } = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');

const { RedisRateLimiter } = require('@nodesec/native/redis');
const { heard } = require('../helpers/heard.js');
const { coded } = require('../helpers/outcome.js');
const { CLIENTS } = require('../helpers/redis-clients.js');
const { RedisServer, until } = require('../helpers/redis-server.js');

const HOUR = 3_600_000;
const THREE = ['second', 'minute', 'hour'].map((name) => ({ name, limit: 5, windowMs: HOUR }));

/** A server and a limiter on it, or undefined without redis-server. */
async function limited(t, options) {
  const server = await RedisServer.start(t);
  if (server === undefined) return undefined;
  const client = await CLIENTS['ioredis 6'](t, server);
  const common = { client, deadlineMs: 10_000 };
  return { server, client, limiter: new RedisRateLimiter({ ...common, limit: 5, windowMs: HOUR, ...options }) };
}

/** The calls of each command that the server has executed for clients. */
function executed(server) {
  const lines = server.cli('info', 'commandstats').matchAll(/cmdstat_([a-z|]+):calls=(\d+)/g);
  return Object.fromEntries([...lines].map(([, name, calls]) => [name, Number(calls)]));
}

test('a decision over three limits is one command and one key, which expires with its debts', async (t) => {
  const on = await limited(t, { limit: undefined, windowMs: undefined, limits: THREE });
  if (on === undefined) return;
  const { server, limiter } = on;
  await limiter.consume('ann@example.com');
  server.cli('config', 'resetstat');
  for (let n = 0; n < 3; n++) await limiter.consume('ann@example.com');
  const { evalsha, get, set, time, ...others } = executed(server);
  assert.deepEqual([evalsha, get, set, time], [3, 3, 3, 3]);
  assert.deepEqual(Object.keys(others).filter((name) => !/^config|info/.test(name)), []);
  const keys = server.cli('--raw', 'keys', '*').trim().split('\n');
  assert.equal(keys.length, 1);
  assert.match(keys[0], /^nodesec:limits:1:[\w-]{8}:\{[\w-]{22}\}$/);
  const left = Number(server.cli('--raw', 'pttl', keys[0]));
  assert.ok(left > (4 * HOUR) / 5 - 60_000 && left <= (4 * HOUR) / 5 + 2, `${left}`);
  await limiter.reset('ann@example.com');
  assert.equal(server.cli('--raw', 'dbsize'), '0\n');
});

test('a script that the server has forgotten is sent once, and the call is taken once', async (t) => {
  const on = await limited(t);
  if (on === undefined) return;
  const { server, limiter } = on;
  await limiter.consume('key');
  server.cli('script', 'flush');
  server.cli('config', 'resetstat');
  assert.equal((await limiter.consume('key')).remaining, 3);
  const { evalsha, eval: texts } = executed(server);
  assert.deepEqual([evalsha, texts], [1, 1]);
});

test('a denial is answered without the server until its time is over', async (t) => {
  const on = await limited(t, { limit: 4, windowMs: 2000, burst: 2 });
  if (on === undefined) return;
  const { server, limiter } = on;
  assert.equal(await limiter.check('key', 2), true);
  // The server has the script: a call that sends it is decided later than it is made.
  await limiter.consume('another');
  const first = await limiter.consume('key');
  server.cli('config', 'resetstat');
  assert.equal(limiter.status().denials, 1);
  const events = await heard(async () => {
    for (let n = 0; n < 100; n++) {
      const { allowed, retryAfterMs, violated, degraded } = await limiter.consume('key');
      if (allowed) break;
      assert.ok(retryAfterMs <= first.retryAfterMs && retryAfterMs > 0);
      assert.deepEqual([violated, degraded], [['default'], false]);
      assert.equal(await limiter.check(Buffer.from('key'), 2), false);
    }
  });
  assert.ok(events.every(({ event }) => event === 'limit.denied') && events.length > 0);
  assert.equal(executed(server).evalsha ?? 0, 0);
  // A unit comes back, and is asked for once.
  await until(() => limiter.check('key'));
  assert.equal(executed(server).evalsha, 1);
  assert.equal((await limiter.peek('key')).allowed, false);
});

test('a lower cost than the denied one is asked for, and so is a key that this process frees', async (t) => {
  const on = await limited(t);
  if (on === undefined) return;
  const { limiter } = on;
  assert.equal(await limiter.check('key', 4), true);
  assert.equal(await limiter.check('key', 3), false);
  assert.equal(await limiter.check('key', 1), true);
  assert.equal(await limiter.check('key', 1), false);
  await limiter.refund('key');
  assert.equal(await limiter.check('key', 1), true);
  assert.equal(await limiter.check('key', 1), false);
  assert.equal(await limiter.reset('key'), true);
  assert.equal(await limiter.check('key', 5), true);
  await limiter.block('key', HOUR);
  assert.equal(await limiter.check('key'), false);
  await limiter.reset('key');
  await limiter.unblock('key');
  assert.equal(await limiter.check('key'), true);
});

test('the memory of denials has a bound, and none with 0', async (t) => {
  const on = await limited(t, { limit: 1, denyCache: 10 });
  if (on === undefined) return;
  const { server, client, limiter } = on;
  for (let n = 0; n < 30; n++) {
    for (let call = 0; call < 2; call++) await limiter.check(`key ${n}`);
  }
  assert.equal(limiter.status().denials, 10);
  const without = new RedisRateLimiter({ client, limit: 1, windowMs: HOUR, denyCache: 0 });
  server.cli('config', 'resetstat');
  for (let n = 0; n < 5; n++) assert.equal(await without.check('key 29'), false);
  assert.equal(without.status().denials, 0);
  assert.equal(executed(server).evalsha, 5);
});

test('many clients together get the limit and no more', async (t) => {
  const on = await limited(t);
  if (on === undefined) return;
  const { server } = on;
  const limits = [
    { name: 'a', limit: 100, windowMs: HOUR },
    { name: 'b', limit: 150, windowMs: HOUR },
  ];
  const limiters = await Promise.all(
    Object.values(CLIENTS).map(async (makeClient) => {
      const client = await makeClient(t, server);
      return new RedisRateLimiter({ client, limits, deadlineMs: 10_000 });
    }),
  );
  const calls = limiters.flatMap((limiter) => Array.from({ length: 40 }, () => limiter.consume('key')));
  const results = await Promise.all(calls);
  assert.ok(results.every(({ degraded }) => !degraded));
  assert.equal(results.filter(({ allowed }) => allowed).length, 100);
  const [a, b] = (await limiters[0].peek('other')).limits;
  assert.deepEqual([a.remaining, b.remaining], [100, 150]);
  const { client } = on;
  const another = new RedisRateLimiter({ client, limits, deadlineMs: 10_000, denyCache: 0 });
  assert.equal((await another.peek('key')).allowed, false);
  assert.equal(await limiters[0].reset('key'), true);
  assert.equal((await another.peek('key')).remaining, 100);
  // The others remember their denials.
  assert.equal((await limiters[1].peek('key')).remaining, 0);
});

test('limiters with other limits need another prefix, and with other names have keys of their own', async (t) => {
  const on = await limited(t);
  if (on === undefined) return;
  const { client, limiter } = on;
  const same = new RedisRateLimiter({ client, limit: 5, windowMs: HOUR });
  await limiter.consume('key');
  assert.equal((await same.peek('key')).remaining, 4);
  assert.throws(() => new RedisRateLimiter({ client, limit: 6, windowMs: HOUR }), coded('ERR_INVALID_ARG_VALUE'));
  const strict = { limit: 5, windowMs: HOUR, burst: 4, prefix: 'strict', client };
  new RedisRateLimiter(strict);
  assert.throws(() => new RedisRateLimiter({ ...strict, strict: true }), coded('ERR_INVALID_ARG_VALUE'));
  const other = new RedisRateLimiter({ client, limit: 6, windowMs: HOUR, prefix: 'other' });
  const named = new RedisRateLimiter({ client, limits: [{ name: 'named', limit: 6, windowMs: HOUR }] });
  for (const fresh of [other, named]) assert.equal((await fresh.peek('key')).remaining, 6);
});

test('setLimits keeps every key, and lets none wait for longer than the new burst and a window', async (t) => {
  const on = await limited(t);
  if (on === undefined) return;
  const { client, limiter } = on;
  assert.equal(await limiter.check('key', 5), true);
  assert.equal(await limiter.check('key'), false);
  limiter.setLimits({ limit: 10, windowMs: 2 * HOUR });
  const { remaining, policy } = await limiter.peek('key');
  assert.deepEqual([remaining, policy.limit], [5, 10]);
  limiter.setLimits({ limit: 10, windowMs: 1000 });
  assert.ok((await limiter.peek('key')).resetMs <= 2000);
  assert.throws(() => limiter.setLimits({ limits: [{ name: 'other', limit: 1, windowMs: 1 }] }), coded('ERR_INVALID_ARG_VALUE'));
  // Another limiter of these keys takes the new numbers.
  new RedisRateLimiter({ client, limit: 10, windowMs: 1000 });
});

test('without a server, a setting of a process is a share of the limit, also a strict and a changed one', async () => {
  const client = { send: () => Promise.reject(new Error('away')) };
  const options = { client, limits: THREE, instances: 2, strict: true };
  const limiter = new RedisRateLimiter(options);
  const { policy, degraded, limits } = await limiter.consume('key', 3);
  assert.deepEqual([degraded, policy.limit, policy.burst, limits.length], [true, 2, 1, 3]);
  assert.equal(await limiter.check('key'), false);
  limiter.setLimits({ limits: THREE.map((each) => ({ ...each, limit: 40 })) });
  assert.equal((await limiter.peek('key')).policy.limit, 20);
  await assert.rejects(limiter.check('key', 41), coded('ERR_LIMIT_COST'));
});

test('a user with the rights of docs/redis.md and no others is enough', async (t) => {
  const page = readFileSync(path.join(__dirname, '..', '..', 'docs', 'redis.md'), 'utf8');
  const [, rights] = /`(~limits:\* [^`]+)`/.exec(page);
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  server.cli('acl', 'setuser', 'limits', 'on', '>password', ...rights.split(' '));
  for (const name of ['ioredis 6', 'ioredis 5', 'redis 6', 'redis 5']) {
    const login = { port: server.port, password: 'password' };
    const client = await CLIENTS[name](t, login, { username: 'limits' });
    const limiter = new RedisRateLimiter({ client, limit: 1, windowMs: HOUR, prefix: 'limits:api', deadlineMs: 10_000 });
    assert.equal((await limiter.consume(name)).degraded, false, name);
    assert.equal(await limiter.check(name), false);
    assert.equal(await limiter.reset(name), true);
    const other = new RedisRateLimiter({ client, limit: 1, windowMs: HOUR, prefix: 'other' });
    assert.equal((await other.consume(name)).degraded, true, 'it may write other keys');
  }
});
