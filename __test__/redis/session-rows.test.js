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
  name: 'nodesec:sessions:1:{Idn36i2FMmU}',
  id: '01a22499f8008994a1d9f7ea2d853265',
  row: [
    '0100a7f9fa56cdc0c1ada78d157789f94e7d11ab083285e54c5d83569d7476a3ce545a36f7121f0a94800000',
    '0001000000000000000000000000157ca1dd98fadce8427a22499f800000427a22499fbe8000427a22499fbe',
    '8000001f002e0000002c8c9bbb7a48e8bace76985f53c54cf89bf3e93e25ea9ec6fa59021c432bd3e8405a34',
    '644c5cd3a757ff0bcaccb3fcd554ce3096308a91df4cec10243c87c7557b60f4642f4384a4908d419d463ea5',
    '240e7a8291f8a47ffbb4b8bd2dcb3e17d6f6328d14eb090a1346a3ee5e4b72f31dfbafb93b87da32001e73',
  ].join(''),
  older: [
    'AgGiJJn4AImUodn36i2FMmUAAAAAAAAAAEjvb55KVpkt4wKvf',
    'zPGoRlHz8E64IXXbLs5y4B_J3YUZVYAz-xBofPUSF0NT_cS1w',
  ].join(''),
  token: [
    'AgGiJJn4AImUodn36i2FMmUAAAABAAAAAEjvb55KVpkt4wKvf',
    'zPGoRmAD7EnRvnUjnBoveEcBqnmf0UMT0A-aPzHe_VomBu1LA',
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
