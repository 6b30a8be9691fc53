'use strict';

// Secrets lent beyond a turn of the event loop, copied, and disposed of all at once.

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { setImmediate: turn } = require('node:timers/promises');

const { SecretBuffer } = require('@nodesec/native');
const { coded } = require('../helpers/outcome.js');
const { runScript } = require('../helpers/child.js');

test('useAsync() lends until the promise settles, and wipes', async () => {
  const secret = SecretBuffer.fromString('secret');
  let kept;
  const result = await secret.useAsync(async (bytes) => {
    kept = bytes;
    await turn();
    secret.dispose();
    await turn();
    return Buffer.from(bytes).toString();
  });
  assert.equal(result, 'secret');
  assert.deepEqual(kept, new Uint8Array(6));
});

test('useAsync() wipes in every outcome', async () => {
  const thrown = new Error('mine');
  const throwing = () => {
    throw thrown;
  };
  for (const [fn, expected] of [
    [throwing, thrown],
    [async () => throwing(), thrown],
    [() => ({ then: (_, reject) => reject(thrown) }), thrown],
    [() => ({ then: (resolve) => resolve(42) }), 42],
    [() => 42, 42],
    [() => undefined, undefined],
  ]) {
    let kept;
    const lent = SecretBuffer.random(8).useAsync((bytes) => fn((kept = bytes)));
    assert.equal(await lent.catch((error) => error), expected);
    assert.deepEqual(kept, new Uint8Array(8));
  }
});

test('useAsync() notices bytes that were transferred', async () => {
  const transfer = async ({ buffer }) => {
    await turn();
    structuredClone(buffer, { transfer: [buffer] });
  };
  await assert.rejects(SecretBuffer.random(8).useAsync(transfer), coded('ERR_SECRET_ESCAPED'));
  const disposed = SecretBuffer.random(8);
  disposed.dispose();
  await assert.rejects(disposed.useAsync(transfer), coded('ERR_SECRET_DISPOSED'));
});

test('a clone is on its own', () => {
  const secret = SecretBuffer.fromString('secret');
  const clone = secret.clone();
  secret.dispose();
  assert.ok(clone instanceof SecretBuffer);
  assert.ok(clone.equals(Buffer.from('secret')));
  clone.dispose();
  assert.throws(() => clone.clone(), coded('ERR_SECRET_DISPOSED'));
  assert.equal(SecretBuffer.from(new Uint8Array(0)).clone().byteLength, 0);
});

test('disposeAll() ends every secret, and no key', async () => {
  const { code, stderr } = await runScript(`
    const assert = require('node:assert');
    const { JwtIssuer, JwtKey, SecretBuffer, secureHeap } = require('@nodesec/native');
    const before = secureHeap.status().liveSecrets;
    const secrets = Array.from({ length: 100 }, () => SecretBuffer.random(32));
    const key = JwtKey.fromSecret(secrets[0], { alg: 'HS256' });
    const held = secureHeap.status().liveSecrets - 100;
    secrets[0].use((bytes) => {
      secureHeap.disposeAll();
      assert.ok(bytes.some((byte) => byte !== 0));
    });
    assert.ok(secrets.every((secret) => secret.disposed));
    assert.equal(secureHeap.status().liveSecrets, held);
    assert.ok(held > before);
    assert.match(new JwtIssuer({ keys: key, expiresIn: 60 }).sign({}), /^ey/);
    secureHeap.disposeAll();
    assert.equal(SecretBuffer.random(32).disposed, false);
  `);
  assert.equal(stderr, '');
  assert.equal(code, 0);
});

test('disposeAll() reaches the secrets of worker threads', async () => {
  const { code, stderr } = await runScript(`
    const assert = require('node:assert');
    const { Worker } = require('node:worker_threads');
    const { secureHeap } = require('@nodesec/native');
    const worker = new Worker(
      \`
        const { parentPort } = require('node:worker_threads');
        const secret = require('@nodesec/native').SecretBuffer.random(32);
        parentPort.on('message', () => {
          parentPort.postMessage(secret.disposed);
          parentPort.close();
        });
        parentPort.postMessage(secret.disposed);
      \`,
      { eval: true },
    );
    worker.once('message', (disposed) => {
      assert.equal(disposed, false);
      secureHeap.disposeAll();
      worker.postMessage('look');
      worker.once('message', (disposed) => assert.equal(disposed, true));
    });
  `);
  assert.equal(stderr, '');
  assert.equal(code, 0);
});
