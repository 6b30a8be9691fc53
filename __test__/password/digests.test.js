'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');

const {
  PasswordHasher,
  hashSync,
  needsRehash,
  parseHash,
  passwordPool,
  verify,
  verifySync,
} = require('@nodesec/native');
const compatible = require('@nodesec/native/argon2');

const { coded } = require('../helpers/outcome.js');

const FAST = { profile: 'test' };
const DIGEST = hashSync('password', FAST);
const SALT = 'c29tZXNhbHQ';
const TAG = 'AAAAAAAAAAAAAAAAAAAAAA';

const FOREIGN = [
  '$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW',
  '$2y$05$abcdefghijklmnopqrstuuSu0cQg5Nd3TL3GOK1D9pWuZdR1oK7MK',
  '$scrypt$ln=16,r=8,p=1$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAA',
  '$pbkdf2-sha256$29000$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAA',
  '$6$rounds=5000$saltsalt$AAAA',
  '$P$Bsaltsalt0000000000000000000000',
  '$argon2$v=19$m=64,t=1,p=1$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAA',
  'pbkdf2_sha256$1000$seasalt$AAAAAAAAAAAAAAAAAAAAAA==',
  '{bcrypt}$2a$10$dXJ3SW6G7P50lGmMkkmwe.20cQQubK3.HZWzG3YB1tlRy.fqvM/BG',
  '5f4dcc3b5aa765d61d8327deb882cf99',
  '!',
  '#jbcrypt:$2a$10$dXJ3SW6G7P50lGmMkkmwe.20cQQubK3.HZWzG3YB1tlRy.fqvM/BG',
  '$HMACSHA512:210000:30f9e0a5470a8bc67f128ca1aae25dd4$88abaca4f442caeff0096ec0f75df2d7',
  'XohImNooBHFR0OVvjcYpJ3NgPQ1qq73WKhHvch0VQtg',
  'md5$sä lt$5f4dcc3b5aa765d61d8327deb882cf99',
  '5f4dcc3b5aa765d61d8327deb882cf99{salt}',
];

const MALFORMED = [
  '',
  '$',
  'password',
  '$argon2id',
  '$argon2id$',
  DIGEST.slice(1),
  `${DIGEST} `,
  ` ${DIGEST}`,
  `${DIGEST}\n`,
  `${DIGEST}$`,
  `${DIGEST}\0x`,
  `\0${DIGEST}`,
  `${DIGEST}é`,
  DIGEST.slice(0, DIGEST.lastIndexOf('$')),
  DIGEST.replace('v=19', 'v=18'),
  DIGEST.replace('v=19', 'v=019'),
  DIGEST.replace('v=19', 'v='),
  DIGEST.replace('m=64', 'm=064'),
  DIGEST.replace('m=64', 'm=+64'),
  DIGEST.replace('m=64', 'm=-64'),
  DIGEST.replace('m=64', 'm=6.4e1'),
  DIGEST.replace('m=64', 'm=64.0'),
  DIGEST.replace('v=19', 'v=19.5'),
  DIGEST.replace('m=64', 'm=4294967296'),
  DIGEST.replace('m=64', 'm=7'),
  DIGEST.replace('t=1', 't=0'),
  DIGEST.replace('p=1', 'p=0'),
  DIGEST.replace('p=1', 'p=9'),
  DIGEST.replace('p=1', 'p=16777216'),
  DIGEST.replace('m=64,', ''),
  DIGEST.replace('m=64', 'm=64,m=64'),
  DIGEST.replace('p=1', 'p=1,x=1'),
  DIGEST.replace('p=1', 'p=1,keyid='),
  DIGEST.replace('p=1', 'p=1,keyid=AAAAAAAAAAAAAAAA'),
  `${DIGEST}=`,
  // The last character sets bits that belong to no byte.
  `$argon2id$v=19$m=64,t=1,p=1$${SALT}$AAAAAAAAAAAAAAAAAAAAAB`,
  `$argon2id$v=19$m=64,t=1,p=1$c2FsdA$${TAG}`,
  `$argon2id$v=19$m=64,t=1,p=1$${SALT}$AAAA`,
  `$argon2id$v=19$m=64,t=1,p=1$${SALT}$${'A'.repeat(5000)}`,
];

