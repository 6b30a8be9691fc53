'use strict';

// Sessions whose list is full, and claims that fill a token.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { RevocationList, Sessions } = require('@nodesec/native');
const { RedisRevocations } = require('@nodesec/native/redis');
const { coded } = require('../helpers/outcome.js');
const { CLIENTS } = require('../helpers/redis-clients.js');
const { secretKey } = require('../helpers/redis-revocations.js');
const { RedisServer, until } = require('../helpers/redis-server.js');
const { makeSessions } = require('../helpers/redis-sessions.js');
const { service } = require('../helpers/session-behaviours.js');

const soon = () => Math.floor(Date.now() / 1000) + 600;

test('a start that cannot end the oldest session leaves no session behind', async (t) => {
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  const revocations = new RevocationList({ maxEntries: 1 });
  const limits = { maxSessionsPerSubject: 3, onSessionLimit: 'end-oldest' };
  const client = await CLIENTS['ioredis 6'](t, server);
  const { sessions } = makeSessions(client, { revocations, ...limits });
  const pairs = [];
  for (let count = 0; count < 3; count += 1) pairs.push(await sessions.start('ada'));
  await revocations.revokeId('x', soon());
  await assert.rejects(sessions.start('ada'), coded('ERR_REVOCATION_FULL'));
  const rest = pairs.slice(1).map(({ sessionId }) => sessionId);
  const listed = async () => (await sessions.list('ada')).map(({ sessionId }) => sessionId);
  await until(async () => (await listed()).length === rest.length);
  assert.deepEqual(await listed(), rest);
});

test('a list of several machines does not forget a session to make room', async (t) => {
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  const client = await CLIENTS['ioredis 6'](t, server);
  const list = new RevocationList({ maxEntries: 4, onFull: 'reject-older' });
  const remote = await RedisRevocations.open({ client, list, key: secretKey(), maxStaleness: '5m' });
  // Its clock may be behind on another machine, and it makes room by that clock.
  const { issuer } = service(list);
  const inMemory = new Sessions({ issuer, revocations: list });
  const onServer = makeSessions(client, { revocations: list });
  await inMemory.end((await inMemory.start('ada')).sessionId);
  await onServer.sessions.end((await onServer.sessions.start('ada')).sessionId);
  for (let count = 0; count < 9; count += 1) await list.revokeId(`${count}`, soon());
  const { rejectsIssuedUntil, sessions } = list.stats();
  assert.ok(rejectsIssuedUntil > 0, 'the list has not made room');
  assert.equal(sessions, 2);
  await remote.close();
});

test('claims that do not fit into a token with the subject do not use up a refresh token', async (t) => {
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  const { sessions, statusOf } = makeSessions(await CLIENTS['ioredis 6'](t, server), { grace: 0 });
  const claimsOf = (length) => ({ x: 'a'.repeat(length) });
  const fits = async (subject, length) =>
    sessions.start(subject, claimsOf(length)).then(
      ({ sessionId }) => sessions.end(sessionId).then(() => true),
      (error) => {
        coded('ERR_OUT_OF_RANGE')(error);
        return false;
      },
    );
  for (const subject of ['-', 's'.repeat(1024), '\u0001'.repeat(1024)]) {
    let [longest, tooLong] = [1, 20_000];
    while (tooLong - longest > 1) {
      const middle = Math.floor((longest + tooLong) / 2);
      if (await fits(subject, middle)) longest = middle;
      else tooLong = middle;
    }
    const first = await sessions.start(subject);
    for (const claims of [claimsOf(tooLong), () => claimsOf(tooLong)]) {
      await assert.rejects(sessions.refresh(first.refreshToken, { claims }), coded('ERR_OUT_OF_RANGE'));
    }
    // With a grace of 0, a token that was used up would be reuse.
    const { status, pair } = await sessions.refresh(first.refreshToken, { claims: claimsOf(longest) });
    assert.deepEqual([status, await statusOf(pair)], ['rotated', 'rotated']);
  }
});
