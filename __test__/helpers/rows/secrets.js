'use strict';

const { SecretBuffer } = require('@nodesec/native');
const { boolean, bytes, callback, integer, names, options, or, secret, text, word } =
  require('../hostile.js');

const on = () => SecretBuffer.random(32);
const plain = { on, args: () => [], kinds: [] };

module.exports = {
  'new SecretBuffer': { refused: true },
  'SecretBuffer.random': { args: () => [32], kinds: [integer] },
  'SecretBuffer.from': {
    args: () => [new Uint8Array(32), { wipe: true }],
    kinds: [bytes, options({ wipe: boolean })],
  },
  'SecretBuffer.fromString': { args: () => ['c0ffee', 'hex'], kinds: [text, word] },
  'SecretBuffer.prototype.use': { on, args: () => [(lent) => lent.length], kinds: [callback] },
  'SecretBuffer.prototype.equals': {
    on,
    args: () => [new Uint8Array(32)],
    kinds: [or(bytes, secret)],
  },
  'SecretBuffer.prototype.dispose': plain,
  'SecretBuffer.prototype.toString': plain,
  'SecretBuffer.prototype.toJSON': plain,
  'secureHeap.configure': {
    // Other rows have used the heap: nothing else is accepted any more.
    args: () => [{ maxBytes: 2 ** 26 }],
    kinds: [options({ maxBytes: integer, backend: word, require: names, onDegraded: word })],
  },
  'secureHeap.status': { args: () => [], kinds: [] },
  'secureHeap.verify': { args: () => [], kinds: [] },
  timingSafeEqual: { args: () => ['one', new Uint8Array(3)], kinds: [secret, secret] },
};
