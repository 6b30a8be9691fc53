'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { randomToken, uuidv4, uuidv7 } = require('@nodesec/native');
const { coded } = require('../helpers/outcome.js');

const many = (make) => Array.from({ length: 10_000 }, () => make());

test('uuidv4 gives distinct ids of version 4', () => {
  const ids = many(uuidv4);
  const form = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
  assert.ok(ids.every((id) => form.test(id)));
  assert.equal(new Set(ids).size, ids.length);
});

test('uuidv7 holds its time', () => {
  const before = Date.now();
  const ids = many(uuidv7);
  const after = Date.now();
  const form = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
  assert.ok(ids.every((id) => form.test(id)));
  assert.equal(new Set(ids).size, ids.length);
  const times = ids.map((id) => parseInt(id.slice(0, 8) + id.slice(9, 13), 16));
  assert.ok(times.every((time) => time >= before - 1 && time <= after + 1));
  assert.deepEqual(times, times.toSorted());
});

test('randomToken gives distinct tokens of the length that is asked for', () => {
  for (const [bytes, length] of [
    [undefined, 43],
    [16, 22],
    [32, 43],
    [1024, 1366],
  ]) {
    assert.match(randomToken(bytes), new RegExp(`^[\\w-]{${length}}$`));
  }
  const tokens = many(() => randomToken(16));
  assert.equal(new Set(tokens).size, tokens.length);
  for (const bytes of [0, 15, 1025]) {
    assert.throws(() => randomToken(bytes), coded('ERR_OUT_OF_RANGE'));
  }
});

test('functions work without their module', () => {
  assert.deepEqual([uuidv4, uuidv7, randomToken].map((make) => typeof make.call(null)), [
    'string',
    'string',
    'string',
  ]);
});
