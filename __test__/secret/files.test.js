'use strict';

// Secrets in files: how contents are read, and which files are refused.

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const net = require('node:net');
const { tmpdir } = require('node:os');
const path = require('node:path');
const { after, test } = require('node:test');

const { SecretBuffer } = require('@nodesec/native');
const { runScript } = require('../helpers/child.js');
const { coded } = require('../helpers/outcome.js');

const folder = fs.mkdtempSync(path.join(tmpdir(), 'nodesec-files-'));
after(() => fs.rmSync(folder, { recursive: true, force: true }));

let count = 0;

/** Creates a file that only its owner may read, unless `mode` says otherwise. */
function fileOf(content, mode = 0o600) {
  const file = path.join(folder, `secret-${count++}`);
  fs.writeFileSync(file, content);
  // The mode is not given to writeFile, because the umask would reduce it.
  fs.chmodSync(file, mode);
  return file;
}

const read = (content, options) =>
  SecretBuffer.fromFile(fileOf(content), options).use((bytes) => Buffer.from(bytes));

test('a file is decoded as its options say', () => {
  for (const [content, options, expected] of [
    [Buffer.from([0, 255, 10]), undefined, Buffer.from([0, 255, 10])],
    ['line\n', { encoding: 'raw' }, Buffer.from('line\n')],
    ['line\n', { trim: true }, Buffer.from('line')],
    ['pässwörd\r\n', { encoding: 'utf8' }, Buffer.from('pässwörd')],
    ['two\n\n', { encoding: 'utf8' }, Buffer.from('two\n')],
    ['line\n', { encoding: 'utf8', trim: false }, Buffer.from('line\n')],
    ['00ffC0fe\n', { encoding: 'hex' }, Buffer.from([0, 255, 0xc0, 0xfe])],
    ['+/8=\n', { encoding: 'base64' }, Buffer.from([0xfb, 0xff])],
    ['-_8', { encoding: 'base64url' }, Buffer.from([0xfb, 0xff])],
  ]) {
    assert.deepEqual(read(content, options), expected);
  }
});

test('content that is not of the encoding is refused', () => {
  for (const [content, options] of [
    [Buffer.from([0xff]), { encoding: 'utf8' }],
    ['0g', { encoding: 'hex' }],
    ['00\n', { encoding: 'hex', trim: false }],
    ['00\n\n', { encoding: 'hex' }],
    ['00 # a comment', { encoding: 'hex' }],
    ['\n', { encoding: 'utf8' }],
    ['', undefined],
  ]) {
    assert.throws(() => read(content, options), coded('ERR_SECRET_FILE', { name: 'SecretError' }));
  }
});

test('a file has at most maxBytes', () => {
  assert.equal(read(Buffer.alloc(65536, 1)).length, 65536);
  assert.throws(() => read(Buffer.alloc(65537, 1)), coded('ERR_SECRET_FILE'));
  assert.equal(read(Buffer.alloc(1 << 20, 1), { maxBytes: 1 << 20 }).length, 1 << 20);
  assert.throws(() => read('12345', { maxBytes: 4 }), coded('ERR_SECRET_FILE'));
  for (const maxBytes of [0, (1 << 20) + 1]) {
    assert.throws(() => read('1', { maxBytes }), coded('ERR_OUT_OF_RANGE'));
  }
});

test('a path without a file is refused and not quoted', () => {
  const missing = path.join(folder, 'missing');
  for (const file of [missing, folder]) {
    assert.throws(
      () => SecretBuffer.fromFile(file),
      (error) => coded('ERR_SECRET_FILE')(error) && !error.message.includes(folder),
    );
  }
  assert.throws(() => SecretBuffer.fromFile('a\0b'), coded('ERR_INVALID_ARG_VALUE'));
  assert.throws(() => SecretBuffer.fromFile('x'.repeat(4097)), coded('ERR_OUT_OF_RANGE'));
});

