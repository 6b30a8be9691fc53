'use strict';

// Hashes that the tools of others make while the test runs: those of the schemes that can be
// enabled match their password, and those of all other schemes match nothing.

const assert = require('node:assert/strict');
const { createHmac, pbkdf2Sync, randomBytes, scryptSync } = require('node:crypto');
const { test } = require('node:test');

const bcrypt = require('bcrypt');

const { PasswordHasher, hashSync } = require('@nodesec/native');

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
    // A new digest would lock out the spelling that Better Auth has hashed.
    const isRespelt = scheme === 'better-auth' && password !== password.normalize('NFKC');
    if (isRespelt) assert.equal(newDigest, undefined, digest);
    else assert.match(newDigest, /^\$argon2id\$/, digest);
    assert.equal(await hasher([scheme]).verify(digest, `y${password}`), false, digest);
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
import bcrypt
from django.contrib.auth.hashers import *
made = []
for p in json.load(sys.stdin):
    made.append([p, PBKDF2PasswordHasher().encode(p, "seasalt", 1000)])
    made.append([p, PBKDF2SHA1PasswordHasher().encode(p, "seasalt", 1000)])
    made.append([p, ScryptPasswordHasher().encode(p, "seasalt")])
    made.append([p, BCryptPasswordHasher().encode(p, bcrypt.gensalt(5))])
    made.append([p, BCryptSHA256PasswordHasher().encode(p, bcrypt.gensalt(5))])
    made.append([p, Argon2PasswordHasher().encode(p, "seasaltseasalt")])
print(json.dumps(made))`;
  await assertVerifies('django', python(program, PASSWORDS));
});

test('the hashes that passlib makes match their password only', async (t) => {
  const python = peers.passlib(t);
  if (python === undefined) return;
  const program = `
