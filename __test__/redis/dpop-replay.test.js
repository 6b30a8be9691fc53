'use strict';

// Proofs of possession that machines remember together, on real servers.

const assert = require('node:assert/strict');
const { fork } = require('node:child_process');
const { once } = require('node:events');
const { readFileSync } = require('node:fs');
const path = require('node:path');
const { describe, test } = require('node:test');

const { FRAMEWORKS } = require('../helpers/frameworks.js');
const { heard } = require('../helpers/heard.js');
const { client: newClient, withProof } = require('../helpers/proofs.js');
const { CLIENTS, CLUSTERS } = require('../helpers/redis-clients.js');
const { accepting, secret, serviceOn, someone } = require('../helpers/redis-dpop.js');
const { RedisServer, startCluster, until } = require('../helpers/redis-server.js');

const now = () => Math.floor(Date.now() / 1000);
const [PROOF, REPLAYED, STORE] = ['ERR_DPOP_PROOF', 'ERR_DPOP_REPLAYED', 'ERR_DPOP_STORE'];

/** A server, a service on it that accepts proofs, and a client; undefined without redis-server. */
async function started(t, options, settings) {
  const server = await RedisServer.start(t, settings);
  if (server === undefined) return undefined;
  const redis = await CLIENTS['ioredis 6'](t, server);
  const [service, ann] = [serviceOn(redis, options), await someone()];
  if (options?.nonce !== true) await accepting(service, ann);
  return { server, redis, ann, ...service };
}

const codeOf = async (result) => {
  const { ok, code } = await result;
  return ok ? 'accepted' : code;
};

for (const [name, makeClient] of Object.entries(CLIENTS)) {
  test(`${name}: a proof counts once, and its name on the server tells nothing of it`, async (t) => {
    const server = await RedisServer.start(t);
    if (server === undefined) return;
    const [service, ann] = [serviceOn(await makeClient(t, server)), await someone()];
    await accepting(service, ann);
    server.cli('flushall');
    await accepting(service, ann);
    const request = ann.request({ jti: 'an-id-of-a-proof' });
    assert.equal(await codeOf(service.check(request)), 'accepted');
    assert.equal(await codeOf(service.check(request)), REPLAYED);
    // A new proof with the same id is none.
    assert.equal(await codeOf(service.check(ann.request({ jti: 'an-id-of-a-proof' }))), REPLAYED);
    const names = server.cli('--raw', 'keys', '*').trim().split('\n');
    assert.equal(names.length, 3);
    for (const each of names) assert.match(each, /^nodesec:dpop:1:\{[\w-]{6}\}:(?:marker|[\w-]{22})$/);
    for (const each of names.filter((text) => !text.endsWith('marker'))) {
      const left = Number(server.cli('--raw', 'pttl', each));
      assert.ok(left > 90_000 && left <= 150_000, `${left}`);
    }
    assert.deepEqual(service.replay.status().available, true);
  });
}

for (const [name, makeCluster] of Object.entries(CLUSTERS)) {
  test(`a cluster with ${name}: a proof counts once`, async (t) => {
    const nodes = await startCluster(t);
    if (nodes === undefined) return;
    const [service, ann] = [serviceOn(await makeCluster(t, nodes)), await someone()];
    await accepting(service, ann);
    const request = ann.request();
    assert.equal(await codeOf(service.check(request)), 'accepted');
    assert.equal(await codeOf(service.check(request)), REPLAYED);
  });
}

test('a proof is one command', async (t) => {
  const on = await started(t);
  if (on === undefined) return;
  on.server.cli('config', 'resetstat');
  assert.equal((await on.check(on.ann.request())).ok, true);
  const stats = on.server.cli('info', 'commandstats');
  const calls = [...stats.matchAll(/cmdstat_(\w+):calls=(\d+)/g)].map(([, name, count]) => `${name} ${count}`);
  const expected = ['evalsha 1', 'get 2', 'info 1', 'set 1', 'time 1'];
  assert.deepEqual(calls.filter((call) => !/^(?:config|command)/.test(call)).sort(), expected);
});

