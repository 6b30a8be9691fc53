'use strict';

// The rows of sessions on Redis: secrets that they do not show, their end, their changes by others,
// and their format.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { coded } = require('../helpers/outcome.js');
const { CLIENTS } = require('../helpers/redis-clients.js');
const { RedisServer } = require('../helpers/redis-server.js');
const { makeSessions } = require('../helpers/redis-sessions.js');
const { START, clocked } = require('../helpers/session-behaviours.js');

/** A session of the first release, under {@link secretKey}. */
const FIRST = {
  name: 'nodesec:sessions:1:{GztkO59dN5E}',
  id: '01a22499f8008b189b3b643b9f5d3791',
  row: [
    '010080d2052a107d9bbc8fff9010c8e84d93427d2a3c20bed6f10271eba6c5930d8161d044e13e9bfd800000',
    '0001000000000000000000000000b37f7cbf92eb578e427a22499f800000427a22499fbe8000427a22499fbe',
    '8000001f002e0000002cc93a9c0c660b47e63623d122b947508c5917b3133ada52e79edeb759680e25ba7e2e',
    '986d4a0034e038555471b5e1ef71ed13a3e15bd3e72fa2ce17a8f4f21ee9644af493930eb81f39c559b7706e',
    '5ef0852845d68af712475a449fd2ec7e616781175c565e1efe4e1f7d54a7f9fc308ca4bfbd013c9bcddcb5',
  ].join(''),
  older: [
    'AgGiJJn4AIsYmztkO59dN5EAAAAAAAAAAMzZjIITSWCQ3MNRT',
    'Nh5_8E0CWPYibZKZrA7e21jaf5xixE6v9EF0_qVKj-WuXwcAA',
  ].join(''),
  token: [
    'AgGiJJn4AIsYmztkO59dN5EAAAABAAAAAMzZjIITSWCQ3MNRT',
    'Nh5_8H9ehQVOpyn0hg02eOx_uVL0_x-ULjWv76pSkX7-62kWw',
  ].join(''),
};

/** A check for errors with a code, whose message a pattern matches. */
function saying(code, pattern) {
  return (error) => coded(code)(error) && pattern.test(error.message);
}

test('nothing on the server shows a subject, claims, meta data or a token', async (t) => {
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  const client = await CLIENTS['ioredis 6'](t, server);
  const sent = [];
  const { callBuffer } = client;
  client.callBuffer = (...args) => {
    sent.push(Buffer.concat(args.map((arg) => Buffer.from(arg))));
    return callBuffer.apply(client, args);
  };
  const { sessions } = makeSessions(client);
  const words = ['ada.lovelace@example.org', 'engine-admin', 'analytical-phone', 'difference'];
  const [subject, role, device, more] = words;
  const first = await sessions.start(subject, { role }, { meta: { device } });
  const { pair } = await sessions.refresh(first.refreshToken, { claims: { role, more } });
  await sessions.list(subject);
  const [name] = (await client.keys('*')).values();
  const stored = Buffer.concat([Buffer.from(name), ...(await client.hgetallBuffer(name).then(Object.values))]);
  const secrets = [...words, first.refreshToken, pair.refreshToken, pair.accessToken];
  // The secret in the token, which the server knows as a hash.
  const raw = Buffer.from(pair.refreshToken, 'base64url').subarray(25, 41);
  for (const bytes of [stored, ...sent]) {
    for (const secret of secrets) assert.ok(!bytes.includes(secret), secret);
    assert.ok(!bytes.includes(raw));
  }
  assert.match(name, /^nodesec:sessions:1:\{[\w-]{11}\}$/);
  assert.equal(first.sessionId[14], '8');
});

test('a name expires when the last of its sessions is long over', async (t) => {
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  const client = await CLIENTS['ioredis 6'](t, server);
  const short = makeSessions(client, { idleTtl: '10s' });
  const long = makeSessions(client, { refreshTtl: '30d' });
  const first = await short.sessions.start('ada');
  const ttl = async () => Math.round((await client.pttl((await client.keys('*'))[0])) / 1000 - 3600);
  assert.ok(Math.abs((await ttl()) - 10) <= 1);
  await long.sessions.start('ada');
  assert.ok(Math.abs((await ttl()) - 30 * 86_400) <= 1);
  await short.statusOf(first);
  assert.ok(Math.abs((await ttl()) - 30 * 86_400) <= 1);
});

