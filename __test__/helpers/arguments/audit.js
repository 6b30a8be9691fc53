'use strict';

const { SecretBuffer } = require('@nodesec/native');
const { callback, instance, kind, name, or, record, secretly, textOrBytes, word } = require('../hostile.js');

/** Always the same, because the process accepts no second one. */
const hashKey = () => SecretBuffer.from(Buffer.alloc(32, 7));

const value = kind({
  'a symbol': () => Symbol('value'),
  'an object': () => ({ authorization: 'a token' }),
  'an array': () => [1],
  'a function': () => () => 1,
  'a bigint': () => 1n,
  'a SecretBuffer': () => SecretBuffer.random(16),
  NaN: () => NaN,
  Infinity: () => Infinity,
  'a lone surrogate': () => '\ud800',
  'a long text': () => 'x'.repeat(1025),
});
const id = or(name, kind({ 'a long text': () => 'x'.repeat(1025) }));

const logger = () => ({ info() {}, warn() {}, error() {} });

module.exports = {
  'audit.correlationId': { args: () => [], kinds: [] },
  'audit.hashId': { args: () => ['subject', 'u-1'], kinds: [word, or(name, textOrBytes)] },
  'audit.record': {
    args: () => [
      'invoice.read',
      { subject: 'u-1', session: 's-1', tokenId: 't-1', outcome: 'ok', code: 'OK', invoice: 17 },
    ],
    kinds: [
      or(name, kind({ 'a sentence': () => 'reads an invoice', 'a long text': () => 'x'.repeat(101) })),
      {
        ...record({ subject: id, session: id, tokenId: id, outcome: word, code: name, invoice: value }),
      },
    ],
  },
  'audit.setHashKey': {
    args: () => [hashKey()],
    kinds: [
      secretly(
        or(instance(SecretBuffer, hashKey), kind({ 'a short key': () => SecretBuffer.random(31) })),
      ),
    ],
  },
  'audit.toPino': {
    args: () => [logger()],
    ends: (stop) => stop(),
    kinds: [or(callback, kind({ 'a function': () => () => 1, 'a logger without warn': () => ({ ...logger(), warn: 1 }) }))],
  },
  'audit.withCorrelation': {
    args: () => ['request-1', () => 1],
    kinds: [
      or(name, kind({ 'two lines': () => 'a\r\nb', 'a long text': () => 'x'.repeat(65), 'a sentence': () => 'a b' })),
      callback,
    ],
  },
};