import passlib.hash as schemes
cheap = {
    "bcrypt": {"bcrypt": 5, "bcrypt_sha256": 5},
    "scrypt": {"scrypt": 8},
    "pbkdf2": {"pbkdf2_sha1": 1000, "pbkdf2_sha256": 1000, "pbkdf2_sha512": 1000},
    "django": {"django_pbkdf2_sha1": 1000, "django_pbkdf2_sha256": 1000},
}
passwords = json.load(sys.stdin)
made = {
    family: [
        [p, getattr(schemes, name).using(rounds=rounds).hash(p)]
        for name, rounds in names.items()
        for p in passwords
    ]
    for family, names in cheap.items()
}
print(json.dumps(made))`;
  const made = python(program, PASSWORDS);
  for (const [scheme, hashes] of Object.entries(made)) await assertVerifies(scheme, hashes);
});

test('hashes in the layout of ASP.NET Identity match their password only', async () => {
  const [V2, ...V3] = ['sha1', 'sha1', 'sha256', 'sha512'];
  const made = PASSWORDS.flatMap((password) => {
    const salt = randomBytes(16);
    const derived = (iterations, hash) => pbkdf2Sync(password, salt, iterations, 32, hash);
    const version3 = (hash, prf) => {
      const head = Buffer.alloc(13, 1);
      [prf, 10_000, salt.length].forEach((number, index) => head.writeUInt32BE(number, 1 + 4 * index));
      return Buffer.concat([head, salt, derived(10_000, hash)]);
    };
    const version2 = Buffer.concat([Buffer.from([0]), salt, derived(1000, V2)]);
    return [version2, ...V3.map(version3)].map((bytes) => [password, bytes.toString('base64')]);
  });
  await assertVerifies('aspnet', made);
});

test('hashes in the layouts of Spring Security match their password only', async () => {
  const made = PASSWORDS.flatMap((password) => {
    const salt = randomBytes(16);
    const scrypt = (log2N, r, p) => {
      const options = { N: 2 ** log2N, r, p, maxmem: 2 ** 28 };
      const costs = ((log2N << 16) | (r << 8) | p).toString(16);
      const tag = scryptSync(password, salt, 32, options);
      return `$${costs}$${salt.toString('base64')}$${tag.toString('base64')}`;
    };
    const pbkdf2 = (salt, iterations, hash) =>
      salt.toString('hex') + pbkdf2Sync(password, salt, iterations, 32, hash).toString('hex');
    const argon2 = hashSync(password, { memoryCost: 16_384, timeCost: 2, parallelism: 1 });
    return [
      `{scrypt}${scrypt(14, 8, 1)}`,
      `{scrypt@SpringSecurity_v5_8}${scrypt(16, 8, 1)}`,
      `{pbkdf2}${pbkdf2(salt.subarray(8), 185_000, 'sha1')}`,
      `{pbkdf2@SpringSecurity_v5_8}${pbkdf2(salt, 310_000, 'sha256')}`,
      `{argon2}${argon2}`,
      `{argon2@SpringSecurity_v5_8}${argon2}`,
    ].map((digest) => [password, digest]);
  });
  await assertVerifies('spring', made);
});

test('the hashes that Better Auth makes match their password only', async (t) => {
  const file = peers.tool(t, '@better-auth/utils', 'dist/password.node.cjs');
  if (file === undefined) return;
  const { hashPassword } = require(file);
  const made = PASSWORDS.map(async (password) => [password, await hashPassword(password)]);
  await assertVerifies('better-auth', await Promise.all(made));
});

/** bcrypt's Base64 as standard Base64, without padding. */
function standardBase64(text) {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
  const [theirs, standard] = [`./${letters}0123456789`, `${letters}0123456789+/`];
  return [...text].map((letter) => standard[theirs.indexOf(letter)]).join('');
}

test('hashes in the layouts of AdonisJS and WordPress match their password only', async () => {
  const made = [];
  for (const password of PASSWORDS.map((text) => text.slice(0, 60))) {
    const crypt = await bcrypt.hash(password, 4);
    const [salt, tag] = [crypt.slice(7, 29), crypt.slice(29)].map(standardBase64);
    made.push([password, `$bcrypt$v=98$r=4$${salt}$${tag}`]);
    const wordPress = createHmac('sha384', 'wp-sha384').update(password).digest('base64');
    made.push([password, `$wp${(await bcrypt.hash(wordPress, 4)).replace('$2b$', '$2y$')}`]);
  }
  await assertVerifies('bcrypt', made);
});

test('hashes in the layouts of Ory Kratos match their password only', async () => {
  for (const scheme of ['scrypt', 'pbkdf2']) {
    const made = PASSWORDS.flatMap((password) => {
      const salt = randomBytes(16);
      const derived =
        scheme === 'scrypt'
          ? scryptSync(password, salt, 32, { N: 64, r: 8, p: 1 })
          : pbkdf2Sync(password, salt, 1000, 32, 'sha256');
      const costs = scheme === 'scrypt' ? '$scrypt$ln=64,r=8,p=1' : '$pbkdf2-sha256$i=1000,l=32';
      const padded = `${costs}$${salt.toString('base64')}$${derived.toString('base64')}`;
      return [padded, padded.replaceAll(/=+(?=\$|$)/g, '')].map((digest) => [password, digest]);
    });
    await assertVerifies(scheme, made);
  }
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

/** Schemes of passlib that are read if everything is enabled. */
const READ = [
  'bcrypt',
  'bcrypt_sha256',
  'django_argon2',
  'django_bcrypt',
  'django_bcrypt_sha256',
  'django_pbkdf2_sha1',
  'django_pbkdf2_sha256',
  'ldap_bcrypt',
  'pbkdf2_sha1',
  'pbkdf2_sha256',
  'pbkdf2_sha512',
  'scrypt',
];

test('the hash of every scheme that passlib has matches only if it is enabled, and is not malformed', async (t) => {
  const python = peers.passlib(t);
  if (python === undefined) return;
  const program = `
import warnings, passlib.hash
warnings.simplefilter("ignore")
made = {}
for name in dir(passlib.hash):
    if name.startswith("_"): continue
    scheme = getattr(passlib.hash, name)
    more = {word: "name" for word in ("user", "realm") if word in scheme.context_kwds}
    # Some schemes need what Python or the system no longer has.
    try:
        made[name] = scheme.hash("correct horse", **more)
    except passlib.exc.MissingBackendError:
        pass
print(json.dumps(made))`;
  const made = python(program, null);
  const [none, all] = [hasher([]), hasher(LEGACY)];
  for (const name of SHAPELESS) {
    await assert.rejects(none.verify(made[name], 'correct horse'), { code: 'ERR_PASSWORD_DIGEST' }, name);
    delete made[name];
  }
  // Argon2 is no other scheme.
  delete made.argon2;
  assert.ok(Object.keys(made).length > 50);
  for (const [name, digest] of Object.entries(made)) {
    const what = `${name}: ${digest}`;
    assert.equal(await none.verify(digest, 'correct horse'), false, what);
    assert.equal(await all.verify(digest, 'correct horse'), READ.includes(name), what);
    assert.deepEqual([none.needsRehash(digest), all.needsRehash(digest)], [true, true], what);
  }
});

test('no password with NUL bytes matches that its scheme reads as a shorter one', async () => {
  const bcrypt = '$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW';
  const all = hasher(LEGACY);
  assert.equal(await all.verify(bcrypt, 'U*U'), true);
  for (const padded of ['U*U\0', 'U*U\0U*U', 'U*U\0U*U\0']) {
    assert.deepEqual(await all.verifyAndUpdate(bcrypt, padded), { valid: false }, padded);
  }
});
