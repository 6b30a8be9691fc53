'use strict';

// Sets with odd keys, from a real server and from text: the keys that verify, and the report on the
// others.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { JwtIssuer, JwtKey, JwtVerifier } = require('@nodesec/native');
const { KeyServer, consumer, providerKey } = require('../helpers/key-server.js');
const { keyPair } = require('../helpers/key-pairs.js');

const [one, two] = ['one', 'two'].map(providerKey);

const zeros = (text, count) =>
  Buffer.concat([Buffer.alloc(count), Buffer.from(text, 'base64url')]).toString('base64url');

/** Serves this set, and gives what a verifier and a listener see of it. */
async function served(t, set, options) {
  const server = await KeyServer.start(t);
  server.answer = (request, response) => response.end(JSON.stringify(set));
  const seen = consumer(server, options);
  await seen.remote.refresh();
  return { server, ...seen };
}

/** A key pair of the provider: a token and its JWK, whose members a test may change. */
function providerOf(alg, pair, kid) {
  const key = JwtKey.fromKeyObject(pair.privateKey, { alg, kid });
  const token = new JwtIssuer({ keys: key, expiresIn: '1h' }).sign({ sub: kid });
  return { token, jwk: { ...pair.publicKey.export({ format: 'jwk' }), alg, kid, use: 'sig' } };
}

test('a modulus with a leading zero verifies', async (t) => {
  const { token, jwk } = providerOf('RS256', keyPair('rsa', { modulusLength: 2048 }), 'rsa');
  const keys = [{ ...jwk, n: zeros(jwk.n, 1), e: zeros(jwk.e, 2) }];
  const { codeAsync, remote } = await served(t, { keys });
  assert.equal(await codeAsync(token), undefined);
  assert.deepEqual(remote.status().ignored, []);
});

test('coordinates with more or fewer leading zeros verify', async (t) => {
  let provider;
  // Every second coordinate of P-521 begins with a zero.
  do {
    provider = providerOf('ES512', keyPair('ec', { namedCurve: 'P-521' }), 'ec');
  } while (!provider.jwk.x.startsWith('AA'));
  const { token, jwk } = provider;
  const short = Buffer.from(jwk.x, 'base64url').subarray(1).toString('base64url');
  for (const x of [short, zeros(jwk.x, 3)]) {
    const { codeAsync, remote } = await served(t, { keys: [{ ...jwk, x }] });
    assert.equal(await codeAsync(token), undefined);
    assert.deepEqual(remote.status().ignored, []);
  }
});

test('base64 with padding, an empty use and null members verify', async (t) => {
  const { token, jwk } = providerOf('ES256', keyPair('ec', { namedCurve: 'P-256' }), 'ec');
  const padded = (text) => Buffer.from(text, 'base64url').toString('base64');
  const odd = { ...jwk, x: padded(jwk.x), y: padded(jwk.y), use: '', key_ops: null, x5c: null };
  const { codeAsync } = await served(t, { keys: [odd] });
  assert.equal(await codeAsync(token), undefined);
});

const REPORTED = [
  { kid: 'enc', reason: `the JWK's "use" is not "sig"` },
  { kid: 'short', reason: `the JWK's "x" must have 32 bytes` },
  { reason: `the JWK's "kty" and "crv" are not those of a signature key known here` },
];
const ODD = {
  keys: [
    { ...one.jwk, kid: 'enc', use: 'enc' },
    two.jwk,
    { ...one.jwk, kid: 'short', x: one.jwk.x.slice(0, -3) },
    { kty: 'AKP', pub: 'AA', kid: null },
  ],
};

test('status and the refreshed event name each key that is left out, and why', async (t) => {
  const { code, events, remote, server } = await served(t, ODD);
  assert.deepEqual(remote.status().ignored, REPORTED);
  assert.deepEqual(events[0].ignored, REPORTED);
  assert.equal(code(two.token), undefined);
  assert.equal(code(one.token), 'ERR_JWT_KEY_NOT_FOUND');
  // A failure keeps the keys and their report; the next set replaces both.
  server.answer = (request, response) => response.writeHead(503).end();
  await assert.rejects(remote.refresh());
  assert.deepEqual(remote.status().ignored, REPORTED);
  assert.equal('ignored' in events[1], false);
  server.answer = (request, response) => response.end(JSON.stringify({ keys: [one.jwk] }));
  await remote.refresh();
  assert.deepEqual([remote.status().ignored, events[2].ignored], [[], []]);
});

test('an entry of a set that is no object is reported and takes no other away', async (t) => {
  const keys = [null, one.jwk, 'two', [two.jwk], 7];
  const { code, remote } = await served(t, { keys });
  assert.equal(code(one.token), undefined);
  const reason = 'the entry is not a JSON object';
  assert.deepEqual(remote.status().ignored, Array.from({ length: 4 }, () => ({ reason })));
  assert.deepEqual(JwtKey.fromJwks({ keys }).ignored, remote.status().ignored);
});

test('a change to a report changes nothing of the set', async (t) => {
  const { remote } = await served(t, ODD);
  const { ignored } = remote.status();
  ignored[0].reason = 'changed';
  ignored.length = 1;
  assert.deepEqual(remote.status().ignored, REPORTED);
});

test('a report is bounded in number and in length and quotes nothing but kids', async (t) => {
  const canary = 'c4n4ry'.repeat(100);
  const keys = Array.from({ length: 80 }, (_, n) => [
    { ...one.jwk, kid: `${n}`, alg: canary, use: canary },
    { ...one.jwk, kid: canary, crv: canary, x: canary },
    { kty: canary, [canary]: canary },
  ]).flat();
  const { remote } = await served(t, { keys });
  const { ignored } = remote.status();
  assert.equal(ignored.length, 101);
  for (const { kid = '', reason } of ignored) {
    assert.ok(kid.length <= 256 && reason.length <= 200);
    assert.ok(!`${kid}${reason}`.includes('c4n4ry'));
  }
  assert.equal(ignored[100].reason, '140 more entries of the set are left out');
});

test('fromJwks reports the same in a property that no loop meets', () => {
  for (const set of [ODD, JSON.stringify(ODD)]) {
    const keys = JwtKey.fromJwks(set);
    assert.deepEqual(keys.ignored, REPORTED);
    assert.deepEqual(Object.keys(keys), ['0']);
    assert.deepEqual(JSON.stringify(keys), JSON.stringify([...keys]));
    const verifier = new JwtVerifier({ keys, issuer: false, audience: false });
    assert.equal(verifier.verify(two.token).sub, 'two');
  }
  assert.deepEqual(JwtKey.fromJwks({ keys: [] }).ignored, []);
});
