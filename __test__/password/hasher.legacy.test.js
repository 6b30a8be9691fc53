'use strict';

// Hashes of other schemes: verified if enabled, always due to be replaced, never made.

const assert = require('node:assert/strict');
const { createHash, scryptSync } = require('node:crypto');
const { test } = require('node:test');

const bcrypt = require('bcrypt');

const { PasswordHasher, hash, parseHash, passwordPool } = require('@nodesec/native');
const vectors = require('../vectors/legacy-hashes.json').cases;

const FAMILIES = [
  'bcrypt',
  'scrypt',
  'pbkdf2',
  'django',
  'werkzeug',
  'aspnet',
  'better-auth',
  'spring',
];
const POLICY = { profile: 'test', peppers: { current: 'k1', keys: { k1: new Uint8Array(16) } } };

const isNormalized = (password) => `${password}` === `${password}`.normalize('NFKC');

for (const family of FAMILIES) {
  const cases = vectors.filter((vector) => vector.family === family);

  test(`${family}: published vectors verify and are replaced`, async () => {
    assert.ok(cases.length > 5);
    const hasher = new PasswordHasher({ ...POLICY, legacy: [family] });
    await Promise.all(
      cases.map(async ({ digest, password_hex, source }) => {
        const what = `${digest} (${source})`;
        const password = Buffer.from(password_hex, 'hex');
        const wrong = Buffer.concat([Buffer.from('x'), password]);
        assert.equal(hasher.needsRehash(digest), true, what);
        assert.equal(await hasher.verify(digest, wrong), false, what);
        assert.deepEqual(await hasher.verifyAndUpdate(digest, wrong), { valid: false }, what);
        const { valid, newDigest } = await hasher.verifyAndUpdate(digest, password);
        assert.equal(valid, true, what);
        if (family === 'better-auth' && !isNormalized(password)) {
          assert.equal(newDigest, undefined, what);
          return;
        }
        assert.equal(parseHash(newDigest).keyid.toString(), 'k1');
        assert.equal(hasher.needsRehash(newDigest), false);
        assert.deepEqual(await hasher.verifyAndUpdate(newDigest, password), { valid: true });
      }),
    );
  });

  test(`${family}: no password matches where it is not asked for`, async () => {
    const others = FAMILIES.filter((other) => other !== family);
    const hasher = new PasswordHasher({ ...POLICY, legacy: others });
    for (const { digest, password_hex } of cases) {
      const password = Buffer.from(password_hex, 'hex');
      assert.equal(await hasher.verify(digest, password), false, digest);
      assert.deepEqual(await hasher.verifyAndUpdate(digest, password), { valid: false }, digest);
      assert.equal(hasher.needsRehash(digest), true, digest);
    }
  });
}

test('no new digest is made of a spelling that locks out the other one', async () => {
  const NFC = 'caf\u00e9';
  const NFD = NFC.normalize('NFD');
  const salt = '0123456789abcdef0123456789abcdef';
  const costs = { N: 16_384, r: 16, p: 1, maxmem: 2 ** 26 };
  const betterAuth = `${salt}:${scryptSync(NFC, salt, 64, costs).toString('hex')}`;
  const wordPress = vectors.find(({ digest }) => digest.startsWith('$wp$2y$'));
  const trimmed = Buffer.from(wordPress.password_hex, 'hex').toString();
  const hasher = new PasswordHasher({ ...POLICY, legacy: ['better-auth', 'bcrypt'] });
  for (const [digest, hashed, others] of [
    [betterAuth, NFC, [NFD]],
    [wordPress.digest, trimmed, [` ${trimmed}`, `${trimmed}\t`, `\n${trimmed}\r\n`]],
  ]) {
    for (const other of others) {
      assert.deepEqual(await hasher.verifyAndUpdate(digest, other), { valid: true }, other);
      assert.equal(await hasher.verify(digest, other), true, other);
    }
    const { valid, newDigest } = await hasher.verifyAndUpdate(digest, hashed);
    assert.equal(valid, true, hashed);
    assert.equal(await hasher.verify(newDigest, hashed), true, hashed);
    assert.equal(await hasher.verify(digest, `${hashed}x`), false, hashed);
  }
  // No white space that PHP's `trim` leaves, and nothing within.
  for (const other of [`${trimmed}\u00a0`, `${trimmed}\f`, trimmed.replace('a', 'a ')]) {
    assert.deepEqual(await hasher.verifyAndUpdate(wordPress.digest, other), { valid: false }, other);
  }
});

test('Meteor: a hash is Django’s bcrypt_sha256 after its name', async () => {
  const sha256 = createHash('sha256').update('pässwörd').digest('hex');
  const meteor = await bcrypt.hash(sha256, 4);
  const hasher = new PasswordHasher({ ...POLICY, legacy: ['django'] });
  assert.equal(await hasher.verify(`bcrypt_sha256$${meteor}`, 'pässwörd'), true);
  assert.equal(await hasher.verify(`bcrypt_sha256$${meteor}`, 'passwörd'), false);
});

test('hashes of other schemes are turned away like any when the queue is full', async () => {
  const hasher = new PasswordHasher({ ...POLICY, legacy: FAMILIES });
  const { threads, maxQueue } = passwordPool.stats();
  passwordPool.configure({ threads: 1, maxQueue: 2 });
  for (const digest of [
    '$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW',
    '$pbkdf2-sha256$i=1000,l=16$c2FsdA$AAAAAAAAAAAAAAAAAAAAAA',
    '$scrypt$ln=4,r=8,p=1$c2FsdA$AAAAAAAAAAAAAAAAAAAAAA',
  ]) {
    while (passwordPool.stats().running > 0) await new Promise(setImmediate);
    // This hash occupies the thread until it is aborted.
    const controller = new AbortController();
    const { signal } = controller;
    const endless = hash('password', { memoryCost: 1024, timeCost: 65536, parallelism: 1, signal });
    const checks = Array.from({ length: 5 }, () => hasher.verify(digest, 'password'));
    controller.abort();
    await assert.rejects(endless, { code: 'ABORT_ERR' });
    const outcomes = await Promise.allSettled(checks);
    const busy = outcomes.filter(({ reason }) => reason?.code === 'ERR_PASSWORD_BUSY');
    assert.equal(busy.length, 3, digest);
    assert.ok(busy.every(({ reason }) => reason.retryAfterMs > 0));
  }
  passwordPool.configure({ threads, maxQueue });
});

test('bcrypt: the bytes that the scheme ignored are part of the new digest', async () => {
  const hasher = new PasswordHasher({ ...POLICY, legacy: ['bcrypt'] });
  const { digest, password_hex } = vectors.find(({ digest }) => digest.includes('abcdefghijklm'));
  const password = Buffer.from(password_hex, 'hex');
  const sibling = Buffer.concat([password.subarray(0, 72), Buffer.from('something else')]);
  assert.equal(await hasher.verify(digest, sibling), true);
  const { newDigest } = await hasher.verifyAndUpdate(digest, password);
  assert.equal(await hasher.verify(newDigest, sibling), false);
  assert.equal(await hasher.verify(newDigest, password), true);
});
