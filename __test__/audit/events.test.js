'use strict';

// Provokes each event of the table by a real call. Its members must be those that the table
// declares, and it must hold nothing of the ids and the secrets of the call.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const Fastify = require('fastify');

const {
  JwtIssuer,
  JwtKey,
  JwtVerifier,
  JwtVerifiers,
  KeyRing,
  PasswordHasher,
  RateLimiter,
  RemoteJwks,
  RevocationList,
  SecretBuffer,
  Sessions,
  Store,
  createDpopProof,
  hash,
  hashSync,
  signJws,
  verify,
  verifyJws,
  verifySync,
} = require('@nodesec/native');
const { channels, hashId, record } = require('@nodesec/native/audit');
const { audit, authentication } = require('@nodesec/native/fastify');
const {
  RedisDpopReplayCache,
  RedisKeyRing,
  RedisRateLimiter,
  RedisRevocations,
  RedisSessions,
} = require('@nodesec/native/redis');
const { DpopProofs } = require('@nodesec/native/web');
const { EVENTS, HASHED } = require('../../lib/audit/events.js');
const { runScript } = require('../helpers/child.js');
const { heard } = require('../helpers/heard.js');
const { KeyServer, providerKey } = require('../helpers/key-server.js');
const { outcome } = require('../helpers/outcome.js');
const { emptyServer, ringServer } = require('../helpers/redis-sender.js');
const { StoreService, storePath, storeWithLoss } = require('../helpers/store-service.js');
const { raw } = require('../helpers/web.js');

const SECRET = 'k3y-material-that-no-event-may-repeat';
const PASSWORD = 'correct horse battery staple';
const FAST = { memoryCost: 64, timeCost: 1, parallelism: 1 };
const SUBJECT = 'ada@example.com';

/** Their conditions occur once a process. */
const IN_A_CHILD = ['secret.degraded', 'secret.overflowed', 'secret.exhausted'];

const key = JwtKey.fromSecret(Buffer.from(SECRET), { alg: 'HS256' });
const issuer = new JwtIssuer({ keys: key, expiresIn: '5m' });
const verifier = new JwtVerifier({ keys: key, issuer: false, audience: false });
const expired = () => {
  const clock = () => new Date(1e12);
  const past = new JwtIssuer({ keys: key, expiresIn: '5m', clock });
  return past.sign({ sub: SUBJECT, sid: 'a-session' });
};

/**
 * By event: a call that provokes it, and resolves to the bare ids and the secrets of the call. The
 * event may hold none of them, and has the hash of each id that has the name of a member.
 */
