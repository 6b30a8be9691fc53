'use strict';

// Lists over clients that fail in unusual ways, and over connections that say nothing.

const assert = require('node:assert/strict');
const { fork } = require('node:child_process');
const { once } = require('node:events');
const net = require('node:net');
const path = require('node:path');
const { test } = require('node:test');
const { setTimeout: sleep } = require('node:timers/promises');

const { RevocationList } = require('@nodesec/native');
const { RedisRevocations } = require('@nodesec/native/redis');
const { connect } = require('../../lib/redis/client.js');
const { CLIENTS } = require('../helpers/redis-clients.js');
const { openList, refuses, secretKey, soon } = require('../helpers/redis-revocations.js');
const { RedisServer, until } = require('../helpers/redis-server.js');

const CHILD = path.join(__dirname, '..', 'helpers', 'redis-silent-child.js');

/** A list over `send`, of which `answer(args, send)` may give another answer. */
async function openSender(t, server, answer, more) {
  const { send } = await CLIENTS.send(t, server);
  const client = { send: (args) => answer(args, send) };
  const list = new RevocationList();
  const options = { client, list, key: secretKey(), maxStaleness: 1, ...more };
  const revocations = await RedisRevocations.open(options);
  t.after(() => revocations.close());
  return { list, revocations };
}

for (const reason of [undefined, null, { message: { __proto__: null } }]) {
  test(`a send that rejects with ${JSON.stringify(reason)} is an outage, and the process goes on`, async (t) => {
    const server = await RedisServer.start(t);
    if (server === undefined) return;
    let isDown = false;
    const { list, revocations } = await openSender(t, server, async (args, send) => {
      if (isDown) throw reason;
      return send(args);
    });
    isDown = true;
    await assert.rejects(list.revokeId('a', soon()), { code: 'ERR_REVOCATION_STORE' });
    await until(() => revocations.status().state === 'stale');
    isDown = false;
    await until(() => revocations.status().state === 'following' && refuses(list, 'a'));
    await until(() => revocations.status().unconfirmed === 0);
  });
}

test('a reply of XADD that is no id rejects the revocation', async (t) => {
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  for (const reply of [undefined, null, new Error('OOM x'), 'QUEUED', false]) {
    const { list, revocations } = await openSender(t, server, (args, send) =>
      args[0] === 'XADD' ? reply : send(args),
    );
    await assert.rejects(list.revokeId('a', soon()), { code: 'ERR_REVOCATION_STORE', message: /\(REPLY\)/ });
    assert.equal(revocations.status().published, 0);
  }
});

test('close ends a list whose send hangs, and no answer that comes later changes its state', async (t) => {
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  const held = [];
  let hangs = false;
  const { list, revocations } = await openSender(
    t,
    server,
    async (args, send) => {
      const reply = await send(args);
      if (hangs) {
        const { promise, resolve } = deferred();
        held.push(resolve);
        await promise;
      }
      return reply;
    },
    { maxStaleness: '1d' },
  );
  hangs = true;
  const revoked = assert.rejects(list.revokeId('a', soon()), { code: 'ERR_REVOCATION_STORE' });
  await until(() => held.length > 1);
  // Six hours are left to the commands.
  await revocations.close();
  await revoked;
  for (const answer of held) answer();
  await new Promise(setImmediate);
  const { state, published } = revocations.status();
  assert.deepEqual([state, published], ['closed', 0]);
});

function deferred() {
  const each = {};
  each.promise = new Promise((resolve) => {
    each.resolve = resolve;
  });
  return each;
}

/** A relay to a server; `mute()` keeps all connections, and says nothing on them or on new ones. */
async function startRelay(t, server) {
  const sockets = new Set();
  const pairs = new Set();
  let isMute = false;
  const relay = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => {});
    socket.resume();
    if (isMute) return;
    const to = net.connect(server.port, '127.0.0.1').on('error', () => {});
    pairs.add([socket, to]);
    socket.pipe(to).pipe(socket);
    socket.on('close', () => to.destroy());
  });
  relay.listen(0, '127.0.0.1');
  await once(relay, 'listening');
  t.after(() => {
    relay.close();
    for (const socket of sockets) socket.destroy();
  });
  return {
    port: relay.address().port,
    get size() {
      return sockets.size;
    },
    /** Keeps the present connections, and says nothing on them. */
    freeze() {
      for (const [socket, to] of pairs) {
        socket.unpipe(to);
        to.unpipe(socket);
        socket.resume();
      }
    },
    mute() {
      isMute = true;
      this.freeze();
    },
  };
}

for (const kind of ['ioredis 6', 'ioredis 5', 'iovalkey', 'redis 6', 'redis 5']) {
  test(`a client whose connection has gone silent publishes over another one, over ${kind}`, async (t) => {
    const server = await RedisServer.start(t);
    if (server === undefined) return;
    const relay = await startRelay(t, server);
    const one = await openList(t, relay, { kind });
    const other = await openList(t, server);
    await one.list.revokeId('a', soon());
    relay.freeze();
    one.list.revokeId('b', soon()).catch(() => {});
    await until(() => refuses(other.list, 'b'));
    await one.list.revokeId('c', soon());
  });

  test(`a server that accepts connections and says nothing gets no more of them, over ${kind}`, async (t) => {
    const server = await RedisServer.start(t);
    if (server === undefined) return;
    const relay = await startRelay(t, server);
    const { client, revocations } = await openList(t, relay, { kind, maxStaleness: 1 });
    relay.mute();
    await until(() => revocations.status().state === 'stale');
    // The caller's own, the two of the list, and those that are on their way out.
    for (let n = 0; n < 20; n++) {
      await sleep(100);
      assert.ok(relay.size < 6, `${relay.size} connections`);
    }
    await revocations.close();
    if (client.disconnect && !client.destroy) client.disconnect();
    else client.destroy();
    await until(() => relay.size === 0);
  });
}

test('a process whose server says nothing ends after open has failed', async (t) => {
  const server = net.createServer((socket) => socket.resume().on('error', () => {}));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const child = fork(CHILD, [`${server.address().port}`], { stdio: 'ignore' });
  const [code] = await once(child, 'exit');
  assert.equal(code, 0);
});

test('a list follows and publishes at one database, wherever its client is', async (t) => {
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  const lists = [];
  for (const kind of ['ioredis 6', 'redis 6']) {
    const client = await CLIENTS[kind](t, server);
    await connect(client).command(['SELECT', '1']);
    const list = new RevocationList();
    const revocations = await RedisRevocations.open({ client, list, key: secretKey(), maxStaleness: 2 });
    t.after(() => revocations.close());
    lists.push(list);
  }
  await lists[0].revokeId('a', soon());
  await until(() => refuses(lists[1], 'a'));
});
