'use strict';

// Sessions while their server is away, silent, full, replaced, or refuses the client.

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');

const { VERDICTS } = require('../../lib/redis/session-script.js');
const { coded } = require('../helpers/outcome.js');
const { CLIENTS } = require('../helpers/redis-clients.js');
const { hear } = require('../helpers/redis-revocations.js');
const { RedisServer, until } = require('../helpers/redis-server.js');
const { makeSessions } = require('../helpers/redis-sessions.js');

const DURABLE = ['--appendonly', 'yes', '--appendfsync', 'always'];
const GOOD = ['rotated', 'replayed'];
const unanswered = coded('ERR_SESSION_STORE');

/** The reasons and the recoveries, as they come during a test. */
function states(t) {
  const events = hear(t, ['session.unavailable', 'session.available']);
  return () => events.map(({ reason }) => reason ?? 'available');
}

/** Resolves to the answer of a call when the server answers again. */
async function answered(call) {
  let answer;
  await until(async () => {
    answer = await call().catch((error) => {
      unanswered(error);
      return undefined;
    });
    return answer !== undefined;
  });
  return answer;
}

for (const name of ['ioredis 6', 'ioredis 5', 'redis 6', 'redis 5', 'send']) {
  describe(name, () => {
    test('calls reject while the server is killed, and sessions go on when it is back', async (t) => {
      const server = await RedisServer.start(t, { settings: DURABLE });
      if (server === undefined) return;
      const { sessions, judge } = makeSessions(await CLIENTS[name](t, server));
      const seen = states(t);
      const [first, other] = [await sessions.start('ada'), await sessions.start('ada')];
      await server.kill();
      await assert.rejects(sessions.refresh(first.refreshToken), unanswered);
      await assert.rejects(sessions.start('ada'), unanswered);
      await assert.rejects(sessions.list('ada'), unanswered);
      await assert.rejects(sessions.endAll('ada'), unanswered);
      await assert.rejects(sessions.endByRefreshToken(first.refreshToken), unanswered);
      // This process refuses the access token all the same.
      await assert.rejects(sessions.end(other.sessionId), unanswered);
      assert.equal(judge(other), 'ERR_JWT_REVOKED');
      await server.run();
      const { status } = await answered(() => sessions.refresh(first.refreshToken));
      assert.ok(GOOD.includes(status), status);
      const reasons = seen();
      assert.equal(reasons.at(-1), 'available');
      const known = ['connection', 'deadline', 'LOADING', 'available'];
      assert.deepEqual(reasons.filter((reason) => !known.includes(reason)), []);
    });

    test('a silent server keeps nobody waiting, and a repeated token is no reuse', async (t) => {
      const server = await RedisServer.start(t);
      if (server === undefined) return;
      const { sessions } = makeSessions(await CLIENTS[name](t, server), { deadlineMs: 100 });
      let { refreshToken } = await answered(() => sessions.start('ada'));
      const { pair } = await answered(() => sessions.refresh(refreshToken));
      ({ refreshToken } = pair);
      const seen = states(t);
      server.pause();
      const calls = Array.from({ length: 5 }, () => sessions.refresh(refreshToken));
      const results = await Promise.allSettled([...calls, sessions.start('ada')]);
      results.forEach(({ reason }) => unanswered(reason));
      server.resume();
      // The server does what it was sent.
      const { status } = await answered(() => sessions.refresh(refreshToken));
      assert.ok(GOOD.includes(status), status);
      assert.deepEqual([seen()[0], seen().at(-1)], ['deadline', 'available']);
      // The session that nobody has a token of is gone.
      await until(async () => (await answered(() => sessions.list('ada'))).length === 1);
    });
  });
}

