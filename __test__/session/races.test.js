'use strict';

// Clients that refresh at four processes on one store, whose responses get lost and which are
// killed all the time. A long run: `ROUNDS=10000`.

const assert = require('node:assert/strict');
const { randomInt } = require('node:crypto');
const { test } = require('node:test');
const { setTimeout: sleep } = require('node:timers/promises');

const { StoreProcess } = require('../helpers/store-process.js');
const { storePath } = require('../helpers/store-service.js');

const ROUNDS = Number(process.env.ROUNDS ?? 400);
const PROCESSES = 4;
const CLIENTS = 8;
const LOST = Symbol('the response was lost');

/** Processes on one store. One that is killed is started again. */
class Service {
  #t;
  #at;
  #options;
  /** Promises of the processes. */
  #processes = [];
  kills = 0;

  static async open(t, sessions) {
    const service = new Service();
    service.#t = t;
    service.#at = storePath(t);
    service.#options = { durability: 'process', busyMs: 60_000, sessions };
    // The first one makes the store.
    service.#processes.push(Promise.resolve(await service.#start()));
    while (service.#processes.length < PROCESSES) service.#processes.push(service.#start());
    return service;
  }

  async #start() {
    const process = new StoreProcess(this.#t);
    await process.call('open', this.#at, this.#options);
    return process;
  }

  /** A call of a random process; `LOST` if it was killed. */
  async call(...args) {
    const process = await this.#processes[randomInt(PROCESSES)];
    if (process.child.exitCode !== null || process.child.signalCode !== null) return LOST;
    return process.call(...args).catch((error) => {
      if (error.code !== undefined) throw error;
      return LOST;
    });
  }

  /** A call that is repeated at other processes until one has answered. */
  async ask(...args) {
    for (;;) {
      const answer = await this.call(...args);
      if (answer !== LOST) return answer;
    }
  }

  /** Kills processes until `done` says that it is over. */
  async killUntil(done) {
    while (!done()) {
      await sleep(randomInt(200));
      const at = randomInt(PROCESSES);
      const process = await this.#processes[at];
      await process.kill();
      this.kills += 1;
      this.#processes[at] = this.#start();
    }
    await Promise.all(this.#processes);
  }
}

/** Has clients run rounds while processes are killed. Returns the number of kills. */
async function race(t, sessions, round) {
  const service = await Service.open(t, sessions);
  let begun = 0;
  let running = CLIENTS;
  const client = async () => {
    try {
      let state;
      while (begun < ROUNDS) {
        begun += 1;
        state = await round(service, state ?? (await newClient(service)));
      }
    } finally {
      running -= 1;
    }
  };
  const clients = Array.from({ length: CLIENTS }, client);
  await Promise.all([...clients, service.killUntil(() => running === 0)]);
  t.diagnostic(`${ROUNDS} rounds, ${service.kills} processes killed`);
  assert.ok(service.kills > 0);
}

/** A client whose session has been refreshed once. */
async function newClient(service) {
  const first = await service.ask('session', 'start', 'ada');
  const { pair } = await service.ask('session', 'refresh', first.refreshToken);
  return { older: first.refreshToken, pair };
}

/** A token that was used up must end the session everywhere. */
async function assertReuse(service, token, pair) {
  const answer = await service.ask('session', 'refresh', token);
  // A process may have been killed after it had ended the session, before it answered.
  assert.ok(['reuse', 'unknown'].includes(answer.status), answer.status);
  for (let at = 0; at < 3; at += 1) {
    const { status } = await service.ask('session', 'refresh', pair.refreshToken);
    assert.equal(status, 'unknown');
    assert.equal(await service.ask('judgeToken', pair.accessToken), 'ERR_JWT_REVOKED');
  }
}

test('within the grace a token gets one successor from all processes, and an older one is reuse', async (t) => {
  await race(t, { grace: 300 }, async (service, { older, pair }) => {
    const asked = Array.from({ length: 1 + randomInt(4) }, () =>
      service.call('session', 'refresh', pair.refreshToken),
    );
    const answers = (await Promise.all(asked)).filter((answer) => answer !== LOST);
    const statuses = answers.map(({ status }) => status);
    assert.ok(statuses.every((status) => ['rotated', 'replayed'].includes(status)), statuses.join());
    assert.ok(statuses.filter((status) => status === 'rotated').length <= 1, statuses.join());
    const successors = new Set(answers.map((answer) => answer.pair.refreshToken));
    assert.ok(successors.size <= 1);
    if (answers.length === 0 || randomInt(3) === 0) return { older, pair };
    const [{ pair: next }] = answers;
    if (randomInt(20) > 0) return { older: pair.refreshToken, pair: next };
    await assertReuse(service, older, next);
    return undefined;
  });
});

test('with retryUntilUsed a client that retries keeps its session, and a voided token is reuse', async (t) => {
  const sessions = { grace: 0, retryUntilUsed: true };
  await race(t, sessions, async (service, { pair }) => {
    const received = [];
    for (let tries = 1 + randomInt(3); tries > 0; ) {
      const answer = await service.call('session', 'refresh', pair.refreshToken);
      if (answer === LOST) continue;
      assert.equal(answer.status, 'rotated');
      received.push(answer.pair);
      tries -= 1;
    }
    const next = received.pop();
    const tokens = [next, ...received].map(({ refreshToken }) => refreshToken);
    assert.equal(new Set(tokens).size, tokens.length);
    if (received.length === 0 || randomInt(10) > 0) return { pair: next };
    await assertReuse(service, received[randomInt(received.length)].refreshToken, next);
    return undefined;
  });
});
