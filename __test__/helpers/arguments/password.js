'use strict';

const { PasswordHasher, hashSync } = require('@nodesec/native');
const {
  CANARY,
  anything,
  boolean,
  bytes,
  callback,
  integer,
  kind,
  name,
  options,
  or,
  secret,
  secretly,
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
const COSTS = { memoryCost: 64, timeCost: 1, parallelism: 1 };
const HASH_POLICY = {
  ...COSTS,
  type: 'argon2id',
  profile: 'test',
  hashLength: 32,
  saltLength: 16,
  version: 0x13,
};
const ceilings = { ...costs, work: integer };
const CEILINGS = { ...COSTS, work: 64 };
const hashOptions = () => ({
  ...HASH_POLICY,
  salt: new Uint8Array(16),
  secret: KEY,
  associatedData: new Uint8Array(8),
  raw: false,
});
const hashKinds = { ...policy, salt: bytes, secret: key, associatedData: bytes, raw: boolean };
const verifyOptions = () => ({
  secret: KEY,
  limits: { ...CEILINGS },
});
const verifyKinds = { secret: key, limits: options(ceilings) };
const live = () => new AbortController().signal;

const pepper = secretly(kind(key.refused, { 'bytes too few': () => new Uint8Array(15) }));
const peppers = {
  ...options({}),
  options: {
    current: kind(name.refused, {
      'an unknown id': () => 'k2',
      'an id too long': () => 'nine bytes',
    }),
    keys: {
      ...kind(
        { null: () => null, 'a string': () => CANARY, 'an array': () => [KEY], empty: () => ({}) },
        { 'an empty id': () => ({ k1: KEY, '': KEY }), 'an id too long': () => ({ k1: KEY, nine99999: KEY }) },
      ),
      members: { k1: pepper },
    },
  },
};
const families = kind({
  'a string': () => 'bcrypt',
  'another scheme': () => [CANARY],
  'a number': () => [1],
  'too many': () => Array(9).fill('bcrypt'),
  'an object': () => ({ 0: 'bcrypt', length: 1 }),
});
const limits = { ...ceilings, bcryptCost: integer, scryptWork: integer, pbkdf2Iterations: integer };
const POLICY = {
  ...HASH_POLICY,
  policy: 'exact',
  secret: KEY,
  peppers: { current: 'k1', keys: { k1: KEY } },
  legacy: ['bcrypt', 'scrypt', 'pbkdf2', 'django'],
  limits: {
    ...CEILINGS,
    bcryptCost: 12,
    scryptWork: 1024,
    pbkdf2Iterations: 1000,
  },
};
const on = () => new PasswordHasher(POLICY);
const { null: _, ...notNull } = name.refused;

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
      { targetMs: 1, memoryCost: 7168, parallelism: 1, onProgress: () => {}, signal: live() },
    ],
    kinds: [
      options({
        targetMs: integer,
        memoryCost: integer,
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
  // Accepts the options of `hash`, but reads only those that make up the policy.
  needsRehash: {
    args: () => [DIGEST, { ...hashOptions(), signal: live(), policy: 'atLeast' }],
    kinds: [
      name,
      options({
        ...policy,
        salt: anything,
        secret: anything,
        associatedData: anything,
        raw: anything,
        signal: anything,
        policy: word,
      }),
    ],
  },
  'new PasswordHasher': {
    args: () => [structuredClone(POLICY)],
    kinds: [
      options({
        ...policy,
        policy: word,
        secret: key,
        peppers,
        legacy: families,
        limits: options(limits),
      }),
    ],
  },
  'PasswordHasher.prototype.hash': {
    on,
    args: () => [PASSWORD, { signal: live() }],
    kinds: [secret, options({ signal })],
  },
  'PasswordHasher.prototype.verify': {
    on,
    args: () => [DIGEST, PASSWORD, { signal: live() }],
    kinds: [name, secret, options({ signal })],
  },
  'PasswordHasher.prototype.verifyAndUpdate': {
    on,
    args: () => [DIGEST, PASSWORD, { signal: live() }],
    // `null` is accepted: it means that there is no such user.
    kinds: [kind(notNull), secret, options({ signal })],
  },
  'PasswordHasher.prototype.needsRehash': { on, args: () => [DIGEST], kinds: [name] },
  parseHash: { args: () => [DIGEST], kinds: [text] },
};