const PROVOCATIONS = {
  async 'token.refused'() {
    const token = issuer.sign({ sub: SUBJECT, sid: 'the-session' });
    const claims = verifier.verify(token);
    const revocations = new RevocationList();
    revocations.revokeSync(claims);
    new JwtVerifier({ keys: key, issuer: false, audience: false, revocations }).tryVerify(token);
    return { token, subject: SUBJECT, session: 'the-session', tokenId: claims.jti, SECRET };
  },
  async 'revocation.added'() {
    new RevocationList().revokeIdSync('the-token-id', Date.now() / 1000 + 60);
    return { tokenId: 'the-token-id' };
  },
  async 'revocation.failed'() {
    const list = new RevocationList();
    await list.close();
    await outcome(() => list.revokeSubject(SUBJECT));
    return { SUBJECT };
  },
  async 'store.failed'() {
    const key = SecretBuffer.from(Buffer.from(SECRET));
    const { code } = await Store.open('/dev/null/store', { key }).catch((error) => error);
    assert.equal(code, 'ERR_STORE_OPEN');
    return { SECRET };
  },
  async 'store.lost'(t) {
    const { at, restart } = await storeWithLoss(t, { durability: 'process' });
    restart();
    await (await StoreService.open(at)).close();
    return { at, SECRET };
  },
  async 'revocation.followed'(t) {
    await openRevocations(t);
    return { SECRET };
  },
  async 'revocation.lost'() {
    const XINFO = new Error(`NOAUTH ${SECRET}`);
    const opening = openRevocations(undefined, { XINFO }).catch(({ code }) => code);
    assert.equal(await opening, 'ERR_REVOCATION_STORE');
    return { SECRET };
  },
  async 'revocation.stale'(t) {
    let isDown = false;
    const HGET = () => (isDown ? new Error(`LOADING ${SECRET}`) : null);
    const XINFO = () => new Error(isDown ? `LOADING ${SECRET}` : 'ERR no such key');
    const { revocations } = await openRevocations(t, { HGET, XINFO });
    isDown = true;
    while (revocations.status().state !== 'stale') await new Promise(setImmediate);
    return { SECRET };
  },
  async 'revocation.ignored'(t) {
    const pages = [[['1-0', ['r', 'a forged row']]]];
    const XRANGE = () => pages.shift() ?? [];
    const info = () => ['last-generated-id', '1-0', 'entries-added', 1];
    await openRevocations(t, { XRANGE, XINFO: info });
    return { row: 'a forged row' };
  },
  async 'revocation.unpublished'(t) {
    const { list } = await openRevocations(t, { XADD: new Error(`OOM ${SECRET}`) });
    const revoked = list.revokeId('the-token-id', Date.now() / 1000 + 60);
    await assert.rejects(revoked, { code: 'ERR_REVOCATION_STORE' });
    return { id: 'the-token-id', SECRET };
  },
  async 'revocation.republished'(t) {
    const answers = [new Error('OOM no memory'), '1-0'];
    const { list, revocations } = await openRevocations(t, { XADD: () => answers.shift() ?? '1-0' });
    await outcome(() => list.revokeId('the-token-id', Date.now() / 1000 + 60));
    while (revocations.status().unconfirmed > 0) await new Promise(setImmediate);
    return { id: 'the-token-id' };
  },
  async 'revocation.evictable'(t) {
    await openRevocations(t, { CONFIG: ['maxmemory-policy', 'allkeys-lru'] });
    return { SECRET };
  },
  async 'keyring.followed'(t) {
    await openRing(t, ringServer());
    return { SECRET };
  },
  async 'keyring.lost'() {
    const send = async () => {
      throw new Error(`NOAUTH ${SECRET}`);
    };
    const { error } = await outcome(() => openRing(undefined, { send }));
    assert.equal(error.code, 'ERR_KEYRING_STORE');
    return { SECRET };
  },
  async 'keyring.restored'(t) {
    const server = ringServer();
    const ring = await openRing(t, server);
    const { version } = ring.status();
    server.lose();
    await ring.rotate({ force: true });
    assert.equal(ring.status().version, version + 1);
    return { SECRET };
  },
  async 'key.added'() {
    new KeyRing().add(key);
    return { SECRET };
  },
  async 'key.rotated'() {
    const ring = new KeyRing({ alg: 'EdDSA' });
    await ring.rotate();
    await ring.rotate({ force: true });
    return {};
  },
  async 'key.retired'() {
    const ring = new KeyRing({ alg: 'EdDSA' });
    await ring.rotate();
    await ring.rotate({ force: true });
    return {};
  },
  async 'key.revoked'() {
    const ring = new KeyRing({ keys: [key] });
    ring.revoke(key.kid);
    return { SECRET };
  },
  async 'key.removed'() {
    const ring = new KeyRing({ alg: 'EdDSA', maxTokenTtl: '1m' });
    await ring.rotate();
    await ring.rotate({ force: true });
    ring.tick(new Date(Date.now() + 86_400_000));
    return {};
  },
  async 'keyset.changed'(t) {
    const server = await KeyServer.start(t, [providerKey('one')]);
    const query = 'a-key-of-the-application';
    await new RemoteJwks(`${server.url}?key=${query}`).refresh();
    return { query };
  },
  async 'keyset.failed'(t) {
    const server = await KeyServer.start(t);
    server.answer = (_, response) => response.writeHead(500).end();
    const query = 'a-key-of-the-application';
    await outcome(() => new RemoteJwks(`${server.url}?key=${query}`).refresh());
    return { query };
  },
  async 'session.started'() {
    return idsOf(await newSessions().start(SUBJECT));
  },
  async 'session.refreshed'() {
    const sessions = newSessions();
    const pair = await sessions.start(SUBJECT);
    const { pair: next } = await sessions.refresh(pair.refreshToken);
    return { ...idsOf(pair), next: next.refreshToken, nextAccess: next.accessToken };
  },
  async 'session.restored'(t) {
    const at = storePath(t);
    const service = await StoreService.open(at);
    const pair = await service.sessions.start(SUBJECT);
    await service.backup(`${at}-backup`);
    const { pair: later } = await service.sessions.refresh(pair.refreshToken);
    await service.close();
    const restored = await StoreService.open(`${at}-backup`);
    assert.equal((await restored.sessions.refresh(later.refreshToken)).status, 'rotated');
    await restored.close();
    return idsOf(later);
  },
  async 'session.reused'() {
    const sessions = newSessions({ grace: 0 });
    const pair = await sessions.start(SUBJECT);
    await sessions.refresh(pair.refreshToken);
    assert.equal((await sessions.refresh(pair.refreshToken)).status, 'reuse');
    return idsOf(pair);
  },
  async 'session.expired'() {
    let now = Date.now();
    const sessions = newSessions({ idleTtl: '1m', clock: () => new Date(now) });
    const pair = await sessions.start(SUBJECT);
    now += 120_000;
    assert.equal((await sessions.refresh(pair.refreshToken)).status, 'expired');
    return idsOf(pair);
  },
  async 'session.refused'() {
    await newSessions().refresh('a-refresh-token-of-nobody');
    return { refresh: 'a-refresh-token-of-nobody' };
  },
  async 'session.ended'() {
    const sessions = newSessions();
    const pair = await sessions.start(SUBJECT);
    await sessions.end(pair.sessionId.toUpperCase());
    return { session: pair.sessionId, refresh: pair.refreshToken };
  },
  async 'session.failed'() {
    const sessions = newSessions({ maxSessions: 1 });
    const pair = await sessions.start(SUBJECT);
    await outcome(() => sessions.start(SUBJECT));
    return { SUBJECT, refresh: pair.refreshToken };
  },
  async 'session.unavailable'() {
    await outcome(() => remoteSessions([new Error('OOM command not allowed')]).list(SUBJECT));
    return { SUBJECT };
  },
  async 'session.available'() {
    const sessions = remoteSessions([new Error('OOM command not allowed'), [Date.now(), 11]]);
    await outcome(() => sessions.list(SUBJECT));
    assert.deepEqual(await sessions.list(SUBJECT), []);
    return { SUBJECT };
  },
  async 'dpop.unavailable'() {
    return proved([new Error('OOM command not allowed')], 1);
  },
  async 'dpop.available'() {
    return proved([new Error('OOM command not allowed'), 'accepted'], 2);
  },
  async 'dpop.evictable'() {
    // The event comes in the turn of the event loop after the check.
    return proved(['accepted'], 1, ['maxmemory-policy', 'volatile-ttl']);
  },
  async 'limit.denied'() {
    const limiter = new RateLimiter({ limit: 1, windowMs: 86_400_000 });
    limiter.check('192.0.2.17');
    limiter.check('192.0.2.17');
    return { limitKey: '192.0.2.17' };
  },
  async 'limit.degraded'() {
    await limitedBy([new Error('OOM command not allowed')]).check('192.0.2.17');
    return { key: '192.0.2.17' };
  },
  async 'limit.recovered'() {
    const limiter = limitedBy([new Error('OOM command not allowed'), [1, 0, 0, 0, 0]]);
    await limiter.check('192.0.2.17');
    await limiter.check('192.0.2.17');
    return { key: '192.0.2.17' };
  },
  async 'limit.failed'() {
    const { rateLimit } = require('@nodesec/native/express');
    const limiter = new RateLimiter({ limit: 1, windowMs: 86_400_000 });
    const key = () => `${SUBJECT}\ud800`;
    await rateLimit({ limiter, key, enforce: false })({ headers: {} }, { headersSent: false }, () => {});
    return { SUBJECT };
  },
  async 'password.verified'() {
    const digest = await hash(PASSWORD, FAST);
    assert.ok(await verify(digest, PASSWORD));
    return { PASSWORD, digest };
  },
  async 'password.refused'() {
    const digest = await hash(PASSWORD, FAST);
    assert.ok(!(await verify(digest, 'Tr0ub4dor&3')));
    return { PASSWORD, digest, wrong: 'Tr0ub4dor&3' };
  },
  async 'password.failed'() {
    const digest = hashSync(PASSWORD, { ...FAST, timeCost: 65 });
    await outcome(() => verify(digest, PASSWORD));
    return { PASSWORD, digest };
  },
  async 'request.refused'() {
    const app = Fastify();
    await app.register(authentication, { verifier, scope: 'admin' });
    const token = issuer.sign({ sub: SUBJECT, sid: 'a-session' });
    const ids = { subject: SUBJECT, session: 'a-session', tokenId: verifier.verify(token).jti };
    const { statusCode } = await app.inject({ url: '/', headers: { authorization: `Bearer ${token}` } });
    assert.equal(statusCode, 403);
    return { ...ids, bearer: token, SECRET };
  },
  async 'request.malformed'(t) {
    const app = Fastify();
    t.after(() => app.close());
    await app.register(audit);
    const { port } = new URL(await app.listen({ host: '127.0.0.1', port: 0 }));
    await raw(port, `GET / HTTP/1.1\r\nHost: a\r\nAuthorization: ${PASSWORD}\0\r\n\r\n`);
    return { PASSWORD };
  },
  async 'correlation.replaced'() {
    const app = Fastify();
    await app.register(audit);
    await app.inject({ url: '/', headers: { 'x-request-id': `${PASSWORD}\r\nSet-Cookie: a=b` } });
    return { PASSWORD };
  },
  async 'app.recorded'() {
    const ids = { subject: SUBJECT, session: 'a-session', tokenId: 'a-token-id' };
    record('invoice.read', { ...ids, outcome: 'denied', code: 'ERR_QUOTA', invoice: 17 });
    return ids;
  },
};