test('a server without memory exchanges nothing, and ends sessions', async (t) => {
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  const { sessions, judge, statusOf } = makeSessions(await CLIENTS['ioredis 6'](t, server), { grace: 0 });
  const [first, second] = [await sessions.start('ada'), await sessions.start('ada')];
  const { pair } = await sessions.refresh(second.refreshToken);
  const third = await sessions.start('eve');
  const seen = states(t);
  server.cli('config', 'set', 'maxmemory-policy', 'noeviction');
  server.cli('config', 'set', 'maxmemory', '1');
  await assert.rejects(statusOf(first), unanswered);
  await assert.rejects(sessions.start('ada'), unanswered);
  assert.equal((await sessions.list('ada')).length, 2);
  assert.equal(await sessions.endByRefreshToken(first.refreshToken), true);
  assert.equal(await statusOf(second), 'reuse');
  await sessions.endAll('eve');
  assert.deepEqual([first, pair, third].map(judge), Array(3).fill('ERR_JWT_REVOKED'));
  server.cli('config', 'set', 'maxmemory', '0');
  assert.deepEqual(await sessions.list('ada'), []);
  assert.equal(await statusOf(pair), 'unknown');
  await sessions.start('ada');
  assert.deepEqual([...new Set(seen())], ['OOM', 'available']);
});

test('after a failover that has lost exchanges, a later token goes on and an older one is reuse', async (t) => {
  const primary = await RedisServer.start(t);
  if (primary === undefined) return;
  const replica = await RedisServer.start(t, { settings: ['--replicaof', '127.0.0.1', `${primary.port}`] });
  await until(() => replica.cli('info', 'replication').includes('master_link_status:up'));
  const on = async ({ port }) => makeSessions(await CLIENTS['ioredis 6'](t, { port }), { grace: 0 });
  const before = await on(primary);
  const [first, other] = [await before.sessions.start('ada', { role: 'admin' }), await before.sessions.start('ada')];
  await until(() => replica.cli('dbsize').trim() === '1');
  replica.cli('replicaof', 'no', 'one');
  const { pair: second } = await before.sessions.refresh(first.refreshToken);
  const { pair: third } = await before.sessions.refresh(second.refreshToken);
  const late = await before.sessions.start('eve');
  await primary.kill();
  const after = await on(replica);
  const restored = hear(t, ['session.restored']);
  const { status, pair } = await after.sessions.refresh(third.refreshToken);
  assert.deepEqual([status, restored.length], ['rotated', 1]);
  assert.equal(after.verifier.verify(pair.accessToken).role, 'admin');
  assert.equal(await after.statusOf(pair), 'rotated');
  assert.equal(await after.statusOf(second), 'reuse');
  assert.equal(await after.statusOf(other), 'rotated');
  // The replica never had it.
  assert.equal(await after.statusOf(late), 'unknown');
});

test('a replica takes no call', async (t) => {
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  const { sessions } = makeSessions(await CLIENTS['ioredis 6'](t, server));
  const { refreshToken } = await sessions.start('ada');
  const seen = states(t);
  server.cli('replicaof', '127.0.0.1', '1');
  await assert.rejects(sessions.refresh(refreshToken), unanswered);
  assert.deepEqual(seen(), ['READONLY']);
  server.cli('replicaof', 'no', 'one');
  assert.equal((await sessions.refresh(refreshToken)).status, 'rotated');
});

test('a wrong password is an outage until the server accepts it, and so is a missing right', async (t) => {
  const server = await RedisServer.start(t, { password: 'right' });
  if (server === undefined) return;
  const client = await CLIENTS['ioredis 6'](t, { port: server.port, password: 'wrong' });
  const { sessions } = makeSessions(client);
  await assert.rejects(sessions.start('ada'), unanswered);
  server.cli('config', 'set', 'requirepass', 'wrong');
  server.password = 'wrong';
  const { refreshToken } = await answered(() => sessions.start('ada'));
  const seen = states(t);
  server.cli('acl', 'setuser', 'default', '-evalsha', '-eval');
  await assert.rejects(sessions.refresh(refreshToken), unanswered);
  server.cli('acl', 'setuser', 'default', '+evalsha', '+eval');
  assert.equal((await sessions.refresh(refreshToken)).status, 'rotated');
  assert.deepEqual(seen(), ['NOPERM', 'available']);
});

test('the rights in docs/redis.md suffice', async (t) => {
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  const rights = ['~nodesec:sessions:*', '+evalsha', '+eval', '+hget', '+hset', '+hdel', '+hgetall', '+pttl', '+pexpire', '+time', '+info'];
  server.cli('acl', 'setuser', 'default', 'resetkeys', '-@all', ...rights);
  const { sessions, statusOf } = makeSessions(await CLIENTS['ioredis 6'](t, server));
  const first = await sessions.start('ada');
  assert.equal(await statusOf(first), 'rotated');
  assert.equal((await sessions.list('ada')).length, 1);
  await sessions.end(first.sessionId);
  await sessions.endAll('ada');
  assert.deepEqual(await sessions.list('ada'), []);
});