test('of 100 requests with one proof in four processes, exactly one is accepted', async (t) => {
  const on = await started(t);
  if (on === undefined) return;
  const file = path.join(__dirname, '..', 'helpers', 'redis-dpop-child.js');
  const children = Array.from({ length: 4 }, () => fork(file, [`${on.server.port}`]));
  t.after(() => children.forEach((child) => child.kill()));
  await Promise.all(children.map((child) => once(child, 'message')));
  for (let n = 0; n < 10; n++) {
    const request = on.ann.request();
    const answers = children.map((child) => once(child, 'message'));
    for (const child of children) child.send({ request, times: 25 });
    const codes = (await Promise.all(answers)).flatMap(([{ codes }]) => codes);
    assert.deepEqual(codes.sort(), [...Array(99).fill(REPLAYED), 'accepted']);
  }
});

test('a client that sends each command twice has its proof accepted, and only once', async (t) => {
  const on = await started(t);
  if (on === undefined) return;
  const send = async ([name, ...args]) => {
    await on.redis.callBuffer(name, ...args);
    return on.redis.callBuffer(name, ...args);
  };
  const { check } = serviceOn({ send });
  const request = on.ann.request();
  assert.deepEqual([await codeOf(check(request)), await codeOf(check(request))], ['accepted', REPLAYED]);
});

test('a reply that is none of the script lets nobody in', async () => {
  const ann = await someone();
  for (const reply of [null, undefined, 0, 1, true, '', 'OK', 'QUEUED', [], ['accepted', 1], {}]) {
    const { check, replay } = serviceOn({ send: async () => reply });
    assert.equal(await codeOf(check(ann.request())), STORE, `${reply}`);
    assert.equal(replay.status().available, false);
  }
});

test('a server that restarts empty refuses the proofs from before, and accepts new ones', async (t) => {
  const on = await started(t);
  if (on === undefined) return;
  const [used, unused] = [on.ann.request(), on.ann.request()];
  assert.equal(await codeOf(on.check(used)), 'accepted');
  await on.server.kill();
  assert.equal(await codeOf(on.check(used)), STORE);
  await on.server.run();
  await until(async () => (await codeOf(on.check(used))) !== STORE);
  const kinds = await heard(async () => {
    assert.deepEqual([await codeOf(on.check(used)), await codeOf(on.check(unused))], [PROOF, PROOF]);
  });
  assert.deepEqual(kinds.map(({ kind }) => kind), ['dpop-forgotten', 'dpop-forgotten']);
  await accepting(on, on.ann);
});

test('a server that restarts with its data refuses the proofs from before', async (t) => {
  const on = await started(t, {}, { settings: ['--appendonly', 'yes', '--appendfsync', 'always'] });
  if (on === undefined) return;
  // Not used yet, so that nothing on the server refuses it but the beginning.
  const request = on.ann.request();
  await on.server.kill();
  await on.server.run();
  await until(async () => (await codeOf(on.check(request))) !== STORE);
  assert.equal(await codeOf(on.check(request)), PROOF);
  assert.equal(on.server.cli('--raw', 'keys', '*marker').trim().split('\n').length, 1);
  await accepting(on, on.ann);
});

test('a failover that has lost a proof refuses the proofs from before', async (t) => {
  const on = await started(t);
  if (on === undefined) return;
  const replica = await RedisServer.start(t, { settings: ['--replicaof', '127.0.0.1', `${on.server.port}`] });
  await until(() => replica.cli('info', 'replication').includes('master_link_status:up'));
  await until(() => replica.cli('--raw', 'keys', '*marker').includes('marker'));
  replica.cli('replicaof', 'no', 'one');
  const lost = on.ann.request();
  assert.equal(await codeOf(on.check(lost)), 'accepted');
  await on.server.kill();
  const after = serviceOn(await CLIENTS['redis 6'](t, replica));
  assert.equal(await codeOf(after.check(lost)), PROOF);
  await accepting(after, on.ann);
});

test('a replica remembers nothing, and lets nobody in', async (t) => {
  const on = await started(t);
  if (on === undefined) return;
  on.server.cli('replicaof', '127.0.0.1', '1');
  assert.equal(await codeOf(on.check(on.ann.request())), STORE);
  assert.equal(on.replay.status().reason, 'READONLY');
});

