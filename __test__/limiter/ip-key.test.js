'use strict';

// src/ip_key.rs has the tests of every notation.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { ipKey } = require('@nodesec/native');
const { coded } = require('../helpers/outcome.js');

test('all notations of an address have one key', () => {
  const same = ['192.0.2.1', '192.0.2.1:80', '::ffff:192.0.2.1', '[::ffff:c000:201]:80', '64:ff9b::c000:201'];
  assert.deepEqual(new Set(same.map((ip) => ipKey(ip))), new Set(['192.0.2.1']));
  assert.equal(ipKey('[2001:DB8:1:2ff::1%eth0]:443'), '2001:db8:1:200::/56');
});

test('addresses of one customer have one key, and those of two customers have two', () => {
  assert.equal(ipKey('2001:db8:1:200::1'), ipKey('2001:db8:1:2ff:ffff::'));
  assert.notEqual(ipKey('2001:db8:1:200::1'), ipKey('2001:db8:1:300::1'));
});

test('prefixes have the lengths that the options say', () => {
  assert.equal(ipKey('192.0.2.1', { ipv4Prefix: 24 }), '192.0.2.0/24');
  assert.equal(ipKey('::ffff:192.0.2.1', { ipv4Prefix: 24, ipv6Prefix: 64 }), '192.0.2.0/24');
  assert.equal(ipKey('2001:db8::1', { ipv6Prefix: 128, ipv4Prefix: undefined }), '2001:db8::1');
  for (const [option, value] of [
    ['ipv4Prefix', 7],
    ['ipv4Prefix', 33],
    ['ipv6Prefix', 15],
    ['ipv6Prefix', 129],
    ['ipv6Prefix', NaN],
  ]) {
    assert.throws(() => ipKey('::1', { [option]: value }), coded('ERR_OUT_OF_RANGE'), `${value}`);
  }
});

test('a text that is no address is refused, however long it is', () => {
  const texts = ['', 'localhost', '192.0.2.1, 192.0.2.2', '\ud800', '192.0.2.1\0', '1'.repeat(10_000_000)];
  for (const text of [...texts, `${'0'.repeat(127)}::`, `::1%${'a'.repeat(200)}`]) {
    assert.throws(() => ipKey(text), coded('ERR_INVALID_ARG_VALUE'), text.slice(0, 30));
  }
  assert.throws(() => ipKey(undefined), coded('ERR_INVALID_ARG_TYPE'));
  assert.throws(() => ipKey(['192.0.2.1']), coded('ERR_INVALID_ARG_TYPE'));
});

test('the options are read once, and getters may throw', () => {
  let reads = 0;
  const key = ipKey('192.0.2.1', {
    get ipv4Prefix() {
      reads += 1;
      return 24;
    },
  });
  assert.deepEqual([key, reads], ['192.0.2.0/24', 1]);
  const failing = {
    get ipv4Prefix() {
      throw new RangeError('mine');
    },
  };
  assert.throws(() => ipKey('192.0.2.1', failing), RangeError);
});
