'use strict';

// Hashes that the tools of others make while the test runs: those of the schemes that can be
// enabled match their password, and those of all other schemes match nothing.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { PasswordHasher } = require('@nodesec/native');

const peers = require('../helpers/peers.js');

const PASSWORDS = ['correct horse', 'pässwörd', 'ﬁne ① パスワード', 'x'.repeat(200)];
const LEGACY = ['bcrypt', 'scrypt', 'pbkdf2', 'django', 'werkzeug', 'aspnet', 'better-auth', 'spring'];
const hasher = (legacy) => new PasswordHasher({ profile: 'test', legacy });

/** Each hash matches its password only, and no password where its scheme is not enabled. */
async function assertVerifies(scheme, hashes) {
  assert.ok(hashes.length >= PASSWORDS.length);
  const without = hasher(LEGACY.filter((other) => other !== scheme));
  for (const [password, digest] of hashes) {
    const { valid, newDigest } = await hasher([scheme]).verifyAndUpdate(digest, password);
    assert.equal(valid, true, digest);
    assert.match(newDigest, /^\$argon2id\$/);
    assert.equal(await hasher([scheme]).verify(digest, `x${password}`), false, digest);
    assert.equal(await without.verify(digest, password), false, digest);
    assert.deepEqual(await without.verifyAndUpdate(digest, password), { valid: false }, digest);
  }
}

test('the hashes that Werkzeug makes match their password only', async (t) => {
  const python = peers.werkzeug(t);
  if (python === undefined) return;
  const program = `
from werkzeug.security import generate_password_hash
methods = ["scrypt", "scrypt:2048:4:2", "pbkdf2:sha256:1000", "pbkdf2:sha1:1000", "pbkdf2:sha512:1000"]
print(json.dumps([[p, generate_password_hash(p, m)] for p in json.load(sys.stdin) for m in methods]))`;
  await assertVerifies('werkzeug', python(program, PASSWORDS));
});

test('the hashes that Django makes match their password only', async (t) => {
  const python = peers.django(t);
  if (python === undefined) return;
  const program = `
from django.conf import settings
settings.configure()
from django.contrib.auth.hashers import PBKDF2PasswordHasher, PBKDF2SHA1PasswordHasher, ScryptPasswordHasher
made = []
for p in json.load(sys.stdin):
    made.append([p, PBKDF2PasswordHasher().encode(p, "seasalt", 1000)])
    made.append([p, PBKDF2SHA1PasswordHasher().encode(p, "seasalt", 1000)])
    made.append([p, ScryptPasswordHasher().encode(p, "seasalt")])
print(json.dumps(made))`;
  await assertVerifies('django', python(program, PASSWORDS));
});

test('the hashes that Better Auth makes match their password only', async (t) => {
  const file = peers.tool(t, '@better-auth/utils', 'dist/password.node.cjs');
  if (file === undefined) return;
  const { hashPassword } = require(file);
  const made = PASSWORDS.map(async (password) => [password, await hashPassword(password)]);
  await assertVerifies('better-auth', await Promise.all(made));
});

/** Schemes of passlib whose texts say nothing about them: the password itself, or any letters. */
const SHAPELESS = [
  'bigcrypt',
  'cisco_asa',
  'cisco_pix',
  'cisco_type7',
  'crypt16',
  'ldap_plaintext',
  'plaintext',
  'roundup_plaintext',
];

test('the hash of every scheme that passlib has matches no password, and is not malformed', async (t) => {
  const python = peers.passlib(t);
  if (python === undefined) return;
  const program = `
import warnings, passlib.hash
warnings.simplefilter("ignore")
made = {}
for name in dir(passlib.hash):
    if name.startswith("_"): continue
    # Some schemes need the name of a user, and bcrypt and Argon2 a package that is not installed.
    try:
        made[name] = getattr(passlib.hash, name).hash("correct horse")
    except (passlib.exc.MissingBackendError, TypeError):
        pass
print(json.dumps(made))`;
  const made = python(program, null);
  const none = hasher([]);
  for (const name of SHAPELESS) {
    await assert.rejects(none.verify(made[name], 'correct horse'), { code: 'ERR_PASSWORD_DIGEST' }, name);
    delete made[name];
  }
  // Argon2 is no other scheme.
  delete made.argon2;
  assert.ok(Object.keys(made).length > 30);
  for (const [name, digest] of Object.entries(made)) {
    assert.equal(await none.verify(digest, 'correct horse'), false, `${name}: ${digest}`);
    assert.equal(none.needsRehash(digest), true, name);
  }
});

test('no password matches that its scheme cannot tell from a shorter one', async () => {
  const bcrypt = '$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW';
  const all = hasher(LEGACY);
  assert.equal(await all.verify(bcrypt, 'U*U'), true);
  for (const padded of ['U*U\0', 'U*U\0U*U', 'U*U\0U*U\0']) {
    assert.deepEqual(await all.verifyAndUpdate(bcrypt, padded), { valid: false }, padded);
  }
});
