'use strict';

// Sealed secrets: the format, which must not change because services store it, and the inputs that
// do not open.

const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const { test } = require('node:test');

const { SecretBuffer } = require('@nodesec/native');
const { coded } = require('../helpers/outcome.js');
const { description, cases } = require('../vectors/sealed-secrets.json');

const key = SecretBuffer.random(32);
const context = 'a context';
const refused = coded('ERR_SECRET_SEAL', { name: 'SecretError' });

test('a sealed secret of any length opens again', () => {
  for (const length of [0, 1, 32, 5000, 1 << 20]) {
    const bytes = crypto.randomBytes(length);
    const sealed = SecretBuffer.from(bytes).seal(key, { context });
    assert.ok(Buffer.isBuffer(sealed));
    assert.equal(sealed.length, length + 62);
    assert.ok(SecretBuffer.unseal(sealed, key, { context }).equals(bytes));
  }
});

for (const sealed of cases) {
  test(`a secret that was ${description} opens: version ${sealed.version}, ${sealed.name}`, () => {
    const blob = Buffer.from(sealed.sealed, 'hex');
    assert.equal(blob[0], sealed.version);
    const opened = SecretBuffer.unseal(blob, SecretBuffer.fromString(sealed.key, 'hex'), {
      context: sealed.context,
    });
    assert.equal(opened.use((bytes) => Buffer.from(bytes).toString('hex')), sealed.secret);
  });
}

/** Opens the documented format, version 1, with Node's own cryptography. */
function openByNode(sealed, keyBytes, context) {
  const [salt, nonce] = [sealed.subarray(2, 34), sealed.subarray(34, 46)];
  const derived = crypto.hkdfSync('sha256', keyBytes, salt, '@nodesec/native seal 1', 32);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(Buffer.byteLength(context));
  const decipher = crypto.createDecipheriv('aes-256-gcm', Buffer.from(derived), nonce);
  decipher.setAAD(Buffer.concat([sealed.subarray(0, 2), length, Buffer.from(context)]));
  decipher.setAuthTag(sealed.subarray(-16));
  return Buffer.concat([decipher.update(sealed.subarray(46, -16)), decipher.final()]);
}

test('the format is what it says, to another implementation', () => {
  for (const text of ['a', 'ünïcode 🐎', 'x'.repeat(1024)]) {
    const keyBytes = crypto.randomBytes(48);
    const sealed = SecretBuffer.fromString('secret').seal(SecretBuffer.from(keyBytes), {
      context: text,
    });
    assert.deepEqual([...sealed.subarray(0, 2)], [1, 1]);
    assert.equal(openByNode(sealed, keyBytes, text).toString(), 'secret');
  }
});

test('nothing else opens it', () => {
  const sealed = SecretBuffer.fromString('secret').seal(key, { context });
  const open = (blob, by = key, options = { context }) => {
    return () => SecretBuffer.unseal(blob, by, options);
  };
  for (let index = 0; index < sealed.length; index++) {
    const changed = Buffer.from(sealed);
    changed[index] ^= 1;
    assert.throws(open(changed), refused);
    assert.throws(open(sealed.subarray(0, index)), refused);
  }
  assert.throws(open(Buffer.concat([sealed, Buffer.alloc(1)])), refused);
  assert.throws(open(sealed, SecretBuffer.random(32)), refused);
  assert.throws(open(sealed, key, { context: 'a contexT' }), refused);
  assert.ok(open(sealed)().equals(Buffer.from('secret')));
});

test('a key or a context that will not do is refused', () => {
  const secret = SecretBuffer.fromString('secret');
  assert.throws(
    () => secret.seal(SecretBuffer.random(31), { context }),
    coded('ERR_OUT_OF_RANGE'),
  );
  assert.throws(() => secret.seal(key, { context: 'x'.repeat(1025) }), coded('ERR_OUT_OF_RANGE'));
  assert.throws(() => secret.seal(key), coded('ERR_MISSING_OPTION'));
  assert.throws(() => secret.seal(Buffer.alloc(32), { context }), coded('ERR_INVALID_ARG_TYPE'));
  const disposed = SecretBuffer.random(32);
  disposed.dispose();
  for (const use of [() => disposed.seal(key, { context }), () => secret.seal(disposed, { context })]) {
    assert.throws(use, coded('ERR_SECRET_DISPOSED'));
  }
});
