'use strict';

// V8 keeps a small typed array's bytes in its own heap. Every place that takes bytes gets such an
// array here, which is then wiped, and nothing of it may be left in the memory of the process.

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const { randomBytes } = require('node:crypto');
const path = require('node:path');
const { createInterface } = require('node:readline');
const { test } = require('node:test');

const { SecretBuffer, hashSync, timingSafeEqual } = require('@nodesec/native');
const table = require('../helpers/arguments.js');
const { runScript } = require('../helpers/child.js');
const { coded } = require('../helpers/outcome.js');
const { remnants } = require('../helpers/remnants.js');

const ON_LINUX = process.platform === 'linux';
/** The longest array in V8's heap. */
const LENGTH = 64;

/** Every place that takes bytes, except the keys of a limiter, which are no secrets. */
const places = Object.entries(table)
  .filter(([name]) => !/^(redis\.)?\w+Limiter\./.test(name))
  .flatMap(([name, { kinds = [] }]) => [...viewsIn(name, kinds)]);

function* viewsIn(name, kinds, above = []) {
  for (const [key, kind] of Object.entries(kinds)) {
    const path = [...above, key];
    if ('a Float64Array' in kind.refused) yield { name, path, isSecret: kind.isSecret === true };
    yield* viewsIn(name, kind.options ?? kind.members ?? {}, path);
  }
}

