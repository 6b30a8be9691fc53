'use strict';

// We verify digests of other libraries, they verify ours, and both agree with the reference.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const nodeRs = require('@node-rs/argon2');
const npmArgon2 = require('argon2');
const hashWasm = require('hash-wasm');

const { hash, verify } = require('@nodesec/native');
const reference = require('../vectors/argon2-reference.json').cases;
const rfc9106 = require('../vectors/rfc9106.json').cases;

const COSTS = { memoryCost: 256, timeCost: 2, parallelism: 2 };
const PASSWORD = 'pässword 🐎';
const SECRET = Buffer.from('a pepper of some length');
const TYPES = ['argon2d', 'argon2i', 'argon2id'];

for (const [algorithm, type] of TYPES.entries()) {
  test(`@node-rs/argon2 and we verify each other’s ${type}`, async () => {
    const theirs = await nodeRs.hash(PASSWORD, { ...COSTS, algorithm, secret: SECRET });
    assert.ok(theirs.startsWith(`$${type}$`));
    assert.equal(await verify(theirs, PASSWORD, { secret: SECRET }), true);
    assert.equal(await verify(theirs, `${PASSWORD}!`, { secret: SECRET }), false);
    const ours = await hash(PASSWORD, { ...COSTS, type, secret: SECRET });
    assert.equal(await nodeRs.verify(ours, PASSWORD, { secret: SECRET }), true);
    assert.equal(await nodeRs.verify(ours, PASSWORD), false);
  });

  test(`npm argon2 and we verify each other’s ${type} with more data than the crate takes`, async () => {
    const options = { ...COSTS, secret: SECRET, associatedData: Buffer.alloc(300, 'data') };
    const theirs = await npmArgon2.hash(PASSWORD, { ...options, type: algorithm });
    assert.ok(theirs.startsWith(`$${type}$`));
    assert.equal(await verify(theirs, PASSWORD, { secret: SECRET }), true);
    assert.equal(await verify(theirs, `${PASSWORD}!`, { secret: SECRET }), false);
    const ours = await hash(PASSWORD, { ...options, type });
    assert.equal(await npmArgon2.verify(ours, PASSWORD, { secret: SECRET }), true);
    assert.equal(await npmArgon2.verify(ours, `${PASSWORD}!`, { secret: SECRET }), false);
  });

  test(`hash-wasm and we verify each other’s ${type}`, async () => {
    const theirs = await hashWasm[type]({
      password: PASSWORD,
      salt: Buffer.from('a salt of my own'),
      secret: SECRET,
      memorySize: COSTS.memoryCost,
      iterations: COSTS.timeCost,
      parallelism: COSTS.parallelism,
      hashLength: 24,
      outputType: 'encoded',
    });
    assert.equal(await verify(theirs, PASSWORD, { secret: SECRET }), true);
    assert.equal(await verify(theirs, `${PASSWORD}!`, { secret: SECRET }), false);
    const ours = await hash(PASSWORD, { ...COSTS, type, secret: SECRET });
    const { argon2Verify } = hashWasm;
    assert.equal(await argon2Verify({ hash: ours, password: PASSWORD, secret: SECRET }), true);
    assert.equal(await argon2Verify({ hash: ours, password: 'x', secret: SECRET }), false);
  });
}

test('the reference’s digests and tags are ours', async () => {
  const bytes = (hex) => Buffer.from(hex, 'hex');
  for (const vector of [...reference, ...rfc9106]) {
    const secret = vector.secret_hex ? bytes(vector.secret_hex) : undefined;
    const tag = await hash(bytes(vector.password_hex), {
      type: vector.type,
      version: vector.version,
      memoryCost: vector.m,
      timeCost: vector.t,
      parallelism: vector.p,
      salt: bytes(vector.salt_hex),
      secret,
      associatedData: bytes(vector.ad_hex),
      hashLength: vector.tag_hex.length / 2,
      raw: true,
    });
    assert.equal(tag.toString('hex'), vector.tag_hex);
    for (const digest of vector.digests ?? []) {
      assert.equal(await verify(digest, bytes(vector.password_hex), { secret }), true, digest);
    }
  }
});
