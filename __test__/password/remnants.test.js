'use strict';

// Checks that no part of a password is left in the memory of the process that has used it.

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const { createHash, pbkdf2Sync, randomBytes, scryptSync } = require('node:crypto');
const { once } = require('node:events');
const path = require('node:path');
const { createInterface } = require('node:readline');
const { test } = require('node:test');

const bcrypt = require('bcrypt');

const { hashSync } = require('@nodesec/native');
const { remnants } = require('../helpers/remnants.js');

const ON_LINUX = process.platform === 'linux';
/**
 * One password is longer than the blocks of the hash functions, which then hash it first; the other
 * is shorter.
 */
const [LONG, SHORT] = [192, 48];
const OPTIONS = { memoryCost: 1024, timeCost: 1, parallelism: 2 };

/** Uses the password in `bytes`, through every call that takes one. */
const USES = {
  'verify of a Uint8Array': 'matches = await verify(digest, bytes); bytes.fill(0);',
  'verifySync of a Uint8Array': 'matches = verifySync(digest, bytes); bytes.fill(0);',
  'verify of a SecretBuffer': `
    const secret = SecretBuffer.from(bytes, { wipe: true });
    matches = await verify(digest, secret);
    secret.dispose();`,
  'hash and deriveKey of a Uint8Array': `
    const key = await deriveKey(bytes, Buffer.from('somesalt'), { profile: 'test' });
    matches = typeof (await hash(bytes, { profile: 'test' })) === 'string';
    bytes.fill(0);`,
  'a hash that was called off in the queue': `
    passwordPool.configure({ threads: 1 });
    const running = hash('other', { memoryCost: 8192, timeCost: 64, parallelism: 1 });
    const controller = new AbortController();
    const queued = hash(bytes, { signal: controller.signal });
    bytes.fill(0);
    controller.abort();
    matches = (await queued.catch((error) => error.code)) === 'ABORT_ERR';
    await running;`,
  'a pepper that is a Uint8Array': `
    await verify(digest, 'password', { secret: bytes });
    bytes.fill(0);
    matches = true;`,
};

/** By scheme: a digest of a password, for a PasswordHasher that replaces it. */
const OLD_DIGESTS = {
  argon2: (password) => hashSync(password, OPTIONS),
  bcrypt: (password) => bcrypt.hashSync(password.subarray(0, 72), 4),
  'django bcrypt': (password) =>
    `bcrypt_sha256$${bcrypt.hashSync(createHash('sha256').update(password).digest('hex'), 4)}`,
  scrypt: (password) =>
    `$scrypt$ln=10,r=8,p=1$c2FsdA$${base64(scryptSync(password, 'salt', 32, { N: 1024 }))}`,
  pbkdf2: (password) =>
    `$pbkdf2-sha256$i=1000$c2FsdA$${base64(pbkdf2Sync(password, 'salt', 1000, 32, 'sha256'))}`,
};
const base64 = (bytes) => bytes.toString('base64').replaceAll('=', '');

const HASHER = `new PasswordHasher({
  profile: 'test',
  legacy: ['bcrypt', 'scrypt', 'pbkdf2', 'django'],
})`;

for (const scheme of Object.keys(OLD_DIGESTS)) {
  USES[`PasswordHasher's verify, ${scheme}`] = `
    matches = await ${HASHER}.verify(digest, bytes);
    bytes.fill(0);`;
  USES[`PasswordHasher's verifyAndUpdate, ${scheme}`] = `
    const { valid, newDigest } = await ${HASHER}.verifyAndUpdate(digest, bytes);
    matches = valid && newDigest.startsWith('$argon2id$');
    bytes.fill(0);`;
}

/** Masks bytes, so that the process holds the password only where it unmasks it. */
const masked = (bytes) => bytes.map((byte) => byte ^ 0x5a).toString('hex');

for (const [what, use, length] of Object.entries(USES).flatMap(([what, use]) => [
  [what, use, LONG],
  [what, use, SHORT],
])) {
  test(`nothing is left of a password: ${what} of ${length} bytes`, { skip: !ON_LINUX }, async () => {
    const [password, control] = [withoutNul(length), withoutNul(length)];
    const [, scheme = 'argon2'] = what.match(/^PasswordHasher.*, (.*)/) ?? [];
    const digest = OLD_DIGESTS[scheme](password);
    const child = spawn(process.execPath, ['--eval', script(use, { digest, password, control })], {
      cwd: path.join(__dirname, '..', '..'),
      env: { ...process.env, NODE_OPTIONS: '' },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const lines = createInterface(child.stdout);
    try {
      assert.deepEqual(await once(lines, 'line'), ['made']);
      assert.notDeepEqual(remnants(child.pid, password), [], 'the scanner finds what is there');
      child.stdin.write('go on\n');
      assert.deepEqual(await once(lines, 'line'), ['used: true']);
      assert.notDeepEqual(remnants(child.pid, control), [], 'and still does');
      assert.deepEqual(remnants(child.pid, password), []);
    } finally {
      child.kill('SIGKILL');
    }
  });
}

/** Random bytes without NUL, which no password for bcrypt may contain. */
function withoutNul(length) {
  return randomBytes(length).map((byte) => byte || 1);
}

function script(use, { digest, password, control }) {
  return `
    const { once } = require('node:events');
    const { PasswordHasher, SecretBuffer, deriveKey, hash, passwordPool, verify, verifySync } =
      require('@nodesec/native');
    const unmasked = (hex) => {
      const bytes = new Uint8Array(new ArrayBuffer(hex.length / 2));
      for (let at = 0; at < bytes.length; at += 1) {
        bytes[at] = parseInt(hex.slice(2 * at, 2 * at + 2), 16) ^ 0x5a;
      }
      return bytes;
    };
    const digest = '${digest}';
    (async () => {
      const bytes = unmasked('${masked(password)}');
      globalThis.control = unmasked('${masked(control)}');
      console.log('made');
      await once(process.stdin, 'data');
      let matches;
      ${use}
      console.log('used: ' + matches);
    })();
  `;
}
