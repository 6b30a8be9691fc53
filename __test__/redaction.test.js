'use strict';

// However a secret or a key is printed, copied or listed: what comes out does not hold its bytes.

const assert = require('node:assert/strict');
const { Console } = require('node:console');
const { Writable } = require('node:stream');
const { test } = require('node:test');
const { format, inspect } = require('node:util');
const v8 = require('node:v8');

const { JwtKey, SecretBuffer } = require('@nodesec/native');

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

/** What `console` prints. */
function printed(use) {
  const chunks = [];
  const stream = new Writable({ write: (chunk, _, done) => done(chunks.push(chunk) && null) });
  use(new Console(stream));
  return Buffer.concat(chunks).toString();
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
  test(`by ${way}`, () => {
    for (const value of [secret, key]) assertNoLeak(print(value));
  });
}

test('what is printed instead', () => {
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

test('nothing to list', () => {
  for (const value of [secret, key]) assert.deepEqual(Reflect.ownKeys(value), []);
});

test('clones hold nothing', () => {
  for (const value of [secret, key]) {
    for (const clone of [structuredClone, (object) => v8.deserialize(v8.serialize(object))]) {
      let copy;
      try {
        copy = clone(value);
      } catch (error) {
        // From Node 22.10 on a secret cannot be cloned at all.
        assert.equal(error.name, 'DataCloneError');
        continue;
      }
      assert.deepEqual(Reflect.ownKeys(copy), []);
      assert.equal(copy instanceof SecretBuffer || copy instanceof JwtKey, false);
    }
    assertNoLeak(v8.serialize(secret).toString('latin1'));
  }
});