for (const event of Object.keys(EVENTS).filter((name) => !IN_A_CHILD.includes(name))) {
  test(`${event} has the members of the table and nothing of the call's ids and secrets`, async (t) => {
    let used;
    const events = await heard(async () => {
      used = await PROVOCATIONS[event](t);
    });
    const found = events.filter((each) => each.event === event);
    assert.ok(found.length > 0, events.map((each) => each.event).join());
    for (const each of found) assertAsDeclared(each);
    const [last] = found.slice(-1);
    for (const name of HASHED) {
      if (Object.hasOwn(used, name)) assert.equal(last[name], hashId(name, used[name]), name);
    }
    const text = JSON.stringify(events);
    for (const [name, value] of Object.entries(used)) {
      assert.ok(!text.includes(value), `${name} is in ${text}`);
    }
  });
}

for (const [event, options, script] of [
  [
    'secret.degraded',
    "{ backend: 'plain', onDegraded: 'ignore' }",
    'SecretBuffer.random(32); SecretBuffer.random(32);',
  ],
  [
    'secret.degraded',
    "{ backend: 'plain', require: ['kernelUnmapped'] }",
    'SecretBuffer.random(32);',
  ],
  [
    'secret.overflowed',
    "{ maxBytes: 32768, overflow: 'seal', onDegraded: 'ignore' }",
    'for (let i = 0; i < 8; i += 1) kept.push(SecretBuffer.random(4064));',
  ],
  [
    'secret.exhausted',
    "{ maxBytes: 16384, onDegraded: 'ignore' }",
    'for (let i = 0; i < 8; i += 1) kept.push(SecretBuffer.random(4064));',
  ],
]) {
  test(`${event} comes once with ${options}`, async () => {
    const { code, stdout, stderr } = await runScript(
      `const { subscribe } = require('node:diagnostics_channel');
       const { channels } = require('@nodesec/native/audit');
       const { SecretBuffer, secureHeap } = require('@nodesec/native');
       const kept = [];
       const events = [];
       for (const channel of channels) subscribe(channel, (event) => events.push(event));
       try { secureHeap.configure(${options}); ${script} } catch {}
       setImmediate(() => console.log(JSON.stringify(events)));`,
      { env: { NODESEC_SECMEM: '' } },
    );
    assert.equal(code, 0, stderr);
    const found = JSON.parse(stdout).filter((each) => each.event === event);
    assert.equal(found.length, 1, stdout);
    assertAsDeclared(found[0]);
  });
}

