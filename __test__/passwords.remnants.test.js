'use strict';

// What is left of a password in the memory of the process that has used it: nothing.

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const { randomBytes } = require('node:crypto');
const { once } = require('node:events');
const path = require('node:path');
const { createInterface } = require('node:readline');
const { test } = require('node:test');

const { hashSync } = require('@nodesec/native');
const { remnants } = require('./helpers/remnants.js');

const ON_LINUX = process.platform === 'linux';
const LENGTH = 192;
const OPTIONS = { memoryCost: 1024, timeCost: 1, parallelism: 2 };

/** Uses the password that it finds in `bytes`, by each call there is. */
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

/** Masked, so that the process holds the password itself only where it makes it. */
const masked = (bytes) => bytes.map((byte) => byte ^ 0x5a).toString('hex');

for (const [what, use] of Object.entries(USES)) {
  test(what, { skip: !ON_LINUX }, async () => {
    const [password, control] = [randomBytes(LENGTH), randomBytes(LENGTH)];
    const digest = hashSync(password, OPTIONS);
    const child = spawn(process.execPath, ['--eval', script(use, { digest, password, control })], {
      cwd: path.join(__dirname, '..'),
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

function script(use, { digest, password, control }) {
  return `
    const { once } = require('node:events');
    const { SecretBuffer, deriveKey, hash, passwordPool, verify, verifySync } =
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
      // The memory of the last hash is wiped after its result has been delivered.
      while (passwordPool.stats().running > 0) await new Promise(setImmediate);
      console.log('used: ' + matches);
    })();
  `;
}
