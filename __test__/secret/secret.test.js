'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { JwtIssuer, JwtKey, SecretBuffer, timingSafeEqual } = require('@nodesec/native');
const { coded } = require('../helpers/outcome.js');

const bytesOf = (secret) => secret.use((bytes) => Buffer.from(bytes));

test('random secrets have the length that is asked for and differ', () => {
  for (const length of [1, 32, 33, 4096, 4097, 1024 * 1024]) {
    const secret = SecretBuffer.random(length);
    assert.equal(secret.byteLength, length);
    assert.equal(bytesOf(secret).length, length);
  }
  assert.ok(!SecretBuffer.random(32).equals(SecretBuffer.random(32)));
  for (const length of [0, 1024 * 1024 + 1]) {
    assert.throws(() => SecretBuffer.random(length), coded('ERR_OUT_OF_RANGE'));
  }
});

test('a secret from bytes is a copy', () => {
  const source = Buffer.from('0123456789abcdef');
  const secret = SecretBuffer.from(source);
  assert.deepEqual(bytesOf(secret), source);
  source.fill(0);
  assert.equal(bytesOf(secret).toString(), '0123456789abcdef');
  assert.equal(SecretBuffer.from(new Uint8Array(0)).byteLength, 0);
});

test('wipe: true wipes the view, and only the view', () => {
  const memory = Buffer.alloc(64, 'x');
  const view = memory.subarray(16, 32);
  const secret = SecretBuffer.from(view, { wipe: true });
  assert.equal(bytesOf(secret).toString(), 'x'.repeat(16));
  assert.equal(memory.toString('latin1'), 'x'.repeat(16) + '\0'.repeat(16) + 'x'.repeat(32));
});

test('a secret from text is decoded as its encoding says', () => {
  for (const [text, encoding, expected] of [
    ['pässwörd 🐎', undefined, Buffer.from('pässwörd 🐎')],
    ['pässwörd 🐎', 'utf8', Buffer.from('pässwörd 🐎')],
    ['00ffC0fe', 'hex', Buffer.from([0, 255, 0xc0, 0xfe])],
    ['+/8=', 'base64', Buffer.from([0xfb, 0xff])],
    ['-_8', 'base64url', Buffer.from([0xfb, 0xff])],
    ['', 'utf8', Buffer.alloc(0)],
  ]) {
    assert.deepEqual(bytesOf(SecretBuffer.fromString(text, encoding)), expected);
  }
  for (const [text, encoding] of [
    ['0', 'hex'],
    ['0g', 'hex'],
    ['+/8', 'base64'],
    ['-_8=', 'base64url'],
    ['-_9', 'base64url'],
    ['a b', 'base64url'],
  ]) {
    assert.throws(() => SecretBuffer.fromString(text, encoding), coded('ERR_INVALID_ARG_VALUE'));
  }
});

test('use() lends a copy and wipes it', () => {
  const secret = SecretBuffer.from(Buffer.from('secret'));
  let kept;
  const result = secret.use((bytes) => {
    kept = bytes;
    assert.equal(Buffer.from(bytes).toString(), 'secret');
    // A change of the copy does not change the secret.
    bytes[0] = 0;
    return 42;
  });
  assert.equal(result, 42);
  assert.deepEqual(kept, new Uint8Array(6));
  assert.equal(bytesOf(secret).toString(), 'secret');
});

test('use() wipes when the function throws', () => {
  const thrown = new Error('mine');
  let kept;
  assert.throws(
    () =>
      SecretBuffer.random(8).use((bytes) => {
        kept = bytes;
        throw thrown;
      }),
    (error) => error === thrown,
  );
  assert.deepEqual(kept, new Uint8Array(8));
});

test('use() refuses a promise and wipes', () => {
  let kept;
  const lend = (fn) => () =>
    SecretBuffer.random(8).use((bytes) => {
      kept = bytes;
      return fn();
    });
  for (const fn of [async () => 1, () => Promise.reject(new Error('x')), () => ({ then() {} })]) {
    assert.throws(lend(fn), coded('ERR_INVALID_RETURN_VALUE'));
    assert.deepEqual(kept, new Uint8Array(8));
  }
});