test('each event of the table has a provocation, and each channel an event', () => {
  const provoked = [...Object.keys(PROVOCATIONS), ...IN_A_CHILD];
  assert.deepEqual(provoked.sort(), Object.keys(EVENTS).sort());
  assert.deepEqual(channels, Object.keys(EVENTS).map((event) => `nodesec:${event}`));
});

test('a token names its subject only if its signature is right', async () => {
  const forge = (token) => `${token.slice(0, -4)}${token.endsWith('AAAA') ? 'BBBB' : 'AAAA'}`;
  const strict = { issuer: 'https://id.example', audience: 'api', maxAge: '1s' };
  const claims = { sub: SUBJECT, sid: 'a-session' };
  const other = JwtKey.fromSecret(Buffer.from(`${SECRET} of another`), { alg: 'HS256' });
  const closed = new RevocationList();
  await closed.close();
  const cases = [
    [verifier, expired()],
    [new JwtVerifier({ keys: key, ...strict }), issuer.sign(claims)],
    [verifier, issuer.sign(claims, { notBefore: '1m' })],
    [
      new JwtVerifier({ keys: key, issuer: false, audience: false, requiredClaims: ['scope'] }),
      issuer.sign(claims),
    ],
    [
      new JwtVerifier({ keys: key, issuer: false, audience: false, revocations: closed }),
      issuer.sign(claims),
    ],
  ];
  for (const [judge, token] of cases) {
    const [genuine, forged] = await heard(() => {
      assert.ok(!judge.tryVerify(token).ok);
      assert.ok(!judge.tryVerify(forge(token)).ok);
    });
    assert.equal(genuine.subject, hashId('subject', SUBJECT), genuine.code);
    assert.equal(genuine.session, hashId('session', 'a-session'));
    assert.equal(forged.code, 'ERR_JWT_SIGNATURE');
    assert.deepEqual([forged.subject, forged.session, forged.tokenId], [undefined, undefined, undefined]);
  }
  const foreign = new JwtIssuer({ keys: other, expiresIn: '5m' }).sign(claims);
  const [unknown] = await heard(() => verifier.tryVerify(foreign));
  assert.equal(unknown.subject, undefined);
  const [revoked] = await heard(() => {
    const ring = new KeyRing({ keys: [key] });
    ring.revoke(key.kid);
    new JwtVerifier({ keys: ring, issuer: false, audience: false }).tryVerify(forge(foreign));
    new JwtVerifier({ keys: ring, issuer: false, audience: false }).tryVerify(forge(issuer.sign(claims)));
  }).then((events) => events.filter(({ code }) => code === 'ERR_JWT_REVOKED'));
  assert.equal(revoked.subject, undefined);
});

