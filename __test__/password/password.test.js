'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { setImmediate: tick } = require('node:timers/promises');

const {
  SecretBuffer,
  argon2d,
  argon2i,
  argon2id,
  hash,
  hashSync,
  parseHash,
  verify,
  verifySync,
} = require('@nodesec/native');
const { runScript } = require('../helpers/child.js');
const { coded } = require('../helpers/outcome.js');

const FAST = { profile: 'test' };

for (const [what, password, other] of [
  ['text', 'correct horse', 'correct horsf'],
  ['an empty password', '', ' '],
  ['unicode', 'pässwörd 🐎', 'password 🐎'],
  ['NUL bytes', 'a\0b', 'a\0c'],
  ['a replacement character', '\ufffd', '\ufffe'],
  ['4096 bytes', 'x'.repeat(4096), 'x'.repeat(4095)],
]) {
  test(`a digest matches its password only: ${what}`, async () => {
    const digest = await hash(password, FAST);
    assert.equal(await verify(digest, password), true);
    assert.equal(await verify(digest, other), false);
    assert.equal(verifySync(digest, password), true);
    assert.equal(verifySync(digest, other), false);
    const bytes = new TextEncoder().encode(password);
    assert.equal(await verify(hashSync(bytes, FAST), password), true);
    assert.equal(verifySync(digest, bytes), true);
    const secret = SecretBuffer.fromString(password);
    assert.equal(await verify(await hash(secret, FAST), password), true);
    assert.equal(await verify(digest, secret), true);
    assert.equal(verifySync(digest, SecretBuffer.fromString(other)), false);
  });
}

test('two hashes of one password differ', async () => {
  assert.notEqual(await hash('password', FAST), await hash('password', FAST));
});

test('passwords in other normal forms are other passwords', () => {
  assert.equal(verifySync(hashSync('\u00e9', FAST), 'e\u0301'), false);
});

test('a password of over 4096 bytes or of a disposed secret is refused', async () => {
  await assert.rejects(hash('é'.repeat(2049), FAST), coded('ERR_OUT_OF_RANGE'));
  const secret = SecretBuffer.fromString('password');
  secret.dispose();
  await assert.rejects(hash(secret, FAST), coded('ERR_SECRET_DISPOSED'));
});

test('the defaults are the second recommendation of RFC 9106', async () => {
  const form = /^\$argon2id\$v=19\$m=65536,t=3,p=4\$[\w+/]{22}\$[\w+/]{43}$/;
  assert.match(await hash('password'), form);
});

test('options are in the digest', () => {
  const of = (options) => parseHash(hashSync('password', { ...FAST, ...options }));
  assert.deepEqual([argon2d, argon2i, argon2id], [0, 1, 2]);
  for (const [type, name] of [
    [argon2d, 'argon2d'],
    [argon2i, 'argon2i'],
    [argon2id, 'argon2id'],
    ['argon2d', 'argon2d'],
    ['argon2i', 'argon2i'],
  ]) {
    assert.equal(of({ type }).type, name);
  }
  assert.equal(of({ version: 0x10 }).version, 0x10);
  const { memoryCost, timeCost, parallelism } = of({
    memoryCost: 128,
    timeCost: 2,
    parallelism: 3,
  });
  assert.deepEqual([memoryCost, timeCost, parallelism], [128, 2, 3]);
  assert.equal(of({ hashLength: 64 }).hash.length, 64);
  assert.equal(of({ saltLength: 24 }).salt.length, 24);
  const salt = Buffer.from('a salt of my own');
  assert.deepEqual(of({ salt }).salt, salt);
  assert.deepEqual(of({ associatedData: Buffer.from('data') }).associatedData.toString(), 'data');
  assert.equal(of({ profile: 'owasp' }).memoryCost, 19456);
});

test('undefined options are left out, of any name that there is', () => {
  assert.match(hashSync('password', { ...FAST, timeCost: undefined }), /t=1,/);
  assert.throws(
    () => hashSync('password', { memCost: undefined }),
    coded('ERR_UNKNOWN_OPTION'),
  );
});

test('raw gives the tag of the digest', async () => {
  const options = { ...FAST, salt: Buffer.from('somesalt'), hashLength: 24 };
  const tag = await hash('password', { ...options, raw: true });
  assert.ok(Buffer.isBuffer(tag));
  assert.deepEqual(tag, parseHash(hashSync('password', options)).hash);
  assert.deepEqual(hashSync('password', { ...options, raw: true }), tag);
});