test('rows that somebody has changed, moved or cut give nobody a token', async (t) => {
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  const client = await CLIENTS['ioredis 6'](t, server);
  const { sessions, statusOf } = makeSessions(client);
  const [ada, eve] = [await sessions.start('ada', { role: 'admin' }), await sessions.start('eve')];
  const idOf = ({ sessionId }) => Buffer.from(sessionId.replaceAll('-', ''), 'hex');
  const nameOf = async (pair) => {
    for (const name of await client.keys('*')) if (await client.hexists(name, idOf(pair))) return name;
    throw new Error('no name');
  };
  const [ofAda, ofEve] = [await nameOf(ada), await nameOf(eve)];
  const row = await client.hgetBuffer(ofAda, idOf(ada));
  // Her own row with the texts of another session: the secret stays, so the token is accepted.
  const own = await client.hgetBuffer(ofEve, idOf(eve));
  const mixed = Buffer.concat([own.subarray(0, 90), row.subarray(90)]);
  await client.hset(ofEve, idOf(eve), mixed);
  await assert.rejects(sessions.refresh(eve.refreshToken), coded('ERR_SESSION_STORE'));
  await client.hset(ofEve, idOf(eve), row);
  assert.equal(await statusOf(eve), 'unknown');
  for (const length of [0, 1, 97, row.length - 1]) {
    await client.hset(ofAda, idOf(ada), row.subarray(0, length));
    await assert.rejects(sessions.refresh(ada.refreshToken), saying('ERR_SESSION_STORE', /FORMAT/));
    await assert.rejects(sessions.list('ada'), saying('ERR_SESSION_STORE', /FORMAT/));
  }
  await client.hset(ofAda, idOf(ada), row);
  assert.equal(await statusOf(ada), 'rotated');
});

test('the rows and the tokens of the first release are read', async (t) => {
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  const client = await CLIENTS['ioredis 6'](t, server);
  const { clock, advance } = clocked();
  advance(2000);
  const { sessions, verifier } = makeSessions(client, { clock });
  await client.connect();
  await client.hset(FIRST.name, Buffer.from(FIRST.id, 'hex'), Buffer.from(FIRST.row, 'hex'));
  const [{ sessionId, startedAt, usedAt, meta }] = await sessions.list('ada');
  assert.equal(sessionId.replaceAll('-', ''), FIRST.id);
  assert.deepEqual([startedAt.getTime(), usedAt.getTime()], [START, START + 1000]);
  assert.deepEqual(meta, { device: 'phone' });
  const replayed = await sessions.refresh(FIRST.older);
  assert.deepEqual([replayed.status, replayed.pair.refreshToken], ['replayed', FIRST.token]);
  const { status, pair } = await sessions.refresh(FIRST.token);
  assert.equal(status, 'rotated');
  assert.equal(verifier.verify(pair.accessToken).role, 'admin');
  assert.equal((await sessions.refresh(FIRST.older)).status, 'reuse');
});

/** The name and the row of a session, whose subject alone has sessions. */
async function rowOf(client, { sessionId }) {
  const id = Buffer.from(sessionId.replaceAll('-', ''), 'hex');
  const [name] = await client.keys('*');
  return { name, id, row: await client.hgetBuffer(name, id) };
}

test('a row that somebody copies to another prefix is worth nothing there', async (t) => {
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  const client = await CLIENTS['ioredis 6'](t, server);
  const [shop, staff] = ['shop', 'staff'].map((prefix) => makeSessions(client, { prefix }));
  const first = await shop.sessions.start('17', { role: 'user' });
  const { name } = await rowOf(client, first);
  await client.copy(name, name.replace('shop', 'staff'));
  assert.equal(await staff.statusOf(first), 'unknown');
  assert.deepEqual(await staff.sessions.list('17'), []);
  assert.equal(await staff.sessions.endByRefreshToken(first.refreshToken), false);
  assert.equal(await shop.statusOf(first), 'rotated');
});