test('each way to verify reports a refused token once, and an accepted one never', async () => {
  const good = issuer.sign({ sub: SUBJECT });
  const bad = expired();
  const named = new JwtVerifier({ keys: key, issuer: 'https://id.example', audience: false });
  const several = new JwtVerifiers({ 'https://id.example': named });
  const cached = new JwtVerifier({ keys: key, issuer: false, audience: false, cache: true });
  const ways = [verifier, cached, several].flatMap((one) => [
    () => one.verify(bad),
    () => one.tryVerify(bad),
    () => one.verifyAsync(bad),
    () => one.tryVerifyAsync(bad),
    () => one.verifyMany([bad]),
  ]);
  ways.push(() => verifyJws('a.b.c', key, { algorithms: ['HS256'] }));
  ways.push(() => verifier.tryVerify('x'.repeat(100_000)));
  ways.push(() => verifier.tryVerify(42));
  for (const way of ways) {
    const events = await heard(() => outcome(way));
    assert.deepEqual(events.map(({ event }) => event), ['token.refused'], String(way));
  }
  const quiet = await heard(async () => {
    verifier.verify(good);
    cached.verify(good);
    cached.verify(good);
    await verifier.verifyMany([good, good]);
    verifyJws(signJws('payload', key), key, { algorithms: ['HS256'] });
  });
  assert.deepEqual(quiet, []);
});