test('use() does not begin what begins with its then()', () => {
  const lazy = { then: () => assert.fail('begun') };
  assert.throws(() => SecretBuffer.random(8).use(() => lazy), coded('ERR_INVALID_RETURN_VALUE'));
});

test('use() wipes whatever the function has done to the properties', () => {
  for (const byteLength of [0, 5, 8]) {
    let kept;
    SecretBuffer.random(8).use((bytes) => {
      kept = bytes;
      Object.defineProperty(bytes.buffer, 'byteLength', { value: byteLength });
      Object.defineProperty(bytes, 'buffer', { value: new ArrayBuffer(0) });
      Object.setPrototypeOf(bytes, null);
    });
    assert.deepEqual(Buffer.from(Object.setPrototypeOf(kept, Uint8Array.prototype)), Buffer.alloc(8));
  }
});

test('use() notices bytes that were transferred', () => {
  assert.throws(
    () =>
      SecretBuffer.random(8).use((bytes) => {
        structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
      }),
    coded('ERR_SECRET_ESCAPED'),
  );
});

test('use() within use() lends another copy', () => {
  const secret = SecretBuffer.from(Buffer.from('secret'));
  secret.use((outer) => {
    secret.use((inner) => inner.fill(1));
    assert.equal(Buffer.from(outer).toString(), 'secret');
    secret.dispose();
    assert.equal(Buffer.from(outer).toString(), 'secret');
  });
});

test('equals() belongs to a SecretBuffer', () => {
  const { equals } = SecretBuffer.prototype;
  const secret = SecretBuffer.random(8);
  for (const other of [{}, new Proxy(secret, {}), Object.create(secret), undefined, 1]) {
    assert.throws(() => equals.call(other, secret), coded('ERR_INVALID_THIS'));
  }
});

test('equals() and timingSafeEqual() compare bytes', () => {
  const secret = SecretBuffer.fromString('secret');
  assert.ok(secret.equals(secret));
  assert.ok(secret.equals(SecretBuffer.fromString('secret')));
  assert.ok(secret.equals(Buffer.from('secret')));
  for (const other of ['secreT', 'Secret', 'secre', 'secret\0', '']) {
    assert.ok(!secret.equals(Buffer.from(other)), other);
    assert.ok(!timingSafeEqual(secret, other), other);
    assert.ok(!timingSafeEqual(other, 'secret'), other);
  }
  for (const one of [secret, 'secret', Buffer.from('secret')]) {
    for (const other of [secret, 'secret', Buffer.from('secret')]) {
      assert.equal(timingSafeEqual(one, other), true);
    }
  }
  assert.equal(timingSafeEqual('', new Uint8Array(0)), true);
});

test('a disposed secret is of no use any more', () => {
  const secret = SecretBuffer.random(32);
  assert.equal(secret.disposed, false);
  secret.dispose();
  secret.dispose();
  assert.equal(secret.disposed, true);
  for (const use of [
    () => secret.byteLength,
    () => secret.use((bytes) => bytes),
    () => secret.equals(secret),
    () => SecretBuffer.random(32).equals(secret),
    () => timingSafeEqual(secret, 'x'),
    () => JwtKey.fromSecret(secret, { alg: 'HS256' }),
  ]) {
    assert.throws(use, coded('ERR_SECRET_DISPOSED'));
  }
});

test('Symbol.dispose disposes of a secret', () => {
  const secret = SecretBuffer.random(32);
  secret[Symbol.dispose]();
  assert.equal(secret.disposed, true);
});

test('a key made from a secret outlives it', () => {
  const secret = SecretBuffer.random(32);
  const key = JwtKey.fromSecret(secret, { alg: 'HS256', kid: 'k' });
  const issuer = new JwtIssuer({ keys: key, expiresIn: 60, jti: false });
  const signature = (token) => token.split('.')[2].length;
  secret.dispose();
  assert.equal(signature(issuer.sign({})), 43);
});
