import assert from 'node:assert/strict';
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';

import { SecretBuffer } from '@nodesec/native';
import sodium from 'sodium-native';

const LENGTH = 32;
/**
 * Operations per turn of the event loop. Some 16,000 secrets of sodium-native fit into a process,
 * and freed ones are released only when the event loop turns.
 */
const A_TURN = 500;

export const rows = [
  {
    name: 'secrets: 32 bytes taken in and disposed of',
    setting: 'a copy of a Buffer, made and let go of at once; the event loop turns every 500',
    target: { 'sodium-native (sodium_malloc, sodium_free)': 10 },
    prepare: () => {
      const bytes = randomBytes(LENGTH);
      assertSameBytes(SecretBuffer.from(bytes), copiedBySodium(bytes), bytes);
      return [
        { name: '@nodesec/native', run: inTurns(() => SecretBuffer.from(bytes).dispose()) },
        {
          name: 'sodium-native (sodium_malloc, sodium_free)',
          run: inTurns(() => sodium.sodium_free(copiedBySodium(bytes))),
        },
      ];
    },
  },
  {
    name: 'secrets: 32 random bytes created and disposed of',
    setting: 'filled by the system’s generator on either side; the event loop turns every 500',
    target: { 'sodium-native (sodium_malloc, sodium_free)': 10 },
    prepare: () => [
      { name: '@nodesec/native', run: inTurns(() => SecretBuffer.random(LENGTH).dispose()) },
      {
        name: 'sodium-native (sodium_malloc, sodium_free)',
        run: inTurns(() => {
          const secret = sodium.sodium_malloc(LENGTH);
          sodium.randombytes_buf(secret);
          sodium.sodium_free(secret);
        }),
      },
    ],
  },
  {
    name: 'secrets: equals on 32 bytes',
    setting: 'a secret and a Buffer against two Buffers, equal',
    target: { 'crypto.timingSafeEqual': 0.5 },
    prepare: () => {
      const bytes = randomBytes(LENGTH);
      const [same, other] = [Buffer.from(bytes), Buffer.from(bytes)];
      other[LENGTH - 1] ^= 1;
      const secret = SecretBuffer.from(bytes);
      for (const [buffer, expected] of [[same, true], [other, false]]) {
        assert.equal(secret.equals(buffer), expected);
        assert.equal(timingSafeEqual(bytes, buffer), expected);
      }
      return [
        { name: '@nodesec/native', run: times(() => secret.equals(same)) },
        { name: 'crypto.timingSafeEqual', run: times(() => timingSafeEqual(bytes, same)) },
      ];
    },
  },
];

function copiedBySodium(bytes) {
  const secret = sodium.sodium_malloc(bytes.length);
  secret.set(bytes);
  return secret;
}

function assertSameBytes(ours, theirs, bytes) {
  assert.ok(ours.equals(bytes) && bytes.equals(theirs));
  ours.dispose();
  sodium.sodium_free(theirs);
}

function times(work) {
  return (n) => {
    for (let i = 0; i < n; i += 1) work();
  };
}

function inTurns(work) {
  return async (n) => {
    for (let i = 1; i <= n; i += 1) {
      work();
      if (i % A_TURN === 0) await setImmediate();
    }
  };
}