test('each way to verify a password reports it once', async () => {
  const hasher = new PasswordHasher(FAST);
  const digest = await hasher.hash(PASSWORD);
  const ways = [
    (password) => verify(digest, password),
    (password) => verifySync(digest, password),
    (password) => hasher.verify(digest, password),
    (password) => hasher.verifyAndUpdate(digest, password),
    (password) => require('@nodesec/native/argon2').verify(digest, password),
  ];
  for (const way of ways) {
    const events = await heard(async () => {
      await way(PASSWORD);
      await way('another');
    });
    const expected = ['password.verified', 'password.refused'];
    assert.deepEqual(events.map(({ event }) => event), expected, String(way));
  }
  const [missing] = await heard(() => hasher.verifyAndUpdate(null, PASSWORD));
  assert.equal(missing.event, 'password.refused');
});

test('each way to revoke reports what it has revoked', async () => {
  const list = new RevocationList();
  const soon = Date.now() / 1000 + 60;
  const events = await heard(async () => {
    await list.revoke({ jti: 'one', exp: soon });
    await list.revokeId('two', soon);
    await list.revokeSession('three', soon);
    await list.revokeSubject(SUBJECT);
    await list.revokeKey('four');
    await outcome(() => list.revokeId('', soon));
  });
  assert.deepEqual(
    events.map(({ kind, tokenId, session, subject, kid }) => [kind, tokenId ?? session ?? subject ?? kid]),
    [
      ['token', hashId('tokenId', 'one')],
      ['token', hashId('tokenId', 'two')],
      ['session', hashId('session', 'three')],
      ['subject', hashId('subject', SUBJECT)],
      ['key', 'four'],
    ],
  );
});

test('each way to end a session reports it', async () => {
  const sessions = newSessions();
  const [one, two] = [await sessions.start(SUBJECT), await sessions.start(SUBJECT)];
  const events = await heard(async () => {
    await sessions.end(one.sessionId);
    assert.equal(await sessions.endByRefreshToken(two.refreshToken), true);
    assert.equal(await sessions.endByRefreshToken(two.refreshToken), false);
    await sessions.endAll(SUBJECT);
  });
  assert.deepEqual(
    events.map(({ event, session, subject }) => [event, session ?? subject]),
    [
      ['session.ended', hashId('session', one.sessionId)],
      ['session.ended', hashId('session', two.sessionId)],
      ['session.refused', undefined],
      ['session.ended', hashId('subject', SUBJECT)],
    ],
  );
});

