'use strict';

const { PasswordHasher, hashSync } = require('@nodesec/native');
const { CANARY, anything, boolean, bytes, integer, kind, name, options, or, secret, text, word } =
  require('../hostile.js');

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
const hash = {
  args: () => [
    PASSWORD,
    {
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
    },
  ],
  kinds: [
    secret,
    options({ ...policy, salt: bytes, secret: key, associatedData: bytes, raw: boolean }),
  ],
};

const verify = {
  args: () => [
    DIGEST,
    PASSWORD,
    { secret: KEY, limits: { memoryCost: 64, timeCost: 1, parallelism: 1 } },
  ],
  // Takes the options of hash, and looks at these.
  kinds: [name, secret, options({ secret: key, limits: options(costs) })],
};

const pepper = kind(key.refused, { 'bytes too few': () => new Uint8Array(15) });
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
  'too many': () => Array(5).fill('bcrypt'),
  'an object': () => ({ 0: 'bcrypt', length: 1 }),
});
const limits = { ...costs, bcryptCost: integer, scryptWork: integer, pbkdf2Iterations: integer };
const POLICY = {
  type: 'argon2id',
  profile: 'test',
  memoryCost: 64,
  timeCost: 1,
  parallelism: 1,
  hashLength: 32,
  saltLength: 16,
  version: 0x13,
  policy: 'exact',
  secret: KEY,
  peppers: { current: 'k1', keys: { k1: KEY } },
  legacy: ['bcrypt', 'scrypt', 'pbkdf2', 'django'],
  limits: {
    memoryCost: 64,
    timeCost: 1,
    parallelism: 1,
    bcryptCost: 12,
    scryptWork: 1024,
    pbkdf2Iterations: 1000,
  },
};
const on = () => new PasswordHasher(POLICY);
const { null: _, ...notNull } = name.refused;

module.exports = {
  hash,
  hashSync: hash,
  verify,
  verifySync: verify,
  // Takes the options of hash, and looks at those that make the policy.
  needsRehash: {
    args: () => [DIGEST, { ...hash.args()[1], policy: 'atLeast' }],
    kinds: [
      name,
      options({
        ...policy,
        salt: anything,
        secret: anything,
        associatedData: anything,
        raw: anything,
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
  'PasswordHasher.prototype.hash': { on, args: () => [PASSWORD], kinds: [secret] },
  'PasswordHasher.prototype.verify': { on, args: () => [DIGEST, PASSWORD], kinds: [name, secret] },
  'PasswordHasher.prototype.verifyAndUpdate': {
    on,
    args: () => [DIGEST, PASSWORD],
    // Without a digest it is nobody's.
    kinds: [kind(notNull), secret],
  },
  'PasswordHasher.prototype.needsRehash': { on, args: () => [DIGEST], kinds: [name] },
  parseHash: { args: () => [DIGEST], kinds: [text] },
};