for (const issued of [1e16, 1e300, NaN, Infinity, -Infinity, -1, 0.5]) {
  test(`a session whose row says that its token was issued at ${issued} ends`, async (t) => {
    const server = await RedisServer.start(t);
    if (server === undefined) return;
    const client = await CLIENTS['ioredis 6'](t, server);
    const { sessions, judge, revocations } = makeSessions(client);
    const ends = [({ sessionId }) => sessions.end(sessionId), () => sessions.endAll('ada')];
    for (const end of ends) {
      const pair = await sessions.start('ada');
      const { name, id, row } = await rowOf(client, pair);
      row.writeDoubleBE(issued, 82);
      await client.hset(name, id, row);
      await end(pair);
      assert.equal(judge(pair), 'ERR_JWT_REVOKED');
      await client.flushall();
    }
    assert.equal(revocations.stats().sessions, 2);
  });
}

test('fields that somebody has added keep no session from its end', async (t) => {
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  const client = await CLIENTS['ioredis 6'](t, server);
  const { sessions, judge, statusOf } = makeSessions(client);
  const pairs = [];
  for (let count = 0; count < 4; count += 1) pairs.push(await sessions.start('ada'));
  const { name, row } = await rowOf(client, pairs[0]);
  await client.hset(name, 'junk', 'x', 'short', row);
  await assert.rejects(sessions.endAll('ada'), saying('ERR_SESSION_STORE', /FORMAT/));
  for (const pair of pairs) {
    assert.deepEqual([judge(pair), await statusOf(pair)], ['ERR_JWT_REVOKED', 'unknown']);
  }
});

test('a row of another format stays, does not count, and stops no login of its subject', async (t) => {
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  const client = await CLIENTS['ioredis 6'](t, server);
  const limits = { maxSessionsPerSubject: 2, grace: 0 };
  const { sessions, judge, statusOf } = makeSessions(client, { ...limits, onSessionLimit: 'end-oldest' });
  const strict = makeSessions(client, limits);
  const later = await sessions.start('ada');
  const { name, id, row } = await rowOf(client, later);
  // The next version of the format.
  row[0] = 2;
  await client.hset(name, id, row);
  const [first, second] = [await sessions.start('ada'), await sessions.start('ada')];
  await assert.rejects(strict.sessions.start('ada'), coded('ERR_SESSION_LIMIT'));
  const third = await sessions.start('ada');
  assert.deepEqual([first, second, third, later].map(judge), ['ERR_JWT_REVOKED', undefined, undefined, undefined]);
  assert.deepEqual([await statusOf(second), await statusOf(third)], ['rotated', 'rotated']);
  // Nothing says less than there is: these calls tell of the row.
  await assert.rejects(sessions.refresh(later.refreshToken), saying('ERR_SESSION_STORE', /FORMAT/));
  await assert.rejects(sessions.list('ada'), saying('ERR_SESSION_STORE', /FORMAT/));
  await assert.rejects(sessions.endAll('ada'), saying('ERR_SESSION_STORE', /FORMAT/));
  assert.equal(judge(third), 'ERR_JWT_REVOKED');
  assert.deepEqual(await client.hgetBuffer(name, id), row);
  // A process that reads the format finds the session as it was.
  row[0] = 1;
  await client.hset(name, id, row);
  assert.equal(await statusOf(later), 'rotated');
});

test('a subject of many sessions that are over logs in', async (t) => {
  const server = await RedisServer.start(t);
  if (server === undefined) return;
  const client = await CLIENTS['ioredis 6'](t, server);
  const { clock, advance } = clocked();
  const { sessions } = makeSessions(client, { clock, idleTtl: '1h', deadlineMs: 10_000 });
  const { name, row } = await rowOf(client, await sessions.start('ada'));
  const ids = Array.from({ length: 9000 }, (_, at) => `${at}`.padStart(16, '0'));
  await client.hset(name, ...ids.flatMap((id) => [id, row]));
  advance(3_600_000);
  await sessions.start('ada');
  assert.equal(await client.hlen(name), 1);
});
