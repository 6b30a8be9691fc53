'use strict';

// The option `fetch` may return anything, and it may use the keys that it fetches.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { runScript } = require('../helpers/child.js');
const { KeyServer, consumer, providerKey } = require('../helpers/key-server.js');
const { coded } = require('../helpers/outcome.js');

const [one, two] = ['one', 'two'].map(providerKey);
const SET = JSON.stringify({ keys: [two.jwk] });
const UNAVAILABLE = 'ERR_JWT_KEYS_UNAVAILABLE';

test('an answer of the caller’s fetch that is no Response is refused', async (t) => {
  const server = await KeyServer.start(t, [one]);
  for (const [fetch, reason] of [
    [() => undefined, /must return a Response/],
    [async () => ({ status: 200 }), /must return a Response/],
    [async () => ({ status: 200, headers: new Headers(), body: 'text' }), /UTF-8/],
    [async () => ({ status: 200, headers: new Headers(), body: 7 }), /UTF-8/],
    [async () => Promise.reject(new Error('proxy')), /the request failed/],
    [async () => ({ status: 200, headers: new Headers(), redirected: true }), /redirect/],
    [() => new Promise(() => {}), /took longer than 60 ms/],
    [async () => ({ status: Symbol('200'), headers: new Headers() }), /cannot be read/],
    [async () => ({ status: 200, headers: { get: thrower }, body: [] }), /cannot be read/],
    [async () => Object.defineProperty({ headers: new Headers() }, 'status', { get: thrower }), /cannot/],
    [async () => Object.defineProperty({}, 'headers', { get: thrower }), /cannot be read/],
  ]) {
    const { events, remote } = consumer(server, { fetch, timeoutMs: 60 });
    await assert.rejects(remote.refresh(), (error) => {
      coded(UNAVAILABLE, { name: 'JwtError' })(error);
      assert.match(error.message, reason);
      return error === remote.status().lastError && error === events[0].error;
    });
  }
});

function thrower() {
  throw new Error('thrown');
}

test('headers of the caller’s fetch may be anything', async (t) => {
  const server = await KeyServer.start(t);
  for (const headers of [
    new Map([['etag', 7]]),
    new Map([['etag', 'line\nbreak'], ['cache-control', ['no-store']], ['age', {}]]),
    { get: () => undefined },
  ]) {
    const fetch = async () => ({ status: 200, headers, body: [Buffer.from(SET)] });
    const { code, events, remote } = consumer(server, { fetch });
    for (let round = 0; round < 2; round += 1) {
      await remote.refresh();
      assert.equal(code(two.token), undefined);
      assert.equal(events[round].freshFor, 600);
    }
  }
});

test('the caller’s fetch may use the keys itself', async (t) => {
  const server = await KeyServer.start(t, [one]);
  const codes = [];
  const { code, codeAsync } = consumer(server, {
    fetch(url, init) {
      codes.push(code(one.token));
      return fetch(url, init);
    },
  });
  assert.equal(await codeAsync(one.token), undefined);
  assert.deepEqual(codes, [UNAVAILABLE]);
});

test('a polluted Object.prototype sets no option', async (t) => {
  const server = await KeyServer.start(t, [one]);
  const script = `
    const { JwtVerifier, RemoteJwks } = require('@nodesec/native');
    const url = ${JSON.stringify(server.url)};
    const token = ${JSON.stringify(one.token)};
    const polluted = {
      fetch: async () => new Response('{"keys":[]}'),
      onEvent: () => console.log('told'),
      etag: '"polluted"',
      claim: 'polluted',
      reason: 'polluted',
    };
    Object.assign(Object.prototype, polluted);
    const remote = new RemoteJwks(url);
    const verifier = new JwtVerifier({ keys: remote, issuer: false, audience: false });
    let error;
    try {
      verifier.verify('garbage');
    } catch (thrown) {
      error = thrown;
    }
    for (const name of Object.keys(polluted)) delete Object.prototype[name];
    (async () => {
      const { sub } = await verifier.verifyAsync(token);
      console.log(error.code, Object.keys(error).join(), sub);
    })();
  `;
  const { stdout, stderr } = await runScript(script);
  assert.equal(stderr, '');
  assert.equal(stdout, 'ERR_JWT_MALFORMED code one\n');
  assert.equal(server.requests[0].headers['if-none-match'], undefined);
});
