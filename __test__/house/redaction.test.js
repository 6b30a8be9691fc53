'use strict';

// Printing, copying or listing a secret or a key must not reveal its bytes.

const assert = require('node:assert/strict');
const { Console } = require('node:console');
const { createPrivateKey } = require('node:crypto');
const { once } = require('node:events');
const { mkdtempSync, rmSync } = require('node:fs');
const { tmpdir } = require('node:os');
const path = require('node:path');
const { Writable } = require('node:stream');
const { after, before, test } = require('node:test');
const { format, inspect } = require('node:util');
const v8 = require('node:v8');
const { MessageChannel, Worker } = require('node:worker_threads');

const {
  ConcurrencyLimiter,
  DpopReplayCache,
  JwtIssuer,
  JwtKey,
  JwtVerifier,
  JwtVerifiers,
  KeyRing,
  LoginThrottle,
  PasswordHasher,
  RateLimiter,
  RemoteJwks,
  RevocationList,
  SecretBuffer,
  Sessions,
  Store,
} = require('@nodesec/native');
const redis = require('@nodesec/native/redis');
const pino = require('pino');
const { classes, classesOf } = require('../helpers/exports.js');
const { keyPair } = require('../helpers/key-pairs.js');
const { emptyServer, ringServer } = require('../helpers/redis-sender.js');

const TEXT = 'sesame-open-sesame-open-sesame-op';
const BYTES = Buffer.from(TEXT);
const secret = SecretBuffer.from(BYTES);
const key = JwtKey.fromSecret(secret, { alg: 'HS256', kid: 'a-kid' });

const LEAKS = [
  TEXT,
  TEXT.slice(0, 12),
  BYTES.toString('hex'),
  BYTES.toString('base64').slice(0, 40),
  BYTES.toString('base64url').slice(0, 40),
  [...BYTES].join(',').slice(0, 30),
  [...BYTES].join(', ').slice(0, 30),
  BYTES.toString('hex').match(/../g).join(' ').slice(0, 30),
];

function assertNoLeak(printed) {
  for (const leak of LEAKS) assert.ok(!printed.includes(leak), printed);
}

/** The text that `console` prints. */
function printed(use) {
  const chunks = [];
  const stream = new Writable({ write: (chunk, _, done) => done(chunks.push(chunk) && null) });
  use(new Console(stream));
  return Buffer.concat(chunks).toString();
}

/** The text that pino writes. */
function logged(use) {
  const lines = [];
  use(pino({ level: 'trace' }, { write: (line) => lines.push(line) }));
  assert.ok(lines.length > 0);
  return lines.join('');
}

const ways = {
  inspect: (value) => inspect(value),
  'inspect, deep': (value) => inspect({ a: { b: { value } } }, { depth: 0 }),
  'inspect, everything': (value) =>
    inspect(value, { showHidden: true, getters: true, showProxy: true, depth: Infinity }),
  'inspect, not custom': (value) => inspect(value, { customInspect: false, showHidden: true }),
  '%o': (value) => format('%o', value),
  '%O': (value) => format('%O', value),
  '%j': (value) => format('%j', { value }),
  '%s': (value) => format('%s', value),
  '%d': (value) => format('%d %i %f', value, value, value),
  'console.log': (value) => printed((console) => console.log(value, [value])),
  'console.dir': (value) => printed((console) => console.dir({ value }, { showHidden: true })),
  'console.table': (value) => printed((console) => console.table([{ value }, value])),
  JSON: (value) => JSON.stringify({ value }),
  'a template': (value) => `${value}`,
  String: (value) => String(value),
  concatenation: (value) => [value, value].join(''),
  'Object.keys': (value) => JSON.stringify([Object.keys(value), Object.entries(value)]),
  'own names': (value) => Reflect.ownKeys(value).join(),
  spread: (value) => inspect({ ...value }),
  'Object.assign': (value) => inspect(Object.assign(new Map(), value)),
  'an error message': (value) => new Error(`cannot use ${value}`).stack,
  'an error with it': (value) => {
    const error = Object.assign(new Error('failed', { cause: value }), { value, nested: [{ value }] });
    return [inspect(error, { showHidden: true, depth: Infinity }), error.stack, format('%o', error)].join();
  },
  'an aggregate': (value) => inspect(new AggregateError([value, new Error('x', { cause: value })]), { depth: 9 }),
  'console.error and %c': (value) =>
    printed((console) => [console.error('%o', { value }), console.trace(value), console.dirxml([value])]),
  'console.table of columns': (value) => printed((console) => console.table({ a: { value, b: [value] } }, ['value', 'b'])),
  'inspect, depth 0, not custom': (value) =>
    inspect({ value, list: [value] }, { depth: 0, customInspect: false, showHidden: true }),
  pino: (value) => logged((log) => log.info(value)),
  'pino, nested': (value) => logged((log) => log.info({ a: { b: [value] }, value }, 'message %s %o %j', value, value, value)),
  'pino, error': (value) =>
    logged((log) => log.error(Object.assign(new Error('failed', { cause: value }), { value }))),
  'pino, child': (value) => logged((log) => log.child({ value }).warn({ err: { value } })),
  'an assertion': (value) => {
    try {
      assert.deepStrictEqual({ value }, { value: 1 });
    } catch (error) {
      return inspect(error);
    }
    return assert.fail();
  },
};