test('another scheme’s hash matches nothing and asks to be replaced', async () => {
  for (const digest of FOREIGN) {
    assert.equal(await verify(digest, 'password'), false, digest);
    assert.equal(verifySync(digest, 'password'), false, digest);
    assert.equal(needsRehash(digest, FAST), true, digest);
    assert.throws(() => parseHash(digest), coded('ERR_PASSWORD_DIGEST'), digest);
  }
});

test('the work for another scheme’s hash stays within the limits and the budget', async () => {
  const { maxMemory } = passwordPool.stats();
  // The default costs take 64 MiB.
  passwordPool.configure({ maxMemory: 2 ** 21 });
  const within = { limits: { memoryCost: 1024 } };
  try {
    for (const digest of FOREIGN) {
      assert.equal(await verify(digest, 'password', within), false, digest);
      assert.equal(verifySync(digest, 'password', within), false, digest);
      await assert.rejects(verify(digest, 'password'), coded('ERR_PASSWORD_MEMORY'), digest);
    }
  } finally {
    passwordPool.configure({ maxMemory });
  }
});

test('NUL bytes at the end of a digest, as libsodium writes them, are left out', async () => {
  const padded = DIGEST.padEnd(128, '\0');
  assert.equal(await verify(padded, 'password'), true);
  assert.equal(verifySync(padded, 'Password'), false);
  assert.deepEqual(parseHash(padded), parseHash(DIGEST));
  assert.equal(needsRehash(padded, FAST), false);
});

test('a malformed digest is refused', async () => {
  for (const digest of MALFORMED) {
    await assert.rejects(verify(digest, 'password'), coded('ERR_PASSWORD_DIGEST'), digest);
    assert.throws(() => verifySync(digest, 'password'), coded('ERR_PASSWORD_DIGEST'), digest);
    assert.throws(() => needsRehash(digest, FAST), coded('ERR_PASSWORD_DIGEST'), digest);
    assert.throws(() => parseHash(digest), coded('ERR_PASSWORD_DIGEST'), digest);
  }
});

test('fractions of costs are cut off, and always ask to be replaced', async () => {
  for (const costs of ['m=64.5,t=1,p=1', 'm=64,t=1.25,p=1', 'p=1.9999999999999998,m=64,t=1']) {
    const digest = DIGEST.replace('m=64,t=1,p=1', costs);
    assert.equal(await verify(digest, 'password'), true, costs);
    assert.equal(await verify(digest, 'Password'), false, costs);
    assert.equal(needsRehash(digest, FAST), true, costs);
    assert.equal(needsRehash(digest, { ...FAST, policy: 'atLeast' }), true, costs);
    assert.deepEqual(parseHash(digest), parseHash(DIGEST), costs);
    const hasher = new PasswordHasher(FAST);
    assert.equal(await hasher.verify(digest, 'password'), true, costs);
    assert.equal(hasher.needsRehash(digest), true, costs);
    const { newDigest } = await hasher.verifyAndUpdate(digest, 'password');
    assert.match(newDigest, /\$m=64,t=1,p=1\$/, costs);
    assert.equal(compatible.needsRehash(digest, { memoryCost: 64, timeCost: 1, parallelism: 1 }), true);
  }
  const beyond = DIGEST.replace('m=64', 'm=1048577.5');
  await assert.rejects(verify(beyond, 'password'), coded('ERR_PASSWORD_LIMIT'));
});

test('a digest beyond the limits of length is told from a malformed one', () => {
  const long = 'A'.repeat(1400);
  const ofSalt = DIGEST.replace(/\$[^$]+(?=\$[^$]+$)/, `$${long}`);
  const ofHash = DIGEST.replace(/\$[^$]+$/, `$${long}`);
  for (const digest of [ofSalt, ofHash, `${DIGEST}${'A'.repeat(4096)}`]) {
    const expected = { code: 'ERR_PASSWORD_DIGEST', message: /beyond the limits of this package/ };
    assert.throws(() => verifySync(digest, 'password'), expected);
  }
});

