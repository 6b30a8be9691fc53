'use strict';

// A key server that lies, hangs and dies. In each case the old keys stay, no redirect is followed,
// and the request ends.

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { gzipSync } = require('node:zlib');

const { KeyServer, consumer, providerKey } = require('../helpers/key-server.js');

const [one, two] = ['one', 'two'].map(providerKey);
const SET = JSON.stringify({ keys: [two.jwk] });
const UNAVAILABLE = 'ERR_JWT_KEYS_UNAVAILABLE';

const says = (body, headers, status = 200) => (request, response) =>
  response.writeHead(status, headers).end(body);

/** Asserts that the request fails for this reason, both before keys are present and after. */
async function assertRefused(t, answer, reason) {
  const server = await KeyServer.start(t, [one]);
  const genuine = server.answer;
  const { code, codeAsync, events, remote } = consumer(server);
  server.answer = answer;
  assert.equal(await codeAsync(two.token), UNAVAILABLE);
  server.answer = genuine;
  await remote.refresh();
  server.answer = answer;
  await assert.rejects(remote.refresh(), (error) => {
    assert.equal(error.code, UNAVAILABLE);
    assert.match(error.message, reason);
    assert.ok(!error.message.includes(server.url));
    assert.equal(error, events.at(-1).error);
    return true;
  });
  assert.equal(code(one.token), undefined);
  assert.equal(code(two.token), 'ERR_JWT_KEY_NOT_FOUND');
  assert.deepEqual(remote.list(), [{ kid: 'one', alg: 'EdDSA' }]);
  server.answer = says(SET);
  await remote.refresh();
  assert.equal(code(two.token), undefined);
}

const NO_SET = {
  nothing: '',
  HTML: '<!doctype html><title>Sign in</title>',
  'half a set': SET.slice(0, -2),
  'two sets': SET + SET,
  'an array': `[${SET}]`,
  'no keys': '{"error":"none"}',
  'keys that are none': '{"keys":["a"]}',
  'a member twice': SET.replace('"keys"', '"keys":[],"keys"'),
  'a member of a key twice': SET.replace('"kid"', '"kid":"one","kid"'),
  'too many keys': JSON.stringify({ keys: Array.from({ length: 1001 }, () => ({})) }),
};

for (const [what, body] of Object.entries(NO_SET)) {
  test(`an answer that is no set is refused: ${what}`, (t) => assertRefused(t, says(body), /not a JWK Set/));
}

test('an answer that is not UTF-8 is refused', (t) =>
  assertRefused(t, says(Buffer.from(SET, 'utf16le')), /not a JWK Set|UTF-8/));

test('an answer with a name that is not UTF-8 is refused', (t) =>
  assertRefused(t, says(Buffer.from(SET.replace('two', 'tw\xf6'), 'latin1')), /UTF-8/));

for (const status of [201, 204, 206, 304, 400, 401, 404, 429, 500, 503]) {
  const body = [204, 304].includes(status) ? undefined : SET;
  test(`an answer with the status ${status} is refused`, (t) =>
    assertRefused(t, says(body, {}, status), new RegExp(`200, not ${status}$`)));
}

test('redirects are not followed', async (t) => {
  const elsewhere = await KeyServer.start(t, [two]);
  for (const status of [301, 302, 303, 307, 308]) {
    const answer = says(SET, { location: elsewhere.url }, status);
    await assertRefused(t, answer, new RegExp(`200, not ${status}$`));
  }
  assert.equal(elsewhere.requests.length, 0);
});

test('a set that is published as something else is one', async (t) => {
  for (const type of ['text/plain', 'application/jwk-set+json', 'application/octet-stream']) {
    const server = await KeyServer.start(t);
    server.answer = says(`\ufeff${SET}`, { 'content-type': type });
    assert.equal(await consumer(server).codeAsync(two.token), undefined);
  }
});

