'use strict';

const { hashSync } = require('@nodesec/native');
const { anything, boolean, bytes, integer, name, options, or, secret, text, word } =
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
  kinds: [name, secret, options({ secret: key, limits: options(costs) })],
};

module.exports = {
  hash,
  hashSync: hash,
  verify,
  verifySync: verify,
  // Takes the options of hash, and looks at those that make the policy.
  needsRehash: {
    args: () => [DIGEST, hash.args()[1]],
    kinds: [
      name,
      options({
        ...policy,
        salt: anything,
        secret: anything,
        associatedData: anything,
        raw: anything,
      }),
    ],
  },
  parseHash: { args: () => [DIGEST], kinds: [text] },
};
