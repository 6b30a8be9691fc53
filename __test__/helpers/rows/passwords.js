'use strict';

const { hashSync } = require('@nodesec/native');
const {
  anything,
  boolean,
  bytes,
  callback,
  integer,
  name,
  options,
  or,
  secret,
  signal,
  text,
  word,
} = require('../hostile.js');

const PASSWORD = 'correct horse battery staple';
const KEY = new Uint8Array(32).fill(7);
const DIGEST = hashSync(PASSWORD, { profile: 'test', secret: KEY });

const key = or(bytes, secret);
const costs = { memoryCost: integer, timeCost: integer, parallelism: integer };
const policy = {
  ...costs,
  type: or(integer, word),
  profile: word,
  hashLength: integer,
  saltLength: integer,
  version: integer,
};
const hashOptions = () => ({
  type: 'argon2id',
  profile: 'test',
  memoryCost: 64,
  timeCost: 1,
  parallelism: 1,
  hashLength: 32,
  saltLength: 16,
  version: 0x13,
  salt: new Uint8Array(16),
  secret: KEY,
  associatedData: new Uint8Array(8),
  raw: false,
});
const hashKinds = { ...policy, salt: bytes, secret: key, associatedData: bytes, raw: boolean };
const verifyOptions = () => ({
  secret: KEY,
  limits: { memoryCost: 64, timeCost: 1, parallelism: 1 },
});
const verifyKinds = { secret: key, limits: options(costs) };
const live = () => new AbortController().signal;

module.exports = {
  hash: {
    args: () => [PASSWORD, { ...hashOptions(), signal: live() }],
    kinds: [secret, options({ ...hashKinds, signal })],
  },
  hashSync: {
    args: () => [PASSWORD, hashOptions()],
    kinds: [secret, options(hashKinds)],
  },
  verify: {
    args: () => [DIGEST, PASSWORD, { ...verifyOptions(), signal: live() }],
    kinds: [name, secret, options({ ...verifyKinds, signal })],
  },
  verifySync: {
    args: () => [DIGEST, PASSWORD, verifyOptions()],
    kinds: [name, secret, options(verifyKinds)],
  },
  deriveKey: {
    args: () => {
      const { raw, salt, saltLength, ...others } = hashOptions();
      return [PASSWORD, salt, { ...others, signal: live() }];
    },
    kinds: [
      secret,
      bytes,
      options({
        ...costs,
        type: policy.type,
        profile: word,
        hashLength: integer,
        version: integer,
        secret: key,
        associatedData: bytes,
        signal,
      }),
    ],
  },
  calibrate: {
    args: () => [
      { targetMs: 1, maxMemory: 7168, parallelism: 1, onProgress: () => {}, signal: live() },
    ],
    kinds: [
      options({
        targetMs: integer,
        maxMemory: integer,
        parallelism: integer,
        onProgress: callback,
        signal,
      }),
    ],
  },
  'passwordPool.configure': {
    args: () => [{ threads: 2, maxMemory: 2 ** 30, maxQueue: 1000, queueTimeoutMs: 30_000 }],
    kinds: [
      options({ threads: integer, maxMemory: integer, maxQueue: integer, queueTimeoutMs: integer }),
    ],
  },
  'passwordPool.stats': { args: () => [], kinds: [] },
  // Takes the options of hash, and looks at those that make the policy.
  needsRehash: {
    args: () => [DIGEST, { ...hashOptions(), signal: live() }],
    kinds: [
      name,
      options({
        ...policy,
        salt: anything,
        secret: anything,
        associatedData: anything,
        raw: anything,
        signal: anything,
      }),
    ],
  },
  parseHash: { args: () => [DIGEST], kinds: [text] },
};
