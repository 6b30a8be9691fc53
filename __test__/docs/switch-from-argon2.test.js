'use strict';

// Checks the one-line switch: one program runs with npm `argon2` and then with this package in its
// place. Every outcome is the same except the differences in docs/migrating.md.

const assert = require('node:assert/strict');
const { readFileSync } = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');

const ours = require('@nodesec/native');
const theirs = require('argon2');

const FAST = { memoryCost: 64, timeCost: 2, parallelism: 1, salt: Buffer.from('a salt of my own') };
const SECRET = Buffer.from('a pepper');
const DATA = Buffer.alloc(1024, 'data ');
const BCRYPT = '$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW';

// A digest that npm `argon2` makes.
const digestOf = (options) => theirs.hash('password', { ...FAST, ...options });

/** Steps of a program that uses argon2. The parameter `argon2` is the package. */
const STEPS = {
  constants: ({ argon2d, argon2i, argon2id }) => [argon2d, argon2i, argon2id],
  'hash of text': (argon2) => argon2.hash('password', FAST),
  'hash of bytes': (argon2) => argon2.hash(Buffer.from([0xff, 0, 0xfe]), FAST),
  'hash of nothing': (argon2) => argon2.hash('', FAST),
  'hash of unicode': (argon2) => argon2.hash('pässwörd 🐎 \0', FAST),
  'hash by default': async (argon2) =>
    (await argon2.hash('password')).replace(/\$[^$]{22}\$[^$]{43}$/, ''),
  'hash with argon2d': (argon2) => argon2.hash('password', { ...FAST, type: argon2.argon2d }),
  'hash with argon2i': (argon2) => argon2.hash('password', { ...FAST, type: argon2.argon2i }),
  'hash with 2': (argon2) => argon2.hash('password', { ...FAST, type: 2 }),
  'hash of version 0x10': (argon2) => argon2.hash('password', { ...FAST, version: 0x10 }),
  'hash with a secret': (argon2) => argon2.hash('password', { ...FAST, secret: SECRET }),
  'hash with data': (argon2) => argon2.hash('password', { ...FAST, associatedData: DATA }),
  'hash of other costs': (argon2) =>
    argon2.hash('password', { ...FAST, memoryCost: 99, timeCost: 3, parallelism: 4 }),
  'hash of 4 bytes': (argon2) => argon2.hash('password', { ...FAST, hashLength: 4 }),
  'hash of 1024 bytes': (argon2) => argon2.hash('password', { ...FAST, hashLength: 1024 }),
  'hash with a short salt': (argon2) =>
    argon2.hash('password', { ...FAST, salt: Buffer.from('8 bytes.') }),
  'raw hash': (argon2) => argon2.hash('password', { ...FAST, raw: true, hashLength: 24 }),
  'not a raw hash': (argon2) => argon2.hash('password', { ...FAST, raw: false }),

  'verify right': async (argon2) => argon2.verify(await digestOf(), 'password'),
  'verify bytes': async (argon2) => argon2.verify(await digestOf(), Buffer.from('password')),
  'verify wrong': async (argon2) => argon2.verify(await digestOf(), 'Password'),
  'verify with the options of hash': async (argon2) =>
    argon2.verify(await digestOf({ secret: SECRET }), 'password', { ...FAST, secret: SECRET }),
  'verify with a secret': async (argon2) =>
    argon2.verify(await digestOf({ secret: SECRET }), 'password', { secret: SECRET }),
  'verify without the secret': async (argon2) =>
    argon2.verify(await digestOf({ secret: SECRET }), 'password'),
  'verify with another secret': async (argon2) =>
    argon2.verify(await digestOf({ secret: SECRET }), 'password', { secret: DATA }),
  'verify with data': async (argon2) =>
    argon2.verify(await digestOf({ associatedData: DATA }), 'password'),
  'verify version 0x10': async (argon2) =>
    argon2.verify(await digestOf({ version: 0x10 }), 'password'),
  'verify without a version': async (argon2) =>
    argon2.verify((await digestOf({ version: 0x10 })).replace('$v=16', ''), 'password'),
  'verify parameters in another order': async (argon2) =>
    argon2.verify((await digestOf()).replace('m=64,t=2,p=1', 'm=64,p=1,t=2'), 'password'),
  'verify bcrypt': (argon2) => argon2.verify(BCRYPT, 'U*U'),

  'needsRehash of the same': async (argon2) => argon2.needsRehash(await digestOf(), FAST),
  'needsRehash by default': async (argon2) => argon2.needsRehash(await digestOf()),
  'needsRehash of the default': async (argon2) =>
    argon2.needsRehash(await argon2.hash('password'), { type: argon2.argon2id }),
  'needsRehash of other memory': async (argon2) =>
    argon2.needsRehash(await digestOf(), { ...FAST, memoryCost: 65 }),
  'needsRehash of other passes': async (argon2) =>
    argon2.needsRehash(await digestOf(), { ...FAST, timeCost: 1 }),
  'needsRehash of other lanes': async (argon2) =>
    argon2.needsRehash(await digestOf(), { ...FAST, parallelism: 2 }),
  'needsRehash of another version': async (argon2) =>
    argon2.needsRehash(await digestOf({ version: 0x10 }), FAST),

  'no password': (argon2) => argon2.hash(undefined, FAST),
  'a number for a password': (argon2) => argon2.hash(1234, FAST),
  'a salt too short': (argon2) => argon2.hash('password', { ...FAST, salt: Buffer.from('7 bytes') }),
  'too little memory': (argon2) => argon2.hash('password', { ...FAST, memoryCost: 7 }),
  'negative memory': (argon2) => argon2.hash('password', { ...FAST, memoryCost: -1 }),
  'too much memory': (argon2) => argon2.hash('password', { ...FAST, memoryCost: 2 ** 32 }),
  'no passes': (argon2) => argon2.hash('password', { ...FAST, timeCost: 0 }),
  'no lanes': (argon2) => argon2.hash('password', { ...FAST, parallelism: 0 }),
  'too many lanes': (argon2) => argon2.hash('password', { ...FAST, parallelism: 2 ** 24 }),
  'a hash too short': (argon2) => argon2.hash('password', { ...FAST, hashLength: 3 }),
  'a secret of text': (argon2) => argon2.hash('password', { ...FAST, secret: 'a pepper' }),
  'verify an empty digest': (argon2) => argon2.verify('', 'password'),
  'verify no digest': (argon2) => argon2.verify(undefined, 'password'),
  'verify a plain password': (argon2) => argon2.verify('password', 'password'),
};

