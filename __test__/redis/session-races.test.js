'use strict';

// Clients that refresh at four processes over one Redis, whose answers get lost on the way. A long
// run: `ROUNDS=10000`.

const assert = require('node:assert/strict');
const { fork } = require('node:child_process');
const { randomInt } = require('node:crypto');
const { once } = require('node:events');
const net = require('node:net');
const path = require('node:path');
const { test } = require('node:test');

const { RedisServer, until } = require('../helpers/redis-server.js');

const ROUNDS = Number(process.env.ROUNDS ?? 300);
const PROCESSES = 4;
const CLIENTS = 8;
const LOST = Symbol('the answer was lost');
const CHILD = path.join(__dirname, '../helpers/redis-session-child.js');

/**
 * A proxy before a server. One time in `one`, it swallows what the server has answered, and breaks
 * the connection.
 */
class Swallower {
  swallowed = 0;
  port;

  static async start(t, server, one) {
    const proxy = new Swallower();
    const listener = net.createServer((client) => {
      const upstream = net.connect(server.port, '127.0.0.1');
      const end = () => {
        client.destroy();
        upstream.destroy();
      };
      for (const socket of [client, upstream]) socket.setNoDelay(true).on('error', end).on('close', end);
      client.pipe(upstream);
      upstream.on('data', (answer) => {
        if (randomInt(one) > 0) {
          client.write(answer);
          return;
        }
        proxy.swallowed += 1;
        end();
      });
    });
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    proxy.port = listener.address().port;
    t.after(() => listener.close());
    return proxy;
  }
}

/** A process with sessions. */
class Child {
  #process;
  #waiting = new Map();
  #last = 0;

  static async start(t, ports, options) {
    const child = new Child();
    const spawned = fork(CHILD, [...ports.map(String), JSON.stringify(options)]);
    t.after(() => spawned.kill('SIGKILL'));
    child.#process = spawned;
    await once(spawned, 'message');
    spawned.on('message', ({ number, ...answer }) => {
      child.#waiting.get(number)(answer);
      child.#waiting.delete(number);
    });
    return child;
  }

  /** The value of a call; `LOST` if the server's answer has not arrived. */
  async call(call, ...args) {
    const number = (this.#last += 1);
    const answered = new Promise((resolve) => {
      this.#waiting.set(number, resolve);
    });
    this.#process.send({ number, call, args });
    const { value, code, message } = await answered;
    if (code === 'ERR_SESSION_STORE') return LOST;
    if (code !== undefined) throw Object.assign(new Error(message), { code });
    return value;
  }
}

class Service {
  #children;

  static async start(t, server, proxy, options) {
    const service = new Service();
    const ports = [proxy.port, server.port];
    service.#children = await Promise.all(
      Array.from({ length: PROCESSES }, () => Child.start(t, ports, options)),
    );
    return service;
  }

  call(...args) {
    return this.#children[randomInt(PROCESSES)].call(...args);
  }

  /** A call that is repeated at other processes until one has answered. */
  async ask(...args) {
    for (;;) {
      const answer = await this.call(...args);
      if (answer !== LOST) return answer;
    }
  }

  /** Whether no process accepts an access token any more. */
  async isRefused(pair) {
    const codes = await Promise.all(this.#children.map((child) => child.call('judge', pair)));
    return codes.every((code) => code === 'ERR_JWT_REVOKED');
  }
}

/** Has clients run rounds. `round` gets the state that it has returned last, and counts. */
async function race(t, options, round) {
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  const proxy = await Swallower.start(t, server, 12);
  const service = await Service.start(t, server, proxy, { deadlineMs: 2000, maxSessionsPerSubject: 1000, ...options });
  const counts = { rounds: 0, reuses: 0 };
  const client = async (_, at) => {
    let state;
    while (counts.rounds < ROUNDS) {
      counts.rounds += 1;
      state = await round(service, state ?? (await newClient(service, `user ${at}`)), counts);
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  t.diagnostic(`${counts.rounds} rounds, ${proxy.swallowed} answers swallowed, ${counts.reuses} reuses noticed`);
  assert.ok(proxy.swallowed > 0 && counts.reuses > 0);
}

/** A client whose session has been refreshed once. */
async function newClient(service, subject) {
  const first = await service.ask('start', subject);
  const { pair } = await service.ask('refresh', first.refreshToken);
  return { older: first.refreshToken, pair };
}

/** A token that was used up must end the session everywhere. */
async function assertReuse(service, token, pair, counts) {
  assert.equal((await service.ask('refresh', token)).status, 'reuse');
  counts.reuses += 1;
  // The row is deleted without a wait.
  const { status } = await service.ask('refresh', pair.refreshToken);
  assert.ok(['unknown', 'reuse'].includes(status), status);
  await until(() => service.isRefused(pair));
}

test('within the grace a token gets one successor from all processes, and an older one is reuse', async (t) => {
  await race(t, { grace: 300 }, async (service, { older, pair }, counts) => {
    const asked = Array.from({ length: 1 + randomInt(4) }, () => service.call('refresh', pair.refreshToken));
    const answers = (await Promise.all(asked)).filter((answer) => answer !== LOST);
    const statuses = answers.map(({ status }) => status);
    assert.ok(statuses.every((status) => ['rotated', 'replayed'].includes(status)), statuses.join());
    assert.ok(statuses.filter((status) => status === 'rotated').length <= 1, statuses.join());
    const successors = new Set(answers.map((answer) => answer.pair.refreshToken));
    assert.ok(successors.size <= 1);
    if (answers.length === 0 || randomInt(3) === 0) return { older, pair };
    const [{ pair: next }] = answers;
    if (randomInt(20) > 0) return { older: pair.refreshToken, pair: next };
    await assertReuse(service, older, next, counts);
    return undefined;
  });
});

test('with retryUntilUsed a client that retries keeps its session, and a voided token is reuse', async (t) => {
  await race(t, { grace: 0, retryUntilUsed: true }, async (service, { pair }, counts) => {
    const received = [];
    for (let tries = 1 + randomInt(3); tries > 0; ) {
      const answer = await service.call('refresh', pair.refreshToken);
      if (answer === LOST) continue;
      assert.equal(answer.status, 'rotated');
      received.push(answer.pair);
      tries -= 1;
    }
    const next = received.pop();
    const tokens = [next, ...received].map(({ refreshToken }) => refreshToken);
    assert.equal(new Set(tokens).size, tokens.length);
    if (received.length === 0 || randomInt(10) > 0) return { pair: next };
    await assertReuse(service, received[randomInt(received.length)].refreshToken, next, counts);
    return undefined;
  });
});
