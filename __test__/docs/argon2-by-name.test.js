'use strict';

// @nodesec/native/argon2 in the place of npm `argon2`: the same calls have the same outcomes, apart
// from the rows of a table in docs/migrating.md. It has no row without a difference.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const { readFileSync } = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');

const argon2 = require('@nodesec/native/argon2');
const { CALLS } = require('../helpers/argon2-calls.js');
const peers = require('../helpers/peers.js');

const ROOT = path.join(__dirname, '..', '..');
const ORDER = 'the parameters of a digest';

/** The outcomes of all calls, of a package in a version of Node that can load each. */
function outcomes(node, name) {
  const program = path.join(ROOT, '__test__', 'helpers', 'argon2-calls.js');
  const { status, stdout, stderr } = spawnSync(node, [program, name], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout);
}

/** The rows of the table for the calls that differ: `[call, there, here]`. */
function differences(theirs, ours) {
  return Object.keys(CALLS)
    .filter((name) => !isSame(theirs[name], ours[name]))
    .map((name) => [name, brief(theirs[name]), brief(ours[name])]);
}

/** An error may be of a subclass: `catch` and `instanceof` then find the class that they expect. */
function isSame(theirs, ours) {
  if (theirs.classes === undefined) {
    return JSON.stringify(theirs).replace(/m=(\d+),p=(\d+),t=(\d+)/, 'm=$1,t=$3,p=$2') ===
      JSON.stringify(ours);
  }
  const [Class] = theirs.classes;
  const hasCode = theirs.code === undefined || theirs.code === ours.code;
  return ours.classes !== undefined && ours.classes.includes(Class) && hasCode;
}

function brief({ value, classes, code }) {
  if (classes !== undefined) return `\`${classes[0]}\`${code ? `, \`${code}\`` : ''}`;
  return String(value).startsWith('$argon2') ? 'a digest' : `\`${value}\``;
}

/** The rows of the guide. */
function rows() {
  const guide = readFileSync(path.join(ROOT, 'docs', 'migrating.md'), 'utf8');
  const [, section] = /## From npm `argon2`, by its name\n([^]*?)\n## /.exec(guide);
  const cells = [...section.matchAll(/^\| (.+?) \| (.+?) \| (.+?) \|$/gm)];
  return cells.slice(1).map(([, ...row]) => row);
}

test('docs/migrating.md names every difference from npm argon2 0.45, and no other', (t) => {
  const [node, theirs] = [peers.node24(t), peers.argon2v45(t)];
  if (node === undefined || theirs === undefined) return;
  const ours = outcomes(node, '@nodesec/native/argon2');
  assert.deepEqual(differences(outcomes(node, theirs), ours), rows());
});

test('npm argon2 0.44 differs in the same calls, apart from the order of parameters', (t) => {
  const node = peers.node24(t);
  if (node === undefined) return;
  const ours = outcomes(node, '@nodesec/native/argon2');
  const found = differences(outcomes(node, 'argon2'), ours).map(([name]) => name);
  assert.deepEqual(found, rows().map(([name]) => name).filter((name) => name !== ORDER));
});

test('an error of a wrong value has a code and says what to do', async () => {
  await assert.rejects(argon2.hash('password', { memoryCost: 7 }), {
    name: 'RangeError',
    code: 'ERR_OUT_OF_RANGE',
    message: /^memoryCost must be at least 8 KiB per lane/,
  });
  await assert.rejects(argon2.verify('password', 'password'), {
    name: 'TypeError',
    code: 'ERR_PASSWORD_DIGEST',
  });
});

test('limits lets a digest beyond the ceilings verify', async () => {
  const digest = await argon2.hash('x', { memoryCost: 8, timeCost: 65, parallelism: 1 });
  await assert.rejects(argon2.verify(digest, 'x'), { code: 'ERR_PASSWORD_LIMIT' });
  assert.equal(await argon2.verify(digest, 'x', { limits: { timeCost: 65 } }), true);
});

test('an error of the caller’s own getter passes through as it is', async () => {
  const thrown = Object.assign(new Error('mine'), { code: 'ERR_OUT_OF_RANGE' });
  const options = {
    get salt() {
      throw thrown;
    },
  };
  await assert.rejects(argon2.hash('x', options), (error) => error === thrown);
});

test('a secret whose buffer was transferred away is refused, not left out', async () => {
  const secret = new Uint8Array(32);
  structuredClone(secret.buffer, { transfer: [secret.buffer] });
  await assert.rejects(argon2.hash('x', { secret }), { name: 'TypeError' });
  const digest = await argon2.hash('x', { memoryCost: 8, timeCost: 1, parallelism: 1 });
  await assert.rejects(argon2.verify(digest, 'x', { secret }), { name: 'TypeError' });
});

test('needsRehash refuses costs that are no numbers, and runs no code of theirs', async () => {
  const digest = await argon2.hash('password', { memoryCost: 64, timeCost: 2 });
  const detached = new Uint8Array(8);
  structuredClone(detached.buffer, { transfer: [detached.buffer] });
  const values = [Symbol('a'), 1n, true, [64], new Array(2 ** 32 - 1), detached, { valueOf: assert.fail }];
  for (const memoryCost of values) {
    const error = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE', message: 'memoryCost must be a number' };
    assert.throws(() => argon2.needsRehash(digest, { memoryCost }), error);
  }
  assert.equal(argon2.needsRehash(digest, { memoryCost: '64', timeCost: 2 }), false);
});

test('hostile arguments are rejections with the classes of npm argon2', async () => {
  const fails = (options, name) => assert.rejects(argon2.hash('x', options), { name });
  await assert.rejects(argon2.hash('x'.repeat(10_000_000)), { name: 'RangeError' });
  await assert.rejects(argon2.verify('x'.repeat(10_000_000), 'x'), { name: 'TypeError' });
  await assert.rejects(argon2.verify('$argon2id$\ud800', 'x'), { name: 'TypeError' });
  await fails({ memoryCost: 2 ** 53 }, 'RangeError');
  await fails({ memoryCost: 64n }, 'TypeError');
  await fails({ timeCost: Symbol('t') }, 'TypeError');
  await fails({ hashLength: [] }, 'TypeError');
  await fails({ version: NaN }, 'RangeError');
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  await fails(proxy, 'TypeError');
  assert.throws(() => argon2.needsRehash('x'.repeat(10_000_000)), { name: 'TypeError' });
});
