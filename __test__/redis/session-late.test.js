'use strict';

// Commands and answers of sessions that a network or a client has held back.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { JwtIssuer, JwtKey, JwtVerifier, RevocationList } = require('@nodesec/native');
const { RedisSessions } = require('@nodesec/native/redis');
const { coded } = require('../helpers/outcome.js');
const { CLIENTS } = require('../helpers/redis-clients.js');
const { secretKey } = require('../helpers/redis-revocations.js');
const { RedisServer } = require('../helpers/redis-server.js');
const { makeSessions } = require('../helpers/redis-sessions.js');
const { clocked } = require('../helpers/session-behaviours.js');

const unanswered = coded('ERR_SESSION_STORE');

/**
 * A client that holds its scripts, `commands`, or their `answers` back until `release()`. It counts
 * the texts of scripts that it was given.
 */
class Holding {
  texts = 0;
  #client;
  #held = {};
  #sent = [];
  /** Called when the server has answered. */
  #answered = () => {};

  static async start(t, server) {
    const client = await CLIENTS['ioredis 6'](t, server);
    await client.connect();
    const holding = new Holding();
    holding.#client = client;
    return holding;
  }

  hold(part) {
    const held = {};
    held.promise = new Promise((resolve) => {
      held.resolve = resolve;
    });
    this.#held[part] = held;
  }

  /** Resolves when all that was held has come through. */
  async release() {
    const { commands, answers } = this.#held;
    this.#held = {};
    commands?.resolve();
    answers?.resolve();
    await Promise.allSettled(this.#sent);
  }

  /** Resolves when the server has answered one more script. */
  reached() {
    return new Promise((resolve) => {
      this.#answered = resolve;
    });
  }

  send = ([name, ...args]) => {
    const sent = this.#pass(name, args);
    this.#sent.push(sent);
    return sent;
  };

  async #pass(name, args) {
    const { commands, answers } = this.#held;
    if (name.startsWith('eval')) await commands?.promise;
    if (name === 'eval') this.texts += 1;
    const replying = this.#client.callBuffer(name, ...args);
    await replying.then(() => this.#answered(), () => {});
    if (name.startsWith('eval')) await answers?.promise;
    return replying;
  }
}

for (const retryUntilUsed of [false, true]) {
  test(`a token that is judged too late is no reuse, with retryUntilUsed: ${retryUntilUsed}`, async (t) => {
    const server = await RedisServer.start(t);
    if (server === undefined) return;
    const options = { grace: 0, retryUntilUsed };
    const stalled = await Holding.start(t, server);
    const one = makeSessions(stalled, { ...options, deadlineMs: 100 });
    const other = makeSessions(await CLIENTS['ioredis 6'](t, server), options);
    for (const isKnown of [false, true]) {
      // Then the process knows the time of the server.
      if (isKnown) await one.sessions.list('ada');
      const first = await other.sessions.start('ada');
      stalled.hold('commands');
      await assert.rejects(one.sessions.refresh(first.refreshToken), unanswered);
      const { pair: second } = await other.sessions.refresh(first.refreshToken);
      const { pair: third } = await other.sessions.refresh(second.refreshToken);
      await stalled.release();
      assert.deepEqual([other.judge(third), await other.statusOf(third)], [undefined, 'rotated']);
    }
  });
}

test('no late command starts a session or ends one', async (t) => {
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  const stalled = await Holding.start(t, server);
  const one = makeSessions(stalled, { deadlineMs: 100 });
  const other = makeSessions(await CLIENTS['ioredis 6'](t, server));
  await one.sessions.list('ada');
  stalled.hold('commands');
  await assert.rejects(one.sessions.start('ada'), unanswered);
  await assert.rejects(one.sessions.endAll('ada'), unanswered);
  const pair = await other.sessions.start('ada');
  await stalled.release();
  assert.equal((await other.sessions.list('ada')).length, 1);
  assert.deepEqual([other.judge(pair), await other.statusOf(pair)], [undefined, 'rotated']);
});

test('the text of a script is not sent after the deadline', async (t) => {
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  const stalled = await Holding.start(t, server);
  const { sessions } = makeSessions(stalled, { deadlineMs: 100 });
  stalled.hold('answers');
  await assert.rejects(sessions.start('ada'), unanswered);
  await stalled.release();
  assert.equal(stalled.texts, 0);
  await sessions.start('ada');
  assert.equal(stalled.texts, 1);
});

test('a server whose clock is set goes on answering', async (t) => {
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  const client = await CLIENTS['ioredis 6'](t, server);
  await client.connect();
  let ahead = 0;
  // A clock that is ahead by so much sees each limit earlier, and tells a later time.
  const send = async ([name, ...args]) => {
    const limit = Number(args.at(-1)) - ahead;
    const reply = await client.callBuffer(name, ...args.slice(0, -1), `${limit}`);
    return [Number(reply[0]) + ahead, ...reply.slice(1)];
  };
  const { sessions } = makeSessions({ send });
  let { refreshToken } = await sessions.start('ada');
  for (ahead of [3_600_000, -3_600_000, 0]) {
    const { status, pair } = await sessions.refresh(refreshToken);
    assert.equal(status, 'rotated');
    ({ refreshToken } = pair);
  }
});

test('an access token of a late answer is refused when the list has made room', async (t) => {
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  const { clock, advance } = clocked();
  const revocations = new RevocationList({ maxEntries: 4, onFull: 'reject-older', clock });
  const keys = await JwtKey.generate('ES256');
  const checks = { keys, issuer: false, audience: false, clockTolerance: 0, revocations, clock };
  const verifier = new JwtVerifier(checks);
  const make = (client) =>
    new RedisSessions({
      client,
      key: secretKey(),
      issuer: new JwtIssuer({ keys, expiresIn: '10m', clock }),
      revocations,
      clock,
      deadlineMs: 10_000,
    });
  const slow = await Holding.start(t, server);
  const [one, other] = [make(slow), make(await CLIENTS['ioredis 6'](t, server))];
  // The server has the script.
  await one.refresh((await other.start('eve')).refreshToken);
  const first = await other.start('ada');
  slow.hold('answers');
  const refreshing = one.refresh(first.refreshToken);
  await slow.reached();
  await other.end(first.sessionId);
  const expires = Math.floor(clock() / 1000) + 600;
  for (let count = 0; count < 9; count += 1) await revocations.revokeId(`${count}`, expires);
  assert.ok(revocations.stats().rejectsIssuedUntil > 0, 'the list has not made room');
  advance(5000);
  await slow.release();
  const { pair } = await refreshing;
  const { iat } = JSON.parse(Buffer.from(pair.accessToken.split('.')[1], 'base64url'));
  assert.ok(iat > revocations.stats().rejectsIssuedUntil);
  assert.equal(verifier.tryVerify(pair.accessToken).code, 'ERR_JWT_REVOKED');
});
