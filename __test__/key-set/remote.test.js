'use strict';

// Keys that a provider publishes, fetched from a real server.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { JwtIssuer, JwtVerifier, RemoteJwks, verifyJws } = require('@nodesec/native');
const { KeyServer, clock, consumer, providerKey } = require('../helpers/key-server.js');
const { coded } = require('../helpers/outcome.js');

const [one, two, three] = ['one', 'two', 'three'].map(providerKey);
const UNAVAILABLE = 'ERR_JWT_KEYS_UNAVAILABLE';
const UNKNOWN = 'ERR_JWT_KEY_NOT_FOUND';

const counted = (server, requests) => assert.equal(server.requests.length, requests);

test('the first use fetches the keys', async (t) => {
  const server = await KeyServer.start(t, [one, two]);
  const { code, events, remote, verifier } = consumer(server);
  const nothing = { keys: 'none', loadedAt: undefined, lastError: undefined, ignored: [] };
  assert.deepEqual(remote.status(), nothing);
  assert.throws(() => verifier.verify(one.token), coded(UNAVAILABLE));
  // `verify` does not wait, but it has started the request.
  await remote.refresh();
  counted(server, 1);
  assert.equal(code(one.token), undefined);
  assert.equal(verifier.verify(two.token).sub, 'two');
  assert.deepEqual(remote.list(), [one, two].map(({ kid }) => ({ kid, alg: 'EdDSA' })));
  const { keys, loadedAt, lastError } = remote.status();
  assert.deepEqual({ keys, lastError }, { keys: 'fresh', lastError: undefined });
  assert.ok(loadedAt instanceof Date);
  const event = { type: 'refreshed', trigger: 'due', changed: true, freshFor: 600, ignored: [] };
  assert.deepEqual(events, [event]);
});

test('verifyAsync waits for the keys, and accepts the token', async (t) => {
  const server = await KeyServer.start(t, [one]);
  const { verifier } = consumer(server);
  const [claims, ...results] = await Promise.all([
    verifier.verifyAsync(one.token),
    ...Array.from({ length: 20 }, () => verifier.tryVerifyAsync(one.token)),
  ]);
  assert.equal(claims.sub, 'one');
  assert.ok(results.every(({ ok }) => ok));
  counted(server, 1);
});

test('verifyMany causes one request', async (t) => {
  const server = await KeyServer.start(t, [one]);
  const { verifier } = consumer(server);
  const results = await verifier.verifyMany([one.token, two.token, 'garbage', one.token]);
  const codes = results.map(({ code }) => code);
  assert.deepEqual(codes, [undefined, UNKNOWN, 'ERR_JWT_MALFORMED', undefined]);
  counted(server, 1);
});

test('a key that is new at the provider is fetched when its first token comes', async (t) => {
  const advance = clock(t);
  const server = await KeyServer.start(t, [one]);
  const { code, codeAsync, events, remote } = consumer(server);
  assert.equal(await codeAsync(one.token), undefined);
  server.keys = [two, one];
  advance(30);
  assert.equal(await codeAsync(two.token), undefined);
  assert.equal(code(one.token), undefined);
  server.keys = [three, two];
  advance(30);
  assert.equal(code(three.token), UNKNOWN);
  await remote.refresh();
  assert.equal(code(three.token), undefined);
  assert.equal(code(one.token), UNKNOWN);
  counted(server, 3);
  assert.deepEqual(events.map(({ trigger }) => trigger), ['due', 'unknown-key', 'unknown-key']);
});

test('keys that nobody publishes cause one request a cooldown', async (t) => {
  const advance = clock(t);
  const server = await KeyServer.start(t, [one]);
  const { code, codeAsync, remote } = consumer(server, { cooldown: '2m', maxAge: '1h' });
  await remote.refresh();
  advance(119);
  for (const foreign of [two, three]) {
    assert.equal(code(foreign.token), UNKNOWN);
    assert.equal(await codeAsync(foreign.token), UNKNOWN);
  }
  counted(server, 1);
  advance(1);
  assert.deepEqual(await Promise.all([two, three].map(({ token }) => codeAsync(token))), [UNKNOWN, UNKNOWN]);
  for (const foreign of [two, three]) assert.equal(await codeAsync(foreign.token), UNKNOWN);
  counted(server, 2);
  assert.equal(code(one.token), undefined);
});

test('a fault of a token itself causes no request', async (t) => {
  const server = await KeyServer.start(t, [one]);
  const { codeAsync, remote } = consumer(server, { cooldown: 1 });
  await remote.refresh();
  const advance = clock(t);
  advance(10);
  assert.equal(await codeAsync(`${one.token.slice(0, -6)}AAAAAA`), 'ERR_JWT_SIGNATURE');
  assert.equal(await codeAsync('garbage'), 'ERR_JWT_MALFORMED');
  counted(server, 1);
});