for (const [way, print] of Object.entries(ways)) {
  test(`a secret and a key are not printed by ${way}`, () => {
    for (const value of [secret, key]) assertNoLeak(print(value));
  });
}

test('a secret prints its length, a key its algorithm and kid', () => {
  assert.equal(inspect(secret), '[SecretBuffer 33 bytes]');
  assert.equal(`${secret}`, '[SecretBuffer 33 bytes]');
  assert.equal(JSON.stringify([secret]), '["[SecretBuffer 33 bytes]"]');
  assert.equal(inspect(key), '[JwtKey HS256 a-kid]');
  assert.equal(JSON.stringify({ key }), '{"key":"[JwtKey HS256 a-kid]"}');
  assert.equal(Object.prototype.toString.call(secret), '[object SecretBuffer]');
  const disposed = SecretBuffer.random(8);
  disposed.dispose();
  assert.equal(inspect(disposed), '[SecretBuffer disposed]');
});

test('an object that only inherits from a secret or a key prints without an error', () => {
  const { prototype } = SecretBuffer;
  for (const value of [prototype, Object.create(prototype), Object.create(secret), new Proxy(secret, {})]) {
    assert.equal(String(value), '[SecretBuffer]');
    assert.equal(JSON.stringify([value]), '["[SecretBuffer]"]');
    assertNoLeak(inspect(value, { showHidden: true, showProxy: true }) + inspect(value));
  }
  for (const value of [JwtKey.prototype, Object.create(key), new Proxy(key, {})]) {
    assert.equal(String(value), '[JwtKey]');
    assert.equal(JSON.stringify([value]), '["[JwtKey]"]');
    assertNoLeak(inspect(value, { showHidden: true, showProxy: true }) + inspect(value));
  }
});

test('a secret and a key have no own properties', () => {
  for (const value of [secret, key]) assert.deepEqual(Reflect.ownKeys(value), []);
});

test('a key pair prints no part of its private key', async () => {
  const pem = keyPair('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' });
  const pair = JwtKey.fromPem(pem, { alg: 'EdDSA' });
  const der = createPrivateKey(pem).export({ type: 'pkcs8', format: 'der' }).subarray(-32);
  for (const print of Object.values(ways)) {
    const text = print(pair);
    for (const form of ['hex', 'base64', 'base64url', 'latin1']) {
      assert.ok(!text.includes(der.toString(form).slice(0, 16)), text);
    }
  }
});

