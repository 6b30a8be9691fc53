'use strict';

// Changes the arguments of a call that succeeds.

const { isProxy } = require('node:util/types');

const { PlantedError, anyValue } = require('./values.js');

/**
 * Copies `args` and changes the copy in one to three places, at any depth. `again` repeats the
 * call, for values that call the function while it reads them.
 */
function spoil(original, { random, own, again }) {
  const args = copyOf(original);
  for (let changes = 1 + random.below(3); changes > 0; changes -= 1) {
    const holder = random.once(4) ? args : somewhere(args, random);
    const names = Reflect.ownKeys(holder).filter((name) => name !== 'length');
    const name = random.once(8) || names.length === 0 ? holderName(holder, random) : random.pick(names);
    change(holder, name, { random, own, again, args });
  }
  return args;
}

/** Copies arrays, plain objects and bytes; other values stay the same. */
function copyOf(value) {
  if (value instanceof Uint8Array) return Uint8Array.prototype.slice.call(value);
  if (Array.isArray(value)) return value.map(copyOf);
  if (!isPlain(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, copyOf(member)]));
}

/** One of the plain objects and arrays within `value`, or `value` itself. */
function somewhere(value, random) {
  const inside = dataOf(value).filter(isPlain);
  return inside.length === 0 || random.once(3) ? value : somewhere(random.pick(inside), random);
}

/** An object with symbols is an application of Fastify or the like. */
const isPlain = (value) =>
  typeof value === 'object' &&
  value !== null &&
  !isProxy(value) &&
  Object.getOwnPropertySymbols(value).length === 0 &&
  (Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype);

const holderName = (holder, random) =>
  Array.isArray(holder) ? random.below(holder.length + 2) : random.pick(['extra', '__proto__', 'then', '']);

function change(holder, name, { random, own, again, args }) {
  const old = Reflect.getOwnPropertyDescriptor(holder, name)?.value;
  const replace = (get) => define(holder, name, { get });
  switch (random.below(12)) {
    case 0:
      Reflect.deleteProperty(holder, name);
      return;
    case 1:
      replace(() => {
        throw new PlantedError('planted');
      });
      return;
    case 2:
      replace(() => {
        again();
        return old;
      });
      return;
    case 3:
      replace(() => {
        takeBuffers(args);
        return old;
      });
      return;
    case 4:
      replace(() => {
        dispose(args);
        return old;
      });
      return;
    default:
      define(holder, name, { value: anyValue(random, own), writable: true });
  }
}

/** Defines a member. It has no effect on a frozen object or on the length of an array. */
function define(holder, name, descriptor) {
  Reflect.defineProperty(holder, name, { configurable: true, enumerable: true, ...descriptor });
}

/** Detaches or shrinks the buffers among the arguments. */
function takeBuffers(args) {
  for (const value of reachable(args)) {
    if (!ArrayBuffer.isView(value) || value.buffer instanceof SharedArrayBuffer) continue;
    try {
      structuredClone(value.buffer, { transfer: [value.buffer] });
    } catch {
      // Node's own pool of buffers cannot be detached.
    }
  }
}

/** Ends the life of the objects of the package among the arguments. */
function dispose(args) {
  for (const value of reachable(args)) {
    if (typeof value?.dispose === 'function') value.dispose();
  }
}

/** The arguments, and the members of those that are plain objects. */
const reachable = (args) => dataOf(args).flatMap((arg) => (isPlain(arg) ? dataOf(arg) : [arg]));

/** The values of the members that are no getters. */
const dataOf = (object) =>
  Object.values(Object.getOwnPropertyDescriptors(object)).flatMap(({ value }) =>
    value === undefined ? [] : [value],
  );

module.exports = { spoil };
