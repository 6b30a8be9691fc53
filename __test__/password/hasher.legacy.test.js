'use strict';

// Hashes of other schemes: verified if enabled, always due to be replaced, never made.

const assert = require('node:assert/strict');
const { test } = require('node:test');

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

test('bcrypt: what the scheme cut off is part of the new digest', async () => {
  const hasher = new PasswordHasher({ ...POLICY, legacy: ['bcrypt'] });
  const { digest, password_hex } = vectors.find(({ digest }) => digest.includes('abcdefghijklm'));
  const password = Buffer.from(password_hex, 'hex');
  const sibling = Buffer.concat([password.subarray(0, 72), Buffer.from('something else')]);
  assert.equal(await hasher.verify(digest, sibling), true);
  const { newDigest } = await hasher.verifyAndUpdate(digest, password);
  assert.equal(await hasher.verify(newDigest, sibling), false);
  assert.equal(await hasher.verify(newDigest, password), true);
});