test('a private key that is published verifies nothing, and takes no other away', async (t) => {
  const server = await KeyServer.start(t);
  server.answer = says(JSON.stringify({ keys: [{ ...two.jwk, ...two.privateJwk }, one.jwk] }));
  const { codeAsync } = consumer(server);
  assert.equal(await codeAsync(one.token), undefined);
  assert.equal(await codeAsync(two.token), 'ERR_JWT_KEY_NOT_FOUND');
});

/** Sends while the client reads. Resolves to the number of bytes when the connection closes. */
function flood(response, chunk) {
  let sent = 0;
  return new Promise((resolve) => {
    const send = () => {
      while (!response.destroyed && sent < 2 ** 30) {
        sent += chunk.length;
        if (!response.write(chunk)) return;
      }
    };
    response.on('drain', send).on('close', () => resolve(sent));
    send();
  });
}

test('an answer without end is read up to the limit', async (t) => {
  const floods = [];
  const answer = (request, response) => floods.push(flood(response, Buffer.alloc(65_536, ' ')));
  await assertRefused(t, answer, /longer than maxBytes \(524288\)/);
  for (const sent of await Promise.all(floods)) assert.ok(sent < 2 ** 30);
});

test('a small answer that unpacks to a large one is refused', (t) => {
  const bomb = gzipSync(Buffer.alloc(16 * 2 ** 20, ' '));
  return assertRefused(t, says(bomb, { 'content-encoding': 'gzip' }), /longer than maxBytes/);
});

test('the limit is where it is set', async (t) => {
  const server = await KeyServer.start(t, [two]);
  const body = JSON.stringify({ keys: [two.jwk] });
  await consumer(server, { maxBytes: body.length }).remote.refresh();
  await assert.rejects(consumer(server, { maxBytes: body.length - 1 }).remote.refresh(), /maxBytes/);
});

const HANGS = {
  'an answer that never begins': () => {},
  'an answer that never ends': (request, response) => response.writeHead(200).write(SET.slice(0, 9)),
  'an answer that trickles': (request, response) => {
    response.writeHead(200);
    const timer = setInterval(() => response.write(' '), 5);
    response.on('close', () => clearInterval(timer));
  },
  'an answer of less than was announced': says(SET, { 'content-length': SET.length + 1 }),
};

/** Returns a function that ends the time limit of the current request. */
function endOfTime(t) {
  const { setTimeout: set } = globalThis;
  let end;
  // Not by `t.mock`, which in Deno takes no property that is made when it is first read.
  globalThis.setTimeout = (callback, ms, ...rest) => {
    // The timeout of requests. No other timer has this length.
    if (ms === 5000) end = callback;
    return set(callback, ms, ...rest);
  };
  t.after(() => (globalThis.setTimeout = set));
  return () => end();
}

for (const [what, hang] of Object.entries(HANGS)) {
  test(`${what} is given up`, (t) => {
    const end = endOfTime(t);
    const answer = (request, response) => {
      hang(request, response);
      setTimeout(end, 20);
    };
    return assertRefused(t, answer, /took longer than 5000 ms/);
  });
}

const DEATHS = {
  'a connection that is closed': (request) => request.socket.destroy(),
  'a connection that is reset': (request) => request.socket.resetAndDestroy(),
  'a connection that breaks off': (request, response) => {
    response.writeHead(200, { 'content-length': SET.length });
    response.write(SET.slice(0, 20), () => request.socket.resetAndDestroy());
  },
  'an answer that is no HTTP': (request) => request.socket.end(SET),
};

for (const [what, answer] of Object.entries(DEATHS)) {
  test(`${what} is refused`, (t) => assertRefused(t, answer, /the request failed|body is incomplete/));
}

test('a server that does not listen leaves the keys unavailable', async (t) => {
  const server = await KeyServer.start(t, [one]);
  server.close();
  const { codeAsync, remote } = consumer(server);
  assert.equal(await codeAsync(one.token), UNAVAILABLE);
  const { lastError } = remote.status();
  assert.equal(lastError.cause.cause.code, 'ECONNREFUSED');
  // Logging the error as JSON does not reveal the source of the keys.
  assert.deepEqual(JSON.parse(JSON.stringify(lastError)), { code: UNAVAILABLE });
});
