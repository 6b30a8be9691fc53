'use strict';

// Hashes of other schemes: verified where they are asked for, always due, never made.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { PasswordHasher, parseHash } = require('@nodesec/native');
const vectors = require('./vectors/legacy-hashes.json').cases;

const FAMILIES = ['bcrypt', 'scrypt', 'pbkdf2', 'django'];
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
      if (digest.startsWith('$')) {
        assert.equal(await hasher.verify(digest, password), false, digest);
        assert.deepEqual(await hasher.verifyAndUpdate(digest, password), { valid: false });
        assert.equal(hasher.needsRehash(digest), true);
      } else {
        await assert.rejects(hasher.verify(digest, password), { code: 'ERR_PASSWORD_DIGEST' });
      }
    }
  });
}

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