test('a set without keys takes all of them back', async (t) => {
  const server = await KeyServer.start(t, [one]);
  const { code, events, remote } = consumer(server);
  await remote.refresh();
  assert.equal(code(one.token), undefined);
  server.keys = [];
  await remote.refresh();
  assert.equal(code(one.token), UNKNOWN);
  assert.deepEqual(remote.list(), []);
  assert.equal(remote.status().keys, 'fresh');
  assert.equal(events.at(-1).changed, true);
});

test('a set that has not changed is not sent again', async (t) => {
  const server = await KeyServer.start(t, [one]);
  const { code, events, remote } = consumer(server);
  server.answer = (request, response) => {
    const known = request.headers['if-none-match'] === '"v1"';
    response.writeHead(known ? 304 : 200, { etag: '"v1"', ...(!known && { 'cache-control': 'max-age=90' }) });
    response.end(known ? undefined : JSON.stringify({ keys: [one.jwk] }));
  };
  for (let round = 0; round < 3; round += 1) {
    await remote.refresh();
    assert.equal(code(one.token), undefined);
  }
  assert.deepEqual(
    server.requests.map(({ headers }) => headers['if-none-match']),
    [undefined, '"v1"', '"v1"'],
  );
  assert.deepEqual(events.map(({ changed, freshFor }) => [changed, freshFor]), [
    [true, 90],
    [false, 90],
    [false, 90],
  ]);
});

test('requests carry the headers that are given, and no others of ours', async (t) => {
  const server = await KeyServer.start(t, [one]);
  const { remote } = consumer(server, { headers: { 'X-Api-Key': 'k', accept: 'application/json' } });
  await remote.refresh();
  const [{ headers, method, url }] = server.requests;
  assert.deepEqual([method, url], ['GET', '/keys']);
  assert.deepEqual([headers['x-api-key'], headers.accept], ['k', 'application/json']);
  assert.equal(headers.cookie, undefined);
});

test('the caller’s fetch makes the requests', async (t) => {
  const server = await KeyServer.start(t, [one]);
  const seen = [];
  const { codeAsync } = consumer(server, {
    fetch(url, init) {
      seen.push(url, init.redirect, init.signal instanceof AbortSignal);
      return fetch(url, init);
    },
  });
  assert.equal(await codeAsync(one.token), undefined);
  assert.deepEqual(seen, [server.url, 'manual', true]);
});

test('one set serves many verifiers, and verifyJws', async (t) => {
  const server = await KeyServer.start(t, [one]);
  const { remote, verifier } = consumer(server);
  const strict = new JwtVerifier({ keys: remote, issuer: 'me', audience: false });
  const jws = (token) => verifyJws(token, remote, { algorithms: ['EdDSA'] });
  assert.throws(() => jws(one.token), coded(UNAVAILABLE));
  await remote.refresh();
  assert.equal(JSON.parse(jws(one.token)).sub, 'one');
  assert.equal(verifier.verify(one.token).sub, 'one');
  assert.equal(strict.tryVerify(one.token).code, 'ERR_JWT_CLAIM');
  server.keys = [two];
  await remote.refresh();
  for (const verify of [jws, (token) => verifier.verify(token), (token) => strict.verify(token)]) {
    assert.throws(() => verify(one.token), coded(UNKNOWN));
  }
  counted(server, 2);
});

test('a token that is remembered goes with its key', async (t) => {
  const server = await KeyServer.start(t, [one]);
  const { remote } = consumer(server);
  const verifier = new JwtVerifier({ keys: remote, issuer: false, audience: false, cache: true });
  for (const keys of [[one], [one, two], [one]]) {
    server.keys = keys;
    await remote.refresh();
    for (let round = 0; round < 3; round += 1) assert.equal(verifier.verify(one.token).sub, 'one');
  }
  server.keys = [two];
  await remote.refresh();
  assert.equal(verifier.tryVerify(one.token).code, UNKNOWN);
});

test('the keys of others do not sign', async (t) => {
  const server = await KeyServer.start(t, [one]);
  const { remote } = consumer(server);
  const issuer = () => new JwtIssuer({ keys: remote, expiresIn: 60 });
  assert.throws(issuer, coded('ERR_INVALID_ARG_TYPE'));
});

test('an address that is not https is refused and not quoted', () => {
  for (const url of [
    'http://example.com/keys',
    'http://127.0.0.1.example.com/keys',
    'http://10.0.0.1/keys',
    'https://user:c4n4ry@example.com/keys',
    'https://c4n4ry@example.com/keys',
    'https://example.com/keys#c4n4ry',
    'https://example.com/keys#',
    'file:///c4n4ry',
    'data:application/json,{"keys":[]}',
    'c4n4ry',
    '/keys',
    new URL('ftp://example.com/c4n4ry'),
  ]) {
    assert.throws(() => new RemoteJwks(url), (error) => {
      assert.ok(!error.message.includes('c4n4ry'));
      return error.code === 'ERR_INVALID_ARG_VALUE';
    });
  }
  for (const url of [
    'https://example.com/keys?tenant=1',
    'http://localhost:1/keys',
    'http://127.1/keys',
    'http://[::1]:1/keys',
    new URL('https://example.com/'),
  ]) {
    assert.deepEqual(new RemoteJwks(url).list(), []);
  }
});
