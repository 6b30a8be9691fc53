'use strict';

// Several copies of the package in one process: the JavaScript is loaded again over the same native
// part, as test runners do, or the package is installed again below a dependency.

const assert = require('node:assert/strict');
const { cpSync, mkdtempSync, rmSync } = require('node:fs');
const { tmpdir } = require('node:os');
const path = require('node:path');
const { test } = require('node:test');

const native = require('@nodesec/native');
const { useEverything } = require('../helpers/everything.js');
const { outcome } = require('../helpers/outcome.js');

function loadAgain() {
  for (const file of Object.keys(require.cache)) {
    if (!file.includes('node_modules') && !file.includes('__test__')) delete require.cache[file];
  }
  return require('@nodesec/native');
}

/** Makes a second installation: another native part, which may have another version. */
function installAgain() {
  const folder = mkdtempSync(path.join(tmpdir(), 'nodesec-copy-'));
  for (const part of ['index.js', 'lib', 'npm', 'package.json']) {
    cpSync(path.join(__dirname, '..', '..', part), path.join(folder, part), { recursive: true });
  }
  // Windows does not allow the removal of a loaded file.
  if (process.platform !== 'win32') {
    process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  }
  return require(folder);
}

const reloaded = loadAgain();
const installed = installAgain();

/** Calls that give objects of one copy to functions of the other. */
function exchange(makers, takers) {
  const key = makers.JwtKey.fromSecret(Buffer.alloc(32, 7), { alg: 'HS256' });
  const ring = new makers.KeyRing({ keys: [key] });
  const secret = makers.SecretBuffer.random(32);
  const revocations = new makers.RevocationList();
  const issuer = new makers.JwtIssuer({ keys: ring, expiresIn: 60 });
  const digest = makers.hashSync('password', { profile: 'test', secret });
  const policy = { keys: key, issuer: false, audience: false, revocations };
  return {
    'a pepper': () => takers.verify(digest, 'password', { secret }),
    'a secret as a key': () => takers.JwtKey.fromSecret(secret, { alg: 'HS256' }),
    'a secret to compare': () => takers.SecretBuffer.random(32).equals(secret),
    'a key in a ring': () => new takers.KeyRing({ keys: [key] }),
    'a ring to sign with': () => new takers.JwtIssuer({ keys: ring, expiresIn: 60 }).sign({}),
    'a list to verify against': () => new takers.JwtVerifier(policy).verify(issuer.sign({})),
    sessions: () => new takers.Sessions({ issuer, revocations }).start('subject'),
  };
}

for (const [name, copy] of Object.entries({ reloaded, installed })) {
  test(`the ${name} copy works, and so does the first one`, async () => {
    assert.notEqual(copy, native);
    assert.deepEqual(Object.keys(copy), Object.keys(native));
    await useEverything(copy);
    await useEverything(native);
  });

  test(`the ${name} copy’s errors are of its own classes`, () => {
    for (const each of [native, copy]) {
      assert.throws(() => each.randomToken(-1), each.ArgumentError);
    }
  });
}

for (const [direction, pair] of [
  ['from the first copy to the other', (copy) => [native, copy]],
  ['from the other copy to the first', (copy) => [copy, native]],
]) {
  test(`objects pass ${direction} where the native part is the same`, async () => {
    for (const [name, call] of Object.entries(exchange(...pair(reloaded)))) {
      assert.ifError((await outcome(call)).error, name);
    }
  });

  test(`objects do not pass ${direction} where it is not`, async () => {
    for (const [name, call] of Object.entries(exchange(...pair(installed)))) {
      const { error } = await outcome(call);
      assert.equal(error?.code, 'ERR_INVALID_ARG_TYPE', name);
    }
  });
}
