'use strict';

// Values that no caller should pass, but that some caller will. Some of them act while they are
// read: they throw, call the function again, or take a buffer away.

const { runInNewContext } = require('node:vm');

/** An error that a value throws when it is read. A call may let it through. */
class PlantedError extends Error {}

/** Throws, as a getter or a trap of a hostile value does. */
function plant() {
  throw new PlantedError('planted');
}

const realm = runInNewContext(`({
  object: () => ({ key: 'value' }), array: () => ['value'], bytes: () => new Uint8Array(32).fill(7),
  buffer: () => new ArrayBuffer(32), date: () => new Date(0), map: () => new Map([['a', 1]]),
  error: () => new Error('of another realm'), promise: () => Promise.resolve(1),
  text: () => Object('text'), call: () => () => 1, pattern: () => /./,
})`);

const NUMBERS = [
  0, -0, 1, -1, 0.5, 1.5, 2, 7, 8, 16, 31, 32, 64, 100, 255, 256, 1000, 1023, 65_535, 65_536, 2 ** 31 - 1, 2 ** 31,
  2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1, 2 ** 53, -(2 ** 53), 1e300, -1e300, 5e-324, NaN, Infinity, -Infinity,
];
const TEXTS = [
  '', ' ', '\0', 'a', 'a\0b', 'key', '\ud800', '\udfff\ud800', 'é', '\u{1f512}', '__proto__', 'constructor',
  'toString', '15m', '-1s', '1e9d', 'none', 'HS256', 'EdDSA', 'a.b.c', '..', '../..', '/', '\n', 'a\r\nb: c', '%00',
  '$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$aGFzaA', '$2b$04$', '-----BEGIN PUBLIC KEY-----\n', '{"kty":"oct"}',
  '127.0.0.1', '::ffff:1.2.3.4', '[::1%eth0]:80', 'https://a.example/', 'http://[', '[object Object]',
];
const LENGTHS = [0, 1, 15, 16, 31, 32, 33, 64, 65, 1000];

const bytes = (random) => new Uint8Array(random.pick(LENGTHS)).fill(random.below(256));

function detached() {
  const view = new Uint8Array(32).fill(1);
  structuredClone(view.buffer, { transfer: [view.buffer] });
  return view;
}

/** A view that follows the length of its buffer, which has been cut below the view's start. */
function outOfBounds() {
  const buffer = new ArrayBuffer(64, { maxByteLength: 128 });
  const view = new Uint8Array(buffer, 32);
  buffer.resize(16);
  return view;
}

const VIEWS = [
  bytes,
  (random) => Buffer.from(bytes(random)),
  (random) => bytes(random).buffer,
  (random) => new DataView(bytes(random).buffer),
  () => new Float64Array(4),
  () => new Uint16Array(16),
  () => new BigInt64Array(2),
  () => new Uint8Array(new SharedArrayBuffer(32)),
  () => new Uint8Array(new ArrayBuffer(32, { maxByteLength: 64 })),
  detached,
  outOfBounds,
  () => Buffer.alloc(1_000_000),
];

const OBJECTS = [
  () => ({}),
  () => [],
  () => Object.create(null),
  () => new Array(2 ** 32 - 1),
  () => new Array(3),
  () => [[[]]],
  () => new Map([['a', 1]]),
  () => new Set(['a']),
  () => new Date(NaN),
  () => new Date(8.64e15),
  () => /./,
  () => new Error('an error'),
  () => Object.freeze({ a: 1 }),
  () => Promise.resolve(1),
  () => ({ then: (resolve) => resolve(1) }),
  () => ({ then: plant }),
  () => new Proxy({}, {}),
  () => new Proxy([], {}),
  () => new Proxy({}, { get: plant, ownKeys: plant, getOwnPropertyDescriptor: plant, has: plant, getPrototypeOf: plant }),
  () => new Proxy(() => {}, { apply: plant, get: plant }),
  () => ({ get length() { return plant(); } }),
  () => ({ toString: plant, valueOf: plant, toJSON: plant }),
  () => ({ [Symbol.toPrimitive]: plant }),
  () => ({ [Symbol.iterator]: plant }),
  () => Object('text'),
  () => Object(1),
  () => Object(1n),
  () => Object(Symbol('boxed')),
  () => new WeakMap(),
  () => new AbortController().signal,
  () => AbortSignal.abort(),
  () => ({ aborted: false, addEventListener: plant }),
  cyclic,
  revoked,
  () => ({ nested: { nested: { nested: {} } } }),
  () => Object.fromEntries(Array.from({ length: 2000 }, (_, index) => [`k${index}`, index])),
];

function cyclic() {
  const object = { a: 1 };
  object.self = object;
  return object;
}

function revoked() {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

const CALLS = [
  () => () => {},
  () => () => 1,
  () => plant,
  () => rejecting,
  () => async () => {},
  () => () => new Date(NaN),
  () => () => new Date(),
  () => function* () {},
];

/** A function that answers with any value, as a callback of a caller may, or a promise of it. */
function answering(random, own) {
  const value = anyValue(random, own);
  return random.once(3) ? () => promised(value) : () => value;
}

/** Rejects if the value cannot be asked whether it is a promise. As `rejecting`, otherwise. */
function promised(value) {
  const promise = Promise.resolve().then(() => value);
  promise.catch(() => {});
  return promise;
}

/** Rejects. Only a promise that someone derives from it is an unhandled rejection. */
function rejecting() {
  const promise = Promise.reject(new PlantedError('planted'));
  promise.catch(() => {});
  return promise;
}

/** A value of any kind. `own` makes an object of the package. */
function anyValue(random, own) {
  switch (random.below(10)) {
    case 0:
    case 1:
      return random.pick(NUMBERS);
    case 2:
      return text(random);
    case 3:
      return random.pick(VIEWS)(random);
    case 4:
    case 5:
      return random.pick(OBJECTS)();
    case 6:
      return random.once(2) ? answering(random, own) : random.pick(CALLS)();
    case 7:
      return random.pick(Object.values(realm))();
    case 8:
      return own();
    default:
      return random.pick([undefined, null, true, false, 1n, -(2n ** 64n), Symbol('any')]);
  }
}

function text(random) {
  const one = random.pick(TEXTS);
  if (random.once(4)) return one + random.pick(TEXTS);
  if (random.once(50)) return one.repeat(100_000);
  return one;
}

module.exports = { PlantedError, anyValue };