test('a stopped server keeps no request beyond the deadline, and is asked again', async (t) => {
  const on = await started(t, { deadlineMs: 200 });
  if (on === undefined) return;
  const first = on.ann.request();
  const events = await heard(async () => {
    on.server.pause();
    const results = await Promise.all(Array.from({ length: 6 }, () => codeOf(on.check(on.ann.request()))));
    assert.deepEqual(results, Array(6).fill(STORE));
    assert.equal(await codeOf(on.check(first)), STORE);
    assert.deepEqual(on.replay.status().reason, 'deadline');
    on.server.resume();
    await accepting(on, on.ann);
  });
  const states = events.filter(({ event }) => event.startsWith('dpop.')).map(({ event, reason }) => reason ?? event);
  assert.deepEqual([states[0], states.at(-1)], ['deadline', 'dpop.available']);
  assert.ok(events.some(({ kind }) => kind === 'dpop-unavailable'));
  assert.equal(on.replay.status().available, true);
});

test('a server without memory lets nobody in', async (t) => {
  const on = await started(t);
  if (on === undefined) return;
  on.server.cli('config', 'set', 'maxmemory', '1');
  assert.equal(await codeOf(on.check(on.ann.request())), STORE);
  assert.equal(on.replay.status().reason, 'OOM');
  on.server.cli('config', 'set', 'maxmemory', '0');
  assert.equal(await codeOf(on.check(on.ann.request())), 'accepted');
});

test('a server that evicts proofs is warned of, and noeviction is not', async (t) => {
  const warnings = [];
  const listener = ({ code }) => warnings.push(code);
  process.on('warning', listener);
  t.after(() => process.off('warning', listener));
  const events = await heard(async () => {
    for (const policy of ['noeviction', 'volatile-ttl']) {
      const on = await started(t, {}, { settings: ['--maxmemory-policy', policy] });
      if (on === undefined) return;
      await until(() => on.replay.status().evictionPolicy === policy);
    }
    await until(() => warnings.length > 0);
  });
  if (!RedisServer.isInstalled()) return;
  assert.deepEqual(warnings, ['NODESEC_REDIS_EVICTION']);
  const found = events.filter(({ event }) => event === 'dpop.evictable');
  assert.deepEqual(found.map(({ policy }) => policy), ['volatile-ttl']);
});

test('a process with another key lets nobody in, and another prefix is another cache', async (t) => {
  const on = await started(t);
  if (on === undefined) return;
  const other = serviceOn(on.redis, { key: secret(8) });
  assert.equal(await codeOf(other.check(on.ann.request())), STORE);
  assert.equal(other.replay.status().reason, 'KEY');
  const apart = serviceOn(on.redis, { key: secret(8), prefix: 'apart' });
  await accepting(apart, on.ann);
  assert.equal(await codeOf(on.check(on.ann.request())), 'accepted');
});

test('something else under the names lets nobody in', async (t) => {
  const on = await started(t);
  if (on === undefined) return;
  const marker = on.server.cli('--raw', 'keys', '*marker').trim();
  for (const [command, reason] of [
    [['set', marker, 'text'], 'FORMAT'],
    [['lpush', marker, 'text'], 'WRONGTYPE'],
  ]) {
    on.server.cli('del', marker);
    on.server.cli(...command);
    assert.equal(await codeOf(on.check(on.ann.request())), STORE);
    assert.equal(on.replay.status().reason, reason);
  }
});

test('a check that accepts an older age takes no proof that was remembered for less', async (t) => {
  const on = await started(t, { maxAge: 1 });
  if (on === undefined) return;
  const request = on.ann.request();
  assert.equal(await codeOf(on.check(request)), 'accepted');
  const longer = serviceOn(on.redis, { maxAge: 600 });
  await accepting(longer, on.ann);
  // As if its time were over.
  for (const name of on.server.cli('--raw', 'keys', '*').trim().split('\n')) {
    if (!name.endsWith('marker')) on.server.cli('del', name);
  }
  await until(() => now() > JSON.parse(Buffer.from(request.dpop.split('.')[1], 'base64url')).iat + 1);
  assert.equal(await codeOf(longer.check(request)), PROOF);
  await accepting(longer, on.ann);
});

