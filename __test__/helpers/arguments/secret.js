'use strict';

const { mkdtempSync, rmSync, writeFileSync } = require('node:fs');
const { tmpdir } = require('node:os');
const path = require('node:path');

const { SecretBuffer } = require('@nodesec/native');
const hostile = require('../hostile.js');

const { boolean, bytes, callback, integer, name, names, options, or, secret, secretly, text, word } =
  hostile;

const folder = mkdtempSync(path.join(tmpdir(), 'nodesec-rows-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
const file = path.join(folder, 'secret');
writeFileSync(file, 'c0ffee\n', { mode: 0o600 });

const on = () => SecretBuffer.random(32);
const key = secretly(hostile.instance(SecretBuffer, on));
const context = options({ context: name });
const KEY = new Uint8Array(32).fill(7);
const sealKey = () => SecretBuffer.from(KEY);
const plain = { on, args: () => [], kinds: [] };

module.exports = {
  'new SecretBuffer': { refused: true },
  'SecretBuffer.random': { args: () => [32], kinds: [integer] },
  'SecretBuffer.from': {
    args: () => [new Uint8Array(32), { wipe: true }],
    kinds: [secretly(bytes), options({ wipe: boolean })],
  },
  'SecretBuffer.fromString': { args: () => ['c0ffee', 'hex'], kinds: [secretly(text), word] },
  'SecretBuffer.fromFile': {
    args: () => [file, { encoding: 'hex', maxBytes: 64, trim: true, allowInsecure: false }],
    kinds: [
      // The name counts as a secret, because the function reads a secret from the file.
      secretly(name),
      options({ encoding: word, maxBytes: integer, trim: boolean, allowInsecure: boolean }),
    ],
  },
  'SecretBuffer.fromEnv': {
    args: () => {
      process.env.NODESEC_ROW = 'c0ffee';
      return ['NODESEC_ROW', { encoding: 'hex', wipe: true }];
    },
    kinds: [secretly(name), options({ encoding: word, wipe: boolean })],
  },
  'SecretBuffer.unseal': {
    args: () => [on().seal(sealKey(), { context: 'row' }), sealKey(), { context: 'row' }],
    kinds: [bytes, key, context],
  },
  'SecretBuffer.prototype.seal': {
    on,
    args: () => [sealKey(), { context: 'row' }],
    kinds: [key, context],
  },
  'SecretBuffer.adopt': { args: () => [on().share()], kinds: [name] },
  'SecretBuffer.prototype.share': plain,
  'SecretBuffer.prototype.use': {
    on,
    args: () => [(lent) => lent.length],
    kinds: [callback],
    readsReceiver: true,
  },
  'SecretBuffer.prototype.useAsync': {
    on,
    args: () => [async (lent) => lent.length],
    kinds: [callback],
    readsReceiver: true,
  },
  'SecretBuffer.prototype.clone': { ...plain, readsReceiver: true },
  'SecretBuffer.prototype.equals': {
    on,
    args: () => [new Uint8Array(32)],
    kinds: [or(bytes, secret)],
  },
  'SecretBuffer.prototype.dispose': plain,
  'SecretBuffer.prototype.toString': plain,
  'SecretBuffer.prototype.toJSON': plain,
  'secureHeap.configure': {
    // Other rows have used the heap, so `configure` accepts nothing but its current setting.
    args: () => [{ maxBytes: 2 ** 26 }],
    kinds: [options({ maxBytes: integer, backend: word, require: names, onDegraded: word, overflow: word })],
  },
  'secureHeap.status': { args: () => [], kinds: [] },
  'secureHeap.disposeAll': { args: () => [], kinds: [] },
  'secureHeap.verify': { args: () => [], kinds: [] },
  'secureHeap.hardenProcess': {
    args: () => [{ dumpable: false, core: 2 ** 40 }],
    kinds: [options({ dumpable: boolean, core: integer })],
  },
  timingSafeEqual: { args: () => ['one', new Uint8Array(3)], kinds: [secret, secret] },
};
