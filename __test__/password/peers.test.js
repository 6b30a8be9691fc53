'use strict';

// We verify digests of npm argon2 0.44 and 0.45, node:crypto, argon2-cffi and libargon2, and they
// verify ours; interop.test.js does the same with @node-rs/argon2 and hash-wasm.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const { test } = require('node:test');

const npm = require('argon2');

const { hash, hashSync, needsRehash, parseHash, verify, verifySync } = require('@nodesec/native');
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

/** Makes calls to npm argon2 0.45, `[name, ...arguments]`, in a Node that loads it. */
function newestNpm(t, calls) {
  const [node, argon2] = [peers.node24(t), peers.argon2v45(t)];
  if (node === undefined || argon2 === undefined) return undefined;
  const program = `
    const argon2 = require(${JSON.stringify(argon2)});
    const revive = (_, value) => (value?.type === 'Buffer' ? Buffer.from(value) : value);
    const calls = JSON.parse(require('node:fs').readFileSync(0), revive);
    Promise.all(calls.map(([name, ...args]) => argon2[name](...args))).then((results) =>
      console.log(JSON.stringify(results)));
  `;
  const options = { input: JSON.stringify(calls), encoding: 'utf8' };
  const { status, stdout, stderr } = spawnSync(node, ['--eval', program], options);
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout);
}

test('npm argon2 0.45 and we verify each other’s digests, though it orders costs otherwise', async (t) => {
  const cases = CASES.flatMap((options) => [0x10, 0x13].map((version) => ({ ...options, version })));
  const calls = cases.map((options) => ['hash', PASSWORD, { ...options, type: options.number }]);
  const theirs = newestNpm(t, calls);
  if (theirs === undefined) return;
  for (const [index, digest] of theirs.entries()) {
    const { secret } = cases[index];
    assert.match(digest, /\$m=\d+,p=\d+,t=\d+[$,]/);
    assert.equal(await verify(digest, PASSWORD, { secret }), true, digest);
    assert.equal(await verify(digest, `${PASSWORD}!`, { secret }), false, digest);
    assert.equal(await npm.verify(digest, PASSWORD, { secret }), true, digest);
  }

  const ours = cases.map(({ number, ...options }) => hashSync(PASSWORD, options));
  for (const digest of ours) assert.match(digest, /\$m=\d+,t=\d+,p=\d+[$,]/);
  const verified = newestNpm(
    t,
    ours.flatMap((digest, index) => {
      const { secret } = cases[index];
      return [PASSWORD, 'another'].map((password) => ['verify', digest, password, { secret }]);
    }),
  );
  assert.deepEqual(verified, ours.flatMap(() => [true, false]));
});

test('the digests that npm argon2 makes of fractions verify as there, and are due for a rehash', async (t) => {
  const cases = [{ memoryCost: 2 ** 15.5 }, { timeCost: 2.5 }, { parallelism: 1.5 }, { memoryCost: 64.9 }];
  const all = cases.map((costs) => ({ memoryCost: 64, timeCost: 1, parallelism: 1, ...costs }));
  const newest = newestNpm(t, all.map((costs) => ['hash', PASSWORD, costs])) ?? [];
  const made = await Promise.all(all.map((costs) => npm.hash(PASSWORD, costs)));
  for (const digest of [...made, ...newest]) {
    assert.match(digest, /=\d+\.\d/);
    assert.equal(await verify(digest, PASSWORD), true, digest);
    assert.equal(await verify(digest, `${PASSWORD}!`), false, digest);
    const { memoryCost, timeCost, parallelism } = parseHash(digest);
    const same = { memoryCost, timeCost, parallelism };
    assert.equal(needsRehash(digest, same), true, digest);
    assert.equal(needsRehash(hashSync(PASSWORD, same), same), false, digest);
  }
});

test('argon2-cffi refuses the digests of npm argon2 0.45 until their costs are in order', (t) => {
  const python = peers.argon2Cffi(t);
  const [theirs] = newestNpm(t, [['hash', PASSWORD, COSTS]]) ?? [];
  if (python === undefined || theirs === undefined) return;
  const reordered = theirs.replace(/\$(m=\d+),(p=\d+),(t=\d+)/, '$$$1,$3,$2');
  const answers = python(
    `
from argon2.low_level import Type, verify_secret
from argon2.exceptions import VerificationError
def check(digest):
    try:
        return verify_secret(digest.encode(), '${PASSWORD}'.encode(), Type.ID)
    except VerificationError as error:
        return str(error)
print(json.dumps([check(digest) for digest in json.load(sys.stdin)]))`,
    [theirs, reordered, hashSync(PASSWORD, COSTS)],
  );
  assert.deepEqual(answers, ['Decoding failed', true, true]);
});

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