test('a digest with a pepper matches with that pepper only', async () => {
  const secret = SecretBuffer.random(32);
  const digest = await hash('password', { ...FAST, secret });
  assert.equal(await verify(digest, 'password', { secret }), true);
  assert.equal(await verify(digest, 'password'), false);
  assert.equal(await verify(digest, 'password', { secret: new Uint8Array(32) }), false);
  const copy = secret.use((bytes) => bytes.slice());
  assert.equal(verifySync(digest, 'password', { secret: copy }), true);
});

test('associated data is in the digest and is verified', async () => {
  const digest = await hash('password', { ...FAST, associatedData: Buffer.from('user 1') });
  assert.equal(await verify(digest, 'password'), true);
  const [data, others] = ['user 1', 'user 2'].map((text) =>
    Buffer.from(text).toString('base64').replace(/=+$/, ''),
  );
  assert.ok(digest.includes(`,data=${data}$`));
  assert.equal(await verify(digest.replace(data, others), 'password'), false);
});

test('associated data is at most 1024 bytes', async () => {
  const options = { ...FAST, associatedData: new Uint8Array(1024) };
  assert.equal(await verify(await hash('password', options), 'password'), true);
  const longer = { ...FAST, associatedData: new Uint8Array(1025) };
  await assert.rejects(hash('password', longer), coded('ERR_OUT_OF_RANGE'));
});

test('lanes that are computed at the same time give the tag that one thread gives', async () => {
  const options = { memoryCost: 65536, timeCost: 2, parallelism: 4, salt: Buffer.from('somesalt') };
  const [alone, ...together] = [
    hashSync('password', options),
    ...(await Promise.all(Array.from({ length: 4 }, () => hash('password', options)))),
  ];
  assert.deepEqual(together, Array(4).fill(alone));
});

for (const engine of ['avx2', 'sse2', 'portable', 'rustcrypto', 'no such engine']) {
  test(`NODESEC_ARGON2=${engine} computes the same digest`, async () => {
    const { stdout, stderr } = await runScript(
      `const { hashSync } = require('@nodesec/native');
       const options = { profile: 'test', type: 'argon2d', salt: Buffer.from('somesalt') };
       console.log(hashSync('password', options), hashSync('password', options));`,
      { env: { NODESEC_ARGON2: engine, NODE_ENV: 'test' } },
    );
    const options = { ...FAST, profile: 'test', type: 'argon2d', salt: Buffer.from('somesalt') };
    const digest = hashSync('password', options);
    assert.equal(stdout, `${digest} ${digest}\n`);
    // A test machine may lack AVX2 or SSE2, so for these a warning is allowed.
    if (engine === 'no such engine') {
      assert.equal(stderr.split('NODESEC_ARGON2_ENGINE').length, 2, stderr);
    } else if (!['avx2', 'sse2'].includes(engine)) {
      assert.equal(stderr, '');
    }
  });
}

test('hashing does not hold up the event loop', async () => {
  const hashing = hash('password', { profile: 'owasp', timeCost: 8 });
  let turns = 0;
  while ((await Promise.race([hashing, tick()])) === undefined) turns += 1;
  // Even if hashing blocked the loop, one turn would pass to deliver the result.
  assert.ok(turns > 2, `${turns} turns`);
});

test('many hashes may be computed at once', async () => {
  const passwords = Array.from({ length: 64 }, (_, index) => `password ${index}`);
  const digests = await Promise.all(passwords.map((password) => hash(password, FAST)));
  const verified = await Promise.all(
    digests.map((digest, index) => verify(digest, passwords[index])),
  );
  assert.ok(verified.every((matches) => matches === true));
});

test('the password may be changed once hash() has been called', async () => {
  const bytes = Buffer.from('password');
  const hashing = hash(bytes, FAST);
  bytes.fill(0);
  assert.equal(await verify(await hashing, 'password'), true);
});

test('the test profile is refused in production', async () => {
  const script = `
    const { hash, hashSync, needsRehash } = require('@nodesec/native');
    const digest = hashSync('password', { profile: 'owasp' });
    const calls = [
      () => hash('password', { profile: 'test' }),
      async () => hashSync('password', { profile: 'test', memoryCost: 65536 }),
      async () => needsRehash(digest, { profile: 'test' }),
    ];
    Promise.allSettled(calls.map((call) => call())).then((results) => {
      console.log(JSON.stringify(results.map(({ reason }) => reason?.code)));
    });
  `;
  const production = await runScript(script, { env: { NODE_ENV: 'production' } });
  assert.deepEqual(JSON.parse(production.stdout), Array(3).fill('ERR_PASSWORD_PROFILE'));
  const development = await runScript(script, { env: { NODE_ENV: 'development' } });
  assert.deepEqual(JSON.parse(development.stdout), [null, null, null]);
});