if (process.platform !== 'win32') {
  test('a file that others may read or write is refused', () => {
    for (const mode of [0o640, 0o604, 0o620, 0o602, 0o644, 0o666]) {
      const file = fileOf('secret', mode);
      const refused = coded('ERR_SECRET_PERMISSIONS', { name: 'SecretError' });
      assert.throws(
        () => SecretBuffer.fromFile(file),
        (error) => refused(error) && error.message.includes('chmod 600'),
      );
      assert.equal(SecretBuffer.fromFile(file, { allowInsecure: true }).byteLength, 6);
    }
    for (const mode of [0o600, 0o400, 0o700, 0o711]) {
      assert.equal(SecretBuffer.fromFile(fileOf('secret', mode)).byteLength, 6);
    }
  });

  test('links are followed, and what they lead to is checked', () => {
    const link = path.join(folder, 'link');
    fs.symlinkSync(fileOf('secret'), link);
    assert.equal(SecretBuffer.fromFile(link).byteLength, 6);
    fs.rmSync(link);
    fs.symlinkSync(fileOf('secret', 0o644), link);
    assert.throws(() => SecretBuffer.fromFile(link), coded('ERR_SECRET_PERMISSIONS'));
  });

  if (process.getuid() === 0) {
    test('a file of another user is refused', () => {
      const [theirs, rootsOwn] = [fileOf('secret'), fileOf('secret')];
      fs.chownSync(theirs, 65534, 65534);
      const refused = coded('ERR_SECRET_PERMISSIONS', { name: 'SecretError' });
      assert.throws(
        () => SecretBuffer.fromFile(theirs),
        (error) => refused(error) && error.message.includes('chown'),
      );
      assert.equal(SecretBuffer.fromFile(theirs, { allowInsecure: true }).byteLength, 6);
      assert.equal(SecretBuffer.fromFile(rootsOwn).byteLength, 6);
    });
  }

  test('a pipe without a writer is refused, not waited for', () => {
    const pipe = path.join(folder, 'pipe');
    execFileSync('mkfifo', ['-m', '600', pipe]);
    assert.throws(() => SecretBuffer.fromFile(pipe), coded('ERR_SECRET_FILE'));
    assert.throws(() => SecretBuffer.fromFile('/dev/zero'), coded('ERR_SECRET_FILE'));
  });

  test('a file that is not regular is not opened', async () => {
    const server = net.createServer().listen(path.join(folder, 'socket'));
    await once(server, 'listening');
    // Opening a socket would fail with an error of the system.
    assert.throws(
      () => SecretBuffer.fromFile(server.address()),
      (error) => coded('ERR_SECRET_FILE')(error) && error.message.includes('not a regular file'),
    );
    server.close();
  });
}

test('the permission model is asked', async () => {
  const allowed = fs.mkdtempSync(path.join(folder, 'allowed-'));
  const inside = path.join(allowed, 'secret');
  fs.writeFileSync(inside, 'secret', { mode: 0o600 });
  const elsewhere = fs.mkdtempSync(path.join(folder, 'elsewhere-'));
  fs.writeFileSync(path.join(elsewhere, 'secret'), 'not to be read', { mode: 0o600 });
  fs.mkdirSync(path.join(elsewhere, 'room'));
  const door = path.join(allowed, 'door');
  // Windows resolves `..` by the text, and wine makes no links.
  if (process.platform === 'win32') fs.mkdirSync(door);
  else fs.symlinkSync(path.join(elsewhere, 'room'), door);
  const modern = process.allowedNodeEnvironmentFlags.has('--permission');
  const { code, stdout, stderr } = await runScript(
    `
    const { SecretBuffer } = require('@nodesec/native');
    const { DOOR, INSIDE, OUTSIDE } = process.env;
    console.log(SecretBuffer.fromFile(INSIDE).byteLength);
    // The file that was asked about is read, and not the one that the kernel finds by this path.
    console.log(SecretBuffer.fromFile(DOOR + '/../secret').byteLength);
    for (const file of [OUTSIDE, INSIDE + '/../../' + OUTSIDE.split('/').pop()]) {
      try {
        SecretBuffer.fromFile(file);
      } catch (error) {
        console.log(error.name, error.code, error.permission, error.resource === file);
      }
    }
    `,
    {
      flags: [
        modern ? '--permission' : '--experimental-permission',
        '--allow-addons',
        `--allow-fs-read=${path.join(__dirname, '..', '..')}/*`,
        `--allow-fs-read=${allowed}/*`,
      ],
      env: { DOOR: door, INSIDE: inside, OUTSIDE: fileOf('secret') },
    },
  );
  assert.equal(code, 0, stderr);
  const denied = 'SecretError ERR_ACCESS_DENIED FileSystemRead true';
  assert.deepEqual(stdout.trim().split('\n'), ['6', '6', denied, denied]);
});
