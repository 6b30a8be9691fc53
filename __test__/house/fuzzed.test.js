'use strict';

// `npm run fuzz:api` and `npm run soak` call the functions of __test__/fuzz/targets.js. None of the
// package's may be missing there.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { exports: entries } = require('../../package.json');
const { targets } = require('../fuzz/targets.js');

/** The names of the functions and of the public members of classes that an entry exports. */
function* namesOf(exported, prefix) {
  for (const [name, value] of Object.entries(exported)) {
    if (typeof value === 'function' && value.prototype instanceof Error) continue;
    if (typeof value === 'function' && /^class\b/.test(String(value))) {
      yield* membersOf(value, prefix + name);
    } else if (typeof value === 'function') {
      yield prefix + name;
    } else if (typeof value === 'object' && !Array.isArray(value)) {
      yield* namesOf(value, `${prefix}${name}.`);
    }
  }
}

function* membersOf(Class, name) {
  for (const key of Object.getOwnPropertyNames(Class)) {
    if (typeof Class[key] === 'function') yield `${name}.${key}`;
  }
  for (let { prototype } = Class; prototype !== Object.prototype; ) {
    for (const [key, { value, get }] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
      if (key === 'constructor') continue;
      if (typeof value === 'function') yield `${name}.prototype.${key}`;
      if (get !== undefined) yield `${name}.prototype[${key}]`;
    }
    prototype = Object.getPrototypeOf(prototype);
  }
}

test('the fuzzer calls every function of every entry point', () => {
  const missing = [];
  for (const [entry, file] of Object.entries(entries)) {
    if (typeof file !== 'object') continue;
    const prefix = entry === '.' ? '' : `${entry.slice(2)}.`;
    const names = [...namesOf(require(`../../${file.default}`), prefix)];
    assert.ok(names.length > 0 || entry === './express/augment', entry);
    missing.push(...names.filter((name) => !targets.has(name)));
  }
  assert.deepEqual(missing, []);
});

test('the calls that the fuzzer begins with succeed, apart from those that are marked', async () => {
  const wrong = [];
  for (const [name, { row, call, isRefused = false }] of targets) {
    let failed = false;
    try {
      const result = call(row.on?.(), row.args());
      row.ends?.(result);
      await result;
    } catch {
      failed = true;
    }
    if (failed !== isRefused) wrong.push(name);
  }
  assert.deepEqual(wrong, []);
});
