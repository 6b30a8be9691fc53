'use strict';

// We verify digests of npm argon2, node:crypto, argon2-cffi and libargon2, and they verify ours;
// interop.test.js does the same with @node-rs/argon2 and hash-wasm.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const { test } = require('node:test');

const npm = require('argon2');

const { hash, hashSync, parseHash, verify, verifySync } = require('@nodesec/native');
const peers = require('../helpers/peers.js');

const PASSWORD = 'pässword 🐎';
const COSTS = { memoryCost: 256, timeCost: 2, parallelism: 2 };
const SALT = Buffer.from('a salt of my own');
const SECRET = Buffer.from('a pepper of some length');
const DATA = Buffer.from('user 1');
const LONG = Buffer.alloc(1024, 'more than fits in 32 bytes ');
const TYPES = ['argon2d', 'argon2i', 'argon2id'];

/** Every type, with each further input of a tag. */
const CASES = TYPES.flatMap((type, number) =>
  [
    {},
    { memoryCost: 71, timeCost: 3, parallelism: 3, hashLength: 64 },
    { secret: SECRET, hashLength: 16 },
    { associatedData: DATA },
    { secret: SECRET, associatedData: LONG, parallelism: 1, timeCost: 1 },
  ].map((more) => ({ type, number, ...COSTS, hashLength: 32, ...more })),
);

for (const { number, ...options } of CASES.flatMap((options) => [
  { ...options, version: 0x10 },
  { ...options, version: 0x13 },
])) {
  const { secret: _, associatedData: data, ...named } = options;
  test(`npm argon2 agrees: ${JSON.stringify({ ...named, data: data?.length })}`, async () => {
    const { secret } = options;
    const theirs = await npm.hash(PASSWORD, { ...options, type: number });
    assert.equal(await verify(theirs, PASSWORD, { secret }), true);
    assert.equal(await verify(theirs, `${PASSWORD}!`, { secret }), false);
    const ours = await hash(PASSWORD, options);
    assert.equal(await npm.verify(ours, PASSWORD, { secret }), true);
    assert.equal(await npm.verify(ours, `${PASSWORD}!`, { secret }), false);
    const salted = { ...options, salt: SALT };
    assert.equal(await hash(PASSWORD, salted), await npm.hash(PASSWORD, { ...salted, type: number }));
  });
}

test('node:crypto of Node 24 computes the same tags', (t) => {
  const node = peers.node24(t);
  if (node === undefined) return;
  const program = `
    const { argon2Sync } = require('node:crypto');
    const bytes = (hex) => Buffer.from(hex ?? '', 'hex');
    const cases = JSON.parse(require('node:fs').readFileSync(0));
    console.log(JSON.stringify(cases.map(({ type, message, nonce, secret, data, ...rest }) =>
      argon2Sync(type, {
        ...rest,
        message: bytes(message),
        nonce: bytes(nonce),
        ...(secret ? { secret: bytes(secret) } : {}),
        ...(data ? { associatedData: bytes(data) } : {}),
      }).toString('hex'),
    )));
  `;
  const tagsOf = (digests) => {
    const cases = digests.map(({ digest, secret }) => {
      const info = parseHash(digest);
      return {
        type: info.type,
        message: Buffer.from(PASSWORD).toString('hex'),
        nonce: info.salt.toString('hex'),
        parallelism: info.parallelism,
        tagLength: info.hash.length,
        memory: info.memoryCost,
        passes: info.timeCost,
        secret: secret?.toString('hex'),
        data: info.associatedData?.toString('hex'),
      };
    });
    const run = spawnSync(node, ['--no-warnings', '--eval', program], {
      input: JSON.stringify(cases),
      encoding: 'utf8',
    });
    assert.equal(run.status, 0, run.stderr);
    return JSON.parse(run.stdout);
  };

  const ours = CASES.map(({ number, ...options }) => ({
    digest: hashSync(PASSWORD, options),
    secret: options.secret,
  }));
  // node:crypto verifies our digests: from their parameters it computes the tags that they hold.
  const tags = tagsOf(ours);
  for (const [index, { digest, secret }] of ours.entries()) {
    assert.equal(tags[index], parseHash(digest).hash.toString('hex'), digest);
    // We verify digests of node:crypto: one is written here from its tag.
    const tag = Buffer.from(tags[index], 'hex').toString('base64').replaceAll('=', '');
    const theirs = digest.slice(0, digest.lastIndexOf('$') + 1) + tag;
    assert.equal(verifySync(theirs, PASSWORD, { secret }), true, digest);
    assert.equal(verifySync(theirs, 'another', { secret }), false, digest);
  }
});

test('argon2-cffi of Python agrees', (t) => {
  const python = peers.argon2Cffi(t);
  if (python === undefined) return;
  const cases = CASES.filter(({ secret, associatedData }) => !secret && !associatedData);
  const theirs = python(
    `
from argon2.low_level import Type, hash_secret
print(json.dumps([
    hash_secret(
        case['password'].encode(), b'a salt of my own', time_cost=case['timeCost'],
        memory_cost=case['memoryCost'], parallelism=case['parallelism'],
        hash_len=case['hashLength'], type=Type(case['number']), version=case['version'],
    ).decode()
    for case in json.load(sys.stdin)
]))`,
    cases.flatMap((options) =>
      [0x10, 0x13].map((version) => ({ ...options, version, password: PASSWORD })),
    ),
  );
  assert.equal(theirs.length, 2 * cases.length);
  for (const digest of theirs) {
    assert.equal(verifySync(digest, PASSWORD), true, digest);
    assert.equal(verifySync(digest, 'another'), false, digest);
  }

  const ours = cases.map(({ number, ...options }) => hashSync(PASSWORD, options));
  const verified = python(
    `
import argon2
def verify(digest, password):
    try:
        return argon2.PasswordHasher().verify(digest, password)
    except argon2.exceptions.VerifyMismatchError:
        return False
print(json.dumps([[verify(digest, p) for p in case['tries']]
    for case in json.load(sys.stdin) for digest in case['digests']]))`,
    [{ digests: ours, tries: [PASSWORD, 'another'] }],
  );
  assert.deepEqual(verified, Array(ours.length).fill([true, false]));
});

test('libargon2’s command computes the same digests', (t) => {
  const argon2 = peers.argon2Command(t);
  if (argon2 === undefined) return;
  const flags = { argon2d: '-d', argon2i: '-i', argon2id: '-id' };
  for (const { number, ...options } of CASES) {
    if (options.secret || options.associatedData) continue;
    for (const [version, flag] of [[0x10, '10'], [0x13, '13']]) {
      const { memoryCost, timeCost, parallelism, hashLength } = options;
      const costs = ['-k', memoryCost, '-t', timeCost, '-p', parallelism, '-l', hashLength];
      const args = [SALT.toString(), flags[options.type], ...costs, '-v', flag, '-e'];
      const theirs = argon2(args.map(String), PASSWORD);
      assert.equal(verifySync(theirs, PASSWORD), true, theirs);
      assert.equal(verifySync(theirs, 'another'), false, theirs);
      // The command cannot verify; instead, it must make the same digest as this package.
      assert.equal(hashSync(PASSWORD, { ...options, version, salt: SALT }), theirs);
    }
  }
});