test('a nonce of one machine counts at another, once a proof, and the clock of the client does not', async (t) => {
  const on = await started(t, { nonce: true });
  if (on === undefined) return;
  const other = serviceOn(await CLIENTS['redis 6'](t, on.server), { nonce: true });
  const first = await on.check(on.ann.request());
  assert.equal(first.code, 'ERR_DPOP_NONCE');
  let nonce;
  let request;
  const renew = async (claims) => {
    ({ nonce } = await on.check(on.ann.request()));
    request = on.ann.request({ nonce, iat: 1_000_000, ...claims });
    return codeOf(other.check(request));
  };
  await until(async () => (await renew()) === 'accepted');
  assert.equal(await codeOf(on.check(request)), REPLAYED);
  assert.equal(await renew({ exp: 1_000_100 }), PROOF);
  assert.equal(await renew({ nbf: now() + 100, iat: now() + 100 }), PROOF);
  assert.equal(await renew({ iat: now() + 5000, exp: now() + 9000 }), 'accepted');
  for (const wrong of [`${nonce}A`, nonce.slice(1), 'a', Buffer.alloc(24).toString('base64url'), 17]) {
    assert.notEqual(await codeOf(other.check(on.ann.request({ nonce: wrong }))), 'accepted');
  }
  const foreign = serviceOn(on.redis, { nonce: true, key: secret(9), prefix: 'foreign' });
  assert.equal(await codeOf(foreign.check(on.ann.request({ nonce }))), 'ERR_DPOP_NONCE');
});

test('a proof that is wrong is not sent to the server', async () => {
  let calls = 0;
  const send = async () => {
    calls += 1;
    return 'accepted';
  };
  const { check } = serviceOn({ send });
  const [ann, eve] = [await someone(), await someone()];
  const begun = calls;
  for (const request of [
    { ...ann.request(), jkt: eve.key.kid },
    ann.request({ htm: 'POST' }),
    ann.request({ iat: now() - 100 }),
    ann.request({ jti: 17 }),
    { ...ann.request(), dpop: 'garbage' },
    { ...ann.request(), dpop: 'a'.repeat(100_000) },
  ]) {
    assert.equal(await codeOf(check(request)), PROOF);
  }
  assert.equal(calls, begun);
});

test('a user with the rights of docs/redis.md and no others is enough', async (t) => {
  const page = readFileSync(path.join(__dirname, '..', '..', 'docs', 'redis.md'), 'utf8');
  const [, rights] = /`(~nodesec:dpop:\* [^`]+)`/.exec(page);
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  server.cli('acl', 'setuser', 'proofs', 'on', '>password', ...rights.split(' '));
  const login = { port: server.port, password: 'password' };
  const ann = await someone();
  const service = serviceOn(await CLIENTS['ioredis 6'](t, login, { username: 'proofs' }));
  await accepting(service, ann);
  await until(() => service.replay.status().evictionPolicy === 'noeviction');
});

describe('middleware', () => {
  for (const [name, start] of Object.entries(FRAMEWORKS)) {
    test(`${name}: two services accept a proof once, and an outage is 503`, async (t) => {
      const server = await RedisServer.start(t);
      if (server === undefined) return;
      const { key, token, verifier } = await newClient();
      const url = () => 'https://api.example/orders';
      const services = [];
      for (const kind of ['ioredis 6', 'redis 6']) {
        const { replay } = serviceOn(await CLIENTS[kind](t, server), { deadlineMs: 1000 });
        services.push(await start(t, { auth: { verifier, dpop: { replay, url } } }));
      }
      const [one, two] = services;
      const request = () => withProof(key, token, url());
      await until(async () => (await one.get('/', request())).status === 200);
      const headers = request();
      const statuses = [await one.get('/', headers), await two.get('/', headers), await one.get('/', headers)];
      assert.deepEqual(statuses.map(({ status }) => status), [200, 401, 401]);
      server.pause();
      const { status, headers: answer, body } = await two.get('/', request());
      server.resume();
      assert.equal(status, 503);
      assert.ok(Number(answer['retry-after']) > 0);
      assert.equal(answer['www-authenticate'], undefined);
      assert.doesNotMatch(body, /deadline|ERR_DPOP/);
      await until(async () => (await two.get('/', request())).status === 200);
    });
  }
});