test('an error does not repeat the digest', () => {
  assert.throws(
    () => verifySync(`$argon2id$v=19$m=64,t=1,p=1$${SALT}$${TAG}!`, 'password'),
    ({ message }) => !message.includes(SALT) && !message.includes(TAG),
  );
});

test('digests that ask for too much are refused before anything is done', async () => {
  for (const costs of [
    'm=4294967295,t=1,p=1',
    'm=1048577,t=1,p=1',
    'm=64,t=4294967295,p=1',
    'm=64,t=65,p=1',
    'm=134217720,t=1,p=16777215',
    'm=1024,t=1,p=65',
  ]) {
    const digest = `$argon2id$v=19$${costs}$${SALT}$${TAG}`;
    await assert.rejects(verify(digest, 'password'), coded('ERR_PASSWORD_LIMIT'), costs);
    assert.throws(() => verifySync(digest, 'password'), coded('ERR_PASSWORD_LIMIT'), costs);
    assert.equal(needsRehash(digest, FAST), true);
    assert.equal(parseHash(digest).type, 'argon2id');
  }
});

test('a caller may set ceilings', async () => {
  const digest = hashSync('password', { memoryCost: 256, timeCost: 2, parallelism: 2 });
  const limits = { memoryCost: 256, timeCost: 2, parallelism: 2, work: 512 };
  assert.equal(await verify(digest, 'password', { limits }), true);
  for (const limits of [{ memoryCost: 255 }, { timeCost: 1 }, { parallelism: 1 }, { work: 511 }]) {
    await assert.rejects(verify(digest, 'password', { limits }), coded('ERR_PASSWORD_LIMIT'));
  }
});

test('parameters are read in any order and written in one', () => {
  assert.match(DIGEST, /^\$argon2id\$v=19\$m=64,t=1,p=1\$/);
  for (const costs of ['t=1,m=64,p=1', 'p=1,t=1,m=64', 't=1,p=1,m=64']) {
    const shuffled = DIGEST.replace('m=64,t=1,p=1', costs);
    assert.equal(verifySync(shuffled, 'password'), true);
    assert.equal(verifySync(shuffled, 'Password'), false);
    assert.equal(needsRehash(shuffled, FAST), false);
    assert.deepEqual(parseHash(shuffled), parseHash(DIGEST));
  }
});

test('parseHash gives every part of a digest', () => {
  const digest = `$argon2d$v=16$m=256,t=2,p=1,keyid=a2V5,data=ZGF0YQ$${SALT}$${TAG}`;
  assert.deepEqual(parseHash(digest), {
    type: 'argon2d',
    version: 0x10,
    memoryCost: 256,
    timeCost: 2,
    parallelism: 1,
    keyid: Buffer.from('key'),
    associatedData: Buffer.from('data'),
    salt: Buffer.from('somesalt'),
    hash: Buffer.alloc(16),
  });
  const { keyid, associatedData } = parseHash(DIGEST);
  assert.deepEqual([keyid, associatedData], [undefined, undefined]);
  assert.equal(parseHash(DIGEST.replace('$v=19', '')).version, 0x10);
});

test('needsRehash is true for anything that differs', () => {
  assert.equal(needsRehash(DIGEST, FAST), false);
  assert.equal(needsRehash(DIGEST), true);
  for (const option of [
    { type: 'argon2i' },
    { version: 0x10 },
    { memoryCost: 65 },
    { memoryCost: 63 },
    { timeCost: 2 },
    { parallelism: 2 },
    { hashLength: 33 },
    { saltLength: 17 },
    { profile: 'owasp' },
  ]) {
    assert.equal(needsRehash(DIGEST, { ...FAST, ...option }), true, JSON.stringify(option));
    const made = hashSync('password', { ...FAST, ...option });
    assert.equal(needsRehash(made, { ...FAST, ...option }), false, JSON.stringify(option));
  }
  assert.equal(needsRehash(DIGEST.replace('$v=19', ''), FAST), true);
});
