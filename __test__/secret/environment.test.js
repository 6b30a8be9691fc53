'use strict';

// Secrets from environment variables, and their remains there.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { SecretBuffer } = require('@nodesec/native');
const { runScript } = require('../helpers/child.js');
const { coded } = require('../helpers/outcome.js');

const NAME = 'NODESEC_TEST_SECRET';
// Windows accepts at most 32766 characters.
const LONG = process.platform === 'win32' ? 32_766 : 100_000;

function take(value, options) {
  process.env[NAME] = value;
  return SecretBuffer.fromEnv(NAME, options).use((bytes) => Buffer.from(bytes));
}

test('a variable is decoded as its encoding says', () => {
  for (const [value, encoding, expected] of [
    ['pässwörd\n', undefined, Buffer.from('pässwörd\n')],
    ['pässwörd', 'utf8', Buffer.from('pässwörd')],
    ['00ffC0fe', 'hex', Buffer.from([0, 255, 0xc0, 0xfe])],
    ['+/8=', 'base64', Buffer.from([0xfb, 0xff])],
    ['-_8', 'base64url', Buffer.from([0xfb, 0xff])],
    ['x'.repeat(LONG), 'utf8', Buffer.alloc(LONG, 'x')],
  ]) {
    assert.deepEqual(take(value, { encoding }), expected);
    assert.equal(NAME in process.env, false);
    assert.equal(process.env[NAME], undefined);
  }
});

test('wipe: false leaves the variable', () => {
  assert.deepEqual(take('secret', { wipe: false }), Buffer.from('secret'));
  assert.equal(process.env[NAME], 'secret');
  delete process.env[NAME];
});

test('a variable that is missing or empty is refused', () => {
  delete process.env[NAME];
  assert.throws(() => SecretBuffer.fromEnv(NAME), coded('ERR_SECRET_ENV', { name: 'SecretError' }));
  assert.throws(() => take(''), coded('ERR_SECRET_ENV'));
  for (const name of ['A=B', 'A\0B']) {
    assert.throws(() => SecretBuffer.fromEnv(name), coded('ERR_INVALID_ARG_VALUE'));
  }
  assert.throws(() => SecretBuffer.fromEnv('x'.repeat(257)), coded('ERR_OUT_OF_RANGE'));
});

test('a call that fails leaves the variable', () => {
  assert.throws(() => take('not hex', { encoding: 'hex' }), coded('ERR_SECRET_ENV'));
  assert.throws(() => SecretBuffer.fromEnv(NAME, { encodings: 'hex' }), coded('ERR_UNKNOWN_OPTION'));
  assert.equal(process.env[NAME], 'not hex');
});

test('a copy in the place of process.env loses the variable, too', async () => {
  const { code, stderr } = await runScript(
    `
    const assert = require('node:assert');
    const { SecretBuffer } = require('@nodesec/native');
    process.env = { ...process.env };
    assert.ok(SecretBuffer.fromEnv('${NAME}').equals(Buffer.from('secret')));
    assert.equal('${NAME}' in process.env, false);
    `,
    { env: { [NAME]: 'secret' } },
  );
  assert.equal(stderr, '');
  assert.equal(code, 0);
});

test('a copy that cannot be changed does not cost the secret', async () => {
  const { code, stderr } = await runScript(
    `
    const { SecretBuffer } = require('@nodesec/native');
    process.env = Object.freeze({ ...process.env });
    require('node:assert').ok(SecretBuffer.fromEnv('${NAME}').equals(Buffer.from('secret')));
    `,
    { env: { [NAME]: 'secret' } },
  );
  assert.equal(stderr, '');
  assert.equal(code, 0);
});

test('a worker thread is refused', async () => {
  const { code, stderr } = await runScript(
    `
    const assert = require('node:assert');
    const { Worker } = require('node:worker_threads');
    const { SecretBuffer } = require('@nodesec/native');
    new Worker(
      \`
        const { SecretBuffer } = require('@nodesec/native');
        require('node:assert').throws(() => SecretBuffer.fromEnv('${NAME}'), {
          name: 'SecretError',
          code: 'ERR_SECRET_ENV',
        });
      \`,
      { eval: true },
    ).once('exit', (code) => {
      assert.equal(code, 0);
      assert.equal(SecretBuffer.fromEnv('${NAME}').byteLength, 6);
    });
    `,
    { env: { [NAME]: 'secret' } },
  );
  assert.equal(stderr, '');
  assert.equal(code, 0);
});

if (process.platform === 'linux') {
  test('the kernel has it no more, and neither do children', async () => {
    const { code, stdout, stderr } = await runScript(
      `
      const { execFileSync } = require('node:child_process');
      const { readFileSync } = require('node:fs');
      const { SecretBuffer } = require('@nodesec/native');
      const look = () => {
        const environ = readFileSync('/proc/self/environ', 'latin1');
        const child = execFileSync('env', { encoding: 'latin1' });
        console.log(environ.includes('sesame-' + 'open'), child.includes('sesame-' + 'open'));
      };
      look();
      SecretBuffer.fromEnv('${NAME}');
      look();
      `,
      { env: { [NAME]: 'sesame-open' } },
    );
    assert.equal(code, 0, stderr);
    assert.equal(stdout, 'true true\nfalse false\n');
  });
}