const issuer = new JwtIssuer({ keys: key, issuer: 'i', audience: 'a', expiresIn: 60 });
const revocations = new RevocationList({ maxTokenTtl: 60 });
const uncloneable = {
  SecretBuffer: secret,
  ConcurrencyLimiter: new ConcurrencyLimiter({ max: 1 }),
  DpopReplayCache: new DpopReplayCache({ maxEntries: 64 }),
  JwtKey: key,
  KeyRing: new KeyRing({ alg: 'HS256' }),
  JwtIssuer: issuer,
  JwtVerifier: new JwtVerifier({ keys: key, issuer: false, audience: false }),
  JwtVerifiers: new JwtVerifiers({
    i: new JwtVerifier({ keys: key, issuer: 'i', audience: false }),
  }),
  LoginThrottle: new LoginThrottle(),
  PasswordHasher: new PasswordHasher({ profile: 'test' }),
  RateLimiter: new RateLimiter({ limit: 1, windowMs: 1000 }),
  RedisDpopReplayCache: new redis.RedisDpopReplayCache({
    client: { send() {} },
    key: SecretBuffer.from(Buffer.alloc(32, 1)),
  }),
  RedisKeyRing: undefined,
  RedisRateLimiter: new redis.RedisRateLimiter({ client: { send() {} }, limit: 1, windowMs: 1000 }),
  RedisRevocations: undefined,
  RedisSessions: new redis.RedisSessions({
    client: { send() {} },
    issuer,
    key: SecretBuffer.random(32),
    revocations,
  }),
  RemoteJwks: new RemoteJwks('https://example.com/jwks'),
  RevocationList: revocations,
  Sessions: new Sessions({ issuer, revocations }),
  Store: undefined,
};
const folder = mkdtempSync(path.join(tmpdir(), 'nodesec-redaction-'));
before(async () => {
  uncloneable.Store = await Store.open(path.join(folder, 'store'), { key: SecretBuffer.random(32) });
  uncloneable.RedisKeyRing = await redis.RedisKeyRing.open({
    client: ringServer(),
    key: SecretBuffer.random(32),
    alg: 'EdDSA',
  });
  uncloneable.RedisRevocations = await redis.RedisRevocations.open({
    client: emptyServer(),
    key: SecretBuffer.random(32),
    list: new RevocationList(),
    maxStaleness: '1m',
  });
});
after(async () => {
  await uncloneable.RedisKeyRing.close();
  await uncloneable.RedisRevocations.close();
  await uncloneable.Store.close();
  // Windows does not allow the removal of a file that is mapped.
  if (process.platform !== 'win32') rmSync(folder, { recursive: true });
});

test('every class is asked whether it can be cloned', () => {
  const all = [...classes, ...classesOf(redis)];
  assert.deepEqual(Object.keys(uncloneable).sort(), all.map(([name]) => name).sort());
});

for (const name of Object.keys(uncloneable)) {
  test(`a ${name} is refused by structuredClone, postMessage and workerData`, async () => {
    const value = uncloneable[name];
    const { port1, port2 } = new MessageChannel();
    let received = 0;
    port2.on('message', () => (received += 1));
    const refused = { name: 'DataCloneError' };
    for (const message of [value, [value], { a: { b: value } }, new Map([['a', value]]), new Set([value])]) {
      assert.throws(() => structuredClone(message), refused);
      assert.throws(() => port1.postMessage(message), refused);
      assert.throws(() => new Worker('', { eval: true, workerData: message }), refused);
    }
    assert.throws(() => port1.postMessage(value, [value]));
    // A refused message must not be sent in part, either.
    port1.postMessage('over');
    await once(port2, 'message');
    assert.equal(received, 1);
    port1.close();
  });
}

test('the clone of an error holds no secret of the error', () => {
  const error = Object.assign(new Error(`cannot use ${secret}`), { secret });
  error.cause = { secret };
  let clone;
  try {
    clone = structuredClone(error);
  } catch ({ name }) {
    // Some engines clone `cause`, too; then cloning fails, because `cause` holds a secret.
    assert.equal(name, 'DataCloneError');
    return;
  }
  assertNoLeak(inspect(clone, { showHidden: true }));
});

test('v8.serialize() gives no bytes of a secret or a key', () => {
  for (const value of [secret, key, { value: secret }]) {
    let bytes;
    try {
      bytes = v8.serialize(value);
    } catch ({ message }) {
      assert.match(message, /could not be cloned/);
      continue;
    }
    assertNoLeak(bytes.toString('latin1'));
    assert.deepEqual(Reflect.ownKeys(v8.deserialize(bytes).value ?? v8.deserialize(bytes)), []);
  }
});