test('an answer that a busy process reads too late gives no access token', async (t) => {
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  const client = await CLIENTS['ioredis 6'](t, server);
  await client.connect();
  let isBusy = false;
  const send = async ([name, ...args]) => {
    const reply = await client.callBuffer(name, ...args);
    if (isBusy) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1100);
    return reply;
  };
  // Another process that ends the session counts with a token that is issued within a second.
  const { sessions, statusOf } = makeSessions({ send }, { deadlineMs: 900 });
  const first = await sessions.start('ada');
  isBusy = true;
  await assert.rejects(sessions.refresh(first.refreshToken), unanswered);
  isBusy = false;
  assert.equal(await statusOf(first), 'replayed');
});

test('a reply that is none of a script, or whose bytes a client has made text, is an outage', async (t) => {
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  const client = await CLIENTS['ioredis 6'](t, server);
  await client.connect();
  const { sessions } = makeSessions(client);
  const { sessionId, refreshToken } = await sessions.start('ada');
  for (const reply of [[], [1], [0, 11], [99], [1, 99], ['x', 11], [NaN, 0], [1, 'x']]) {
    const odd = makeSessions({ send: async () => reply }).sessions;
    await assert.rejects(odd.start('ada'), unanswered);
    await assert.rejects(odd.refresh(refreshToken), unanswered);
    await assert.rejects(odd.list('ada'), unanswered);
    await assert.rejects(odd.end(sessionId), unanswered);
    await assert.rejects(odd.endByRefreshToken(refreshToken), unanswered);
    await assert.rejects(odd.endAll('ada'), unanswered);
  }
  const texts = makeSessions({ send: ([name, ...args]) => client.call(name, ...args) }).sessions;
  await assert.rejects(texts.endAll('ada'), unanswered);
});

test('a server that has forgotten the scripts gets them again', async (t) => {
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  const { sessions, statusOf } = makeSessions(await CLIENTS['redis 6'](t, server));
  const first = await sessions.start('ada');
  server.cli('script', 'flush');
  assert.equal(await statusOf(first), 'rotated');
});

test('a client that sends each command twice causes no false reuse and no second session', async (t) => {
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  const client = await CLIENTS['ioredis 6'](t, server);
  await client.connect();
  const send = async ([name, ...args]) => {
    await client.callBuffer(name, ...args);
    return client.callBuffer(name, ...args);
  };
  for (const retryUntilUsed of [false, true]) {
    const { sessions } = makeSessions({ send }, { grace: 0, retryUntilUsed });
    const subject = `${retryUntilUsed}`;
    let { refreshToken } = await sessions.start(subject);
    assert.equal((await sessions.list(subject)).length, 1);
    for (let n = 0; n < 5; n++) {
      const { status, pair } = await sessions.refresh(refreshToken);
      assert.equal(status, 'rotated');
      ({ refreshToken } = pair);
    }
    assert.equal(await sessions.endByRefreshToken(refreshToken), true);
  }
  const limits = { maxSessionsPerSubject: 1, onSessionLimit: 'end-oldest' };
  const { sessions, judge, statusOf } = makeSessions({ send }, limits);
  const [oldest, newest] = [await sessions.start('ada'), await sessions.start('ada')];
  assert.deepEqual([judge(oldest), judge(newest)], ['ERR_JWT_REVOKED', undefined]);
  assert.deepEqual([await statusOf(oldest), await statusOf(newest)], ['unknown', 'rotated']);
});

test('a server that refuses each id of a new session does not keep the start busy for ever', async () => {
  const send = async ([name]) => (/^EVAL/i.test(`${name}`) ? [Date.now(), VERDICTS.again] : Buffer.alloc(0));
  const { sessions } = makeSessions({ send });
  await assert.rejects(sessions.start('ada'), coded('ERR_SESSION_STORE', {
    message: 'the server refuses each id of a new session: look at the server',
  }));
});