/** The intended differences: a step, the outcome of npm `argon2`, then ours. */
const DIFFERENCES = {
  'needsRehash of another type': [
    async (argon2) => argon2.needsRehash(await digestOf({ type: 1 }), FAST),
    false,
    true,
  ],
  'needsRehash of another hash length': [
    async (argon2) => argon2.needsRehash(await digestOf({ hashLength: 4 }), FAST),
    false,
    true,
  ],
  'needsRehash of another salt length': [
    async (argon2) => argon2.needsRehash(await digestOf({ salt: Buffer.alloc(8) }), FAST),
    false,
    true,
  ],
  'needsRehash of bcrypt': [(argon2) => argon2.needsRehash(BCRYPT, FAST), 'throws', true],
  'a type as text': [
    (argon2) => argon2.hash('password', { ...FAST, type: 'argon2id' }),
    'throws',
    'a string',
  ],
  'a version that does not exist': [
    (argon2) => argon2.hash('password', { ...FAST, version: 0x99 }),
    'a string',
    'ERR_OUT_OF_RANGE',
  ],
  'a misspelt option': [
    (argon2) => argon2.hash('password', { ...FAST, memorycost: 1024 }),
    'a string',
    'ERR_UNKNOWN_OPTION',
  ],
  'a fraction of memory': [
    (argon2) => argon2.hash('password', { ...FAST, memoryCost: 64.5 }),
    'a string',
    'ERR_OUT_OF_RANGE',
  ],
  'an empty secret': [
    (argon2) => argon2.hash('password', { ...FAST, secret: Buffer.alloc(0) }),
    'a string',
    'ERR_OUT_OF_RANGE',
  ],
  'a lone surrogate': [
    (argon2) => argon2.hash('\ud800', FAST),
    'a string',
    'ERR_INVALID_ARG_VALUE',
  ],
  'a password above 4096 bytes': [
    (argon2) => argon2.hash('x'.repeat(4097), FAST),
    'a string',
    'ERR_OUT_OF_RANGE',
  ],
  'a hash above 1024 bytes': [
    (argon2) => argon2.hash('password', { ...FAST, hashLength: 1025 }),
    'a string',
    'ERR_OUT_OF_RANGE',
  ],
  'a salt above 1024 bytes': [
    (argon2) => argon2.hash('password', { ...FAST, salt: Buffer.alloc(1025) }),
    'a string',
    'ERR_OUT_OF_RANGE',
  ],
  'associated data above 1024 bytes': [
    (argon2) => argon2.hash('password', { ...FAST, associatedData: Buffer.alloc(1025) }),
    'a string',
    'ERR_OUT_OF_RANGE',
  ],
  'a hash of more than 255 lanes': [
    (argon2) => argon2.hash('password', { ...FAST, memoryCost: 2048, parallelism: 256 }),
    'a string',
    'ERR_OUT_OF_RANGE',
  ],
  'a digest beyond the ceilings': [
    async (argon2) => argon2.verify(await digestOf({ timeCost: 65 }), 'password'),
    true,
    'ERR_PASSWORD_LIMIT',
  ],
};

const outcomeOf = async (step, argon2) => {
  try {
    return await step(argon2);
  } catch (error) {
    assert.ok(error instanceof Error);
    return error;
  }
};

for (const [name, step] of Object.entries(STEPS)) {
  test(`both packages do the same: ${name}`, async () => {
    const [expected, actual] = [await outcomeOf(step, theirs), await outcomeOf(step, ours)];
    if (expected instanceof Error) {
      assert.ok(actual instanceof ours.NodesecError, `${actual}`);
      if (expected.code !== undefined) assert.equal(actual.code, expected.code);
    } else {
      assert.deepEqual(actual, expected);
    }
  });
}

for (const [name, [step, expected, actual]] of Object.entries(DIFFERENCES)) {
  test(`the packages differ as they should: ${name}`, async () => {
    assert.equal(brief(await outcomeOf(step, theirs)), expected);
    assert.equal(brief(await outcomeOf(step, ours)), actual);
  });
}

const brief = (outcome) => {
  if (outcome instanceof ours.NodesecError) return outcome.code;
  if (outcome instanceof Error) return 'throws';
  return typeof outcome === 'string' ? 'a string' : outcome;
};

test('docs/migrating.md has a row for each difference', () => {
  const guide = readFileSync(path.join(__dirname, '..', '..', 'docs', 'migrating.md'), 'utf8');
  const [, section] = /## From npm `argon2`\n([^]*?)\n## /.exec(guide);
  const rows = [...section.matchAll(/^\| ([^|`]+?) \|/gm)].map(([, name]) => name);
  assert.deepEqual(rows.slice(1), Object.keys(DIFFERENCES));
});