test('no call leaves a copy of a small array', { skip: !ON_LINUX }, async () => {
  assert.ok(places.length >= 30, `${places.length}`);
  const secrets = places.map(() => randomBytes(LENGTH));
  const child = spawn(process.execPath, ['--expose-gc', '--eval', script(secrets)], {
    cwd: path.join(__dirname, '..', '..'),
    env: { ...process.env, NODE_OPTIONS: '' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const left = [];
  try {
    for (const [index, { name, path, isSecret }] of places.entries()) {
      const place = `${name} ${path.join('.')}`;
      assert.equal((await lines.next()).value, 'filled');
      assert.notDeepEqual(remnants(child.pid, secrets[index]), [], 'the scanner finds it');
      child.stdin.write('\n');
      assert.equal((await lines.next()).value, 'wiped', place);
      // The native part does not wipe inputs that are no secrets, such as a salt.
      const found = remnants(child.pid, secrets[index]).filter(
        (where) => isSecret || !isOfMalloc(where),
      );
      if (found.length > 0) left.push(place);
      child.stdin.write('\n');
    }
  } finally {
    child.kill('SIGKILL');
  }
  assert.deepEqual(left, []);
});

/** Whether memory belongs to glibc's malloc, whose areas for threads begin at every 64 MiB. */
function isOfMalloc(where) {
  const [start, name] = where.split(' ');
  return name === '[heap]' || parseInt(start, 16) % 2 ** 26 === 0;
}

/** Masks bytes, so that the process holds a secret only where it unmasks it. */
const masked = (bytes) => bytes.map((byte) => byte ^ 0x5a).toString('hex');

/** A program that waits for a line when an array is filled, and again when it is used and wiped. */
function script(secrets) {
  return `
    const { readSync, writeSync } = require('node:fs');
    const { secureHeap } = require('@nodesec/native');
    const { publicFunctions } = require('./__test__/helpers/exports.js');
    const { outcome } = require('./__test__/helpers/outcome.js');
    const table = require('./__test__/helpers/arguments.js');
    const functions = new Map(publicFunctions());
    const places = ${JSON.stringify(places)};
    const secrets = ${JSON.stringify(secrets.map(masked))};
    const line = Buffer.alloc(1);
    const tell = (text) => {
      writeSync(1, text);
      readSync(0, line);
    };
    const unmasked = (hex) => {
      const bytes = new Uint8Array(hex.length / 2);
      for (let at = 0; at < bytes.length; at += 1) {
        bytes[at] = parseInt(hex.slice(2 * at, 2 * at + 2), 16) ^ 0x5a;
      }
      return bytes;
    };
    (async () => {
      for (const [index, { name, path }] of places.entries()) {
        const receiver = table[name].on?.();
        const args = table[name].args();
        const holder = path.slice(0, -1).reduce((object, key) => object[key], args);
        // A collection of garbage would move the array, and leave the old one behind.
        gc();
        const bytes = (holder[path.at(-1)] = unmasked(secrets[index]));
        tell('filled\\n');
        const result = outcome(() => functions.get(name)(receiver, args));
        bytes.fill(0);
        await result;
        secureHeap.disposeAll();
        tell('wiped\\n');
      }
    })();
  `;
}

test('the bytes of a small array stay as they are, and so does the rest of it', () => {
  const secret = SecretBuffer.from(new Uint8Array(32).fill(7));
  for (const length of [1, 31, 32, 63, 64, 65]) {
    const bytes = new Uint8Array(length).fill(7);
    const named = Object.defineProperty(new Uint8Array(length).fill(7), 'byteLength', { value: 3 });
    assert.equal(secret.equals(bytes), length === 32);
    assert.equal(timingSafeEqual(bytes, named), true);
    assert.deepEqual(bytes, new Uint8Array(length).fill(7));
    assert.deepEqual([...named], Array(length).fill(7));
  }
  const pool = new Uint8Array(64).fill(9);
  assert.equal(secret.equals(pool.subarray(0, 32).fill(7)), true);
  assert.deepEqual(pool.subarray(32), new Uint8Array(32).fill(9));
});

test('a small array in shared memory is refused, and keeps its bytes', () => {
  const secret = SecretBuffer.random(32);
  const shared = new Uint8Array(new SharedArrayBuffer(32)).fill(7);
  assert.throws(() => secret.equals(shared), coded('ERR_INVALID_ARG_VALUE'));
  assert.throws(() => SecretBuffer.from(shared, { wipe: true }), coded('ERR_INVALID_ARG_VALUE'));
  assert.throws(() => hashSync(shared), coded('ERR_INVALID_ARG_VALUE'));
  assert.deepEqual([...shared], Array(32).fill(7));
});

test('changes of the prototypes by an application change no result', async () => {
  const { code, stderr } = await runScript(`
    const assert = require('node:assert');
    const { SecretBuffer } = require('@nodesec/native');
    const secret = SecretBuffer.from(new Uint8Array(32));
    const TypedArray = Object.getPrototypeOf(Uint8Array);
    const seen = [];
    for (const name of ['set', 'fill']) TypedArray.prototype[name] = () => seen.push(name);
    for (const name of ['buffer', 'byteLength', 'byteOffset', Symbol.toStringTag]) {
      Object.defineProperty(TypedArray.prototype, name, { get: () => seen.push(name) });
    }
    Function.prototype.call = Function.prototype.apply = () => seen.push('call');
    ArrayBuffer.isView = () => false;
    const isEqual = secret.equals(new Uint8Array(32));
    assert.deepEqual([isEqual, seen], [true, []]);
  `);
  assert.equal(stderr, '');
  assert.equal(code, 0);
});

test('a call that runs out of stack leaves a small array as it was', async () => {
  const { code, stderr } = await runScript(`
    const assert = require('node:assert');
    const { SecretBuffer } = require('@nodesec/native');
    const expected = Array(32).fill(7);
    const secret = SecretBuffer.from(new Uint8Array(32).fill(7));
    const arrays = [];
    const deeper = (pad) => {
      try {
        deeper(pad + 1);
      } catch {}
      const bytes = new Uint8Array(32).fill(7);
      arrays.push(bytes);
      secret.equals(bytes);
    };
    for (let round = 0; round < 20; round += 1) {
      try {
        deeper(0);
      } catch {}
    }
    assert.ok(arrays.length > 1000, \`\${arrays.length}\`);
    for (const bytes of arrays) assert.deepEqual([...bytes], expected);
  `);
  assert.equal(stderr, '');
  assert.equal(code, 0);
});