/** Checks the members that every event has, and that the others are those of the table. */
function assertAsDeclared(event) {
  const { event: name, time, id, outcome: how, correlationId = id, traceId, ...members } = event;
  // Only events within a request or a job have these.
  assert.match(correlationId, /^[\w.:+/=@-]{1,64}$/);
  assert.match(traceId ?? '0'.repeat(32), /^[\da-f]{32}$/);
  const { outcome: expected, members: declared } = EVENTS[name];
  assert.ok(Number.isSafeInteger(time) && Math.abs(time - Date.now()) < 60_000);
  assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  if (expected === undefined) assert.ok(['ok', 'denied', 'error'].includes(how));
  else assert.equal(how, expected);
  const known = declared.map((member) => member.replace('?', ''));
  assert.deepEqual(Object.keys(members).filter((member) => !known.includes(member)), []);
  const missing = declared.filter((member) => !member.endsWith('?') && !(member in members));
  assert.deepEqual(missing, []);
  for (const member of HASHED) {
    if (member in members) assert.match(members[member], /^[\w-]{22}$/);
  }
  assert.ok(Object.values(members).every((value) => value !== undefined));
}

/** A limiter over a client that gives these replies, and throws those that are errors. */
function limitedBy(replies) {
  return new RedisRateLimiter({ client: replying(replies), limit: 1, windowMs: 1000 });
}

/** Sessions over such a client. */
function remoteSessions(replies) {
  const key = SecretBuffer.from(Buffer.from(SECRET));
  return new RedisSessions({ client: replying(replies), issuer, key, revocations: new RevocationList() });
}

/**
 * Checks proofs, and returns their secrets. The client of the cache gives these replies, and throws
 * those that are errors, after that of the call with which a cache begins.
 */
async function proved(replies, count, policy = ['maxmemory-policy', 'noeviction']) {
  const scripts = replying(['accepted', ...replies]);
  const send = (args) => (args[0] === 'CONFIG' ? Promise.resolve(policy) : scripts.send(args));
  const replay = new RedisDpopReplayCache({ client: { send }, key: SecretBuffer.from(Buffer.from(SECRET)) });
  const proofs = new DpopProofs({ replay });
  const [request, token] = [{ method: 'GET', url: 'https://api.example/' }, 'a.b.c'];
  const key = await JwtKey.generate('EdDSA');
  for (let n = 0; n < count; n++) {
    const dpop = createDpopProof(key, { ...request, accessToken: token });
    await proofs.check({ ...request, token, headers: { dpop }, claims: { cnf: { jkt: key.kid } } });
  }
  return { SECRET, jkt: key.kid };
}

function replying(replies) {
  const send = async () => {
    const reply = replies.shift();
    if (reply instanceof Error) throw reply;
    return reply;
  };
  return { send };
}

/** A list on a server without keys, whose answers are given. */
async function openRevocations(t, answers) {
  const list = new RevocationList();
  const client = emptyServer(answers);
  const key = SecretBuffer.from(Buffer.from(SECRET));
  const revocations = await RedisRevocations.open({ client, list, key, maxStaleness: 1 });
  t.after(() => revocations.close());
  return { list, revocations };
}

/** A ring on a server. */
async function openRing(t, client) {
  const key = SecretBuffer.from(Buffer.from(SECRET));
  const ring = await RedisKeyRing.open({ client, key, alg: 'EdDSA' });
  t.after(() => ring.close());
  return ring;
}

function newSessions(options) {
  const revocations = new RevocationList();
  return new Sessions({ issuer, revocations, refreshTtl: '1h', ...options });
}

function idsOf({ sessionId, refreshToken, accessToken }) {
  return { session: sessionId, subject: SUBJECT, refresh: refreshToken, access: accessToken };
}
