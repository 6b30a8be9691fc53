'use strict';

// V8 keeps a small typed array's bytes in its own heap until somebody asks for the array's
// `buffer`, as native code has to. It then moves them to an ArrayBuffer and leaves the old ones
// behind, where nobody can wipe them.

/** The longest typed array whose bytes V8 keeps in its heap, in bytes. */
const MAX_LENGTH = 64;

// The caller may have changed the prototypes, or defined properties of its own on the array.
const uncurry = Function.prototype.bind.bind(Function.prototype.call);
const TypedArrayPrototype = Object.getPrototypeOf(Uint8Array.prototype);
const getter = (name) =>
  uncurry(Object.getOwnPropertyDescriptor(TypedArrayPrototype, name).get);
const [kindOf, bufferOf, byteLengthOf, byteOffsetOf] = [
  Symbol.toStringTag,
  'buffer',
  'byteLength',
  'byteOffset',
].map(getter);
const set = uncurry(TypedArrayPrototype.set);

/**
 * By length: two arrays outside of V8's heap. The first is zero between calls, the second always.
 */
const spare = [];

/**
 * Moves the bytes of a small Uint8Array out of V8's heap, without leaving a copy there. Any other
 * value stays as it is.
 *
 * The bytes are put aside, so that V8 leaves zeros behind. No code of the caller runs meanwhile.
 * Memory that is shared with another thread is zero for this moment, too: without asking for the
 * buffer, JavaScript cannot tell it from other memory. The native part refuses it afterwards.
 */
function moveOffHeap(bytes) {
  // An array in V8's heap begins at 0. Nearly all Buffers of Node's pool do not.
  if (kindOf(bytes) === 'Uint8Array' && byteOffsetOf(bytes) === 0) {
    const length = byteLengthOf(bytes);
    if (length > 0 && length <= MAX_LENGTH) move(bytes, length);
  }
}

function move(bytes, length) {
  spare[length] ??= [offHeap(length), offHeap(length)];
  const [kept, zeros] = spare[length];
  // If the stack is full, this throws, and the bytes are still where they were.
  set(kept, bytes);
  try {
    set(bytes, zeros);
    bufferOf(bytes);
  } finally {
    set(bytes, kept);
    set(kept, zeros);
  }
}

function offHeap(length) {
  return new Uint8Array(new ArrayBuffer(length));
}

module.exports = { moveOffHeap };
