'use strict';

// Gives every parameter and option of every public function the values that it must not have. Each
// must cause an error with a code.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { NodesecError } = require('@nodesec/native');
const { optionNames } = require('../../lib/load.js');
const { declared } = require('../../lib/options.js');
const { disagreements } = require('../helpers/declared-options.js');
const { classes, members, publicFunctions } = require('../helpers/exports.js');
const { CANARY } = require('../helpers/hostile.js');
const { outcome } = require('../helpers/outcome.js');
const table = require('../helpers/arguments.js');

const functions = new Map(publicFunctions());

test('every public function has a row, and every row a function', () => {
  assert.deepEqual(Object.keys(table).sort(), [...functions.keys()].sort());
});

test('the options in the table are those that the package declares', () => {
  assert.deepEqual(disagreements(table, { ...optionNames(), ...declared }), []);
});

for (const [name, call] of functions) {
  const row = table[name];
  if (row === undefined) continue;
  test(`${name} refuses what its arguments must not be`, async () => {
    if (row.refused) {
      assert.throws(() => call(undefined, []), NodesecError);
      return;
    }
    const invoke = (args) => outcome(() => call(row.on?.(), args));
    const success = await invoke(row.args());
    assert.ifError(success.error);
    for (const { what, change } of changes(row.kinds, 'argument')) {
      const args = row.args();
      change(args);
      const { error, promised } = await invoke(args);
      assert.ok(error instanceof NodesecError, `${what}: ${error?.stack ?? 'accepted'}`);
      assert.match(error.code, /^ERR_[A-Z_]+$/, what);
      assert.ok(!error.message.includes(CANARY), `${what}: ${error.message}`);
      assert.equal(promised, success.promised, `${what}: a promise rejects, it does not throw`);
    }
  });
}

/** Yields every way to spoil one parameter, option or member. */
function* changes(kinds, path) {
  for (const [key, kind] of Object.entries(kinds)) {
    const here = `${path} ${key}`;
    for (const [what, make] of Object.entries(kind.refused)) {
      yield { what: `${here} is ${what}`, change: (holder) => (holder[key] = make()) };
    }
    for (const option of Object.keys(kind.options ?? {})) {
      yield {
        what: `${here} has a misspelt ${option}`,
        change: (holder) => {
          const { [option]: value, ...others } = holder[key];
          holder[key] = { ...others, [`${option}s`]: value };
        },
      };
    }
    for (const { what, change } of changes(kind.options ?? kind.members ?? {}, here)) {
      yield { what, change: (holder) => change((holder[key] = copyOf(holder[key]))) };
    }
  }
}

function copyOf(value) {
  return Array.isArray(value) ? [...value] : { ...value };
}

for (const [name, Class] of classes) {
  test(`${name} is not called without new`, () => {
    assert.throws(() => Class({}), TypeError);
  });
}

// These methods accept any receiver, so that printing an object never fails.
const PRINTING = new Set(['toJSON', 'toString']);

for (const [name, Class] of classes) {
  const on = Object.entries(table).find(([row]) => row.startsWith(`${name}.prototype.`))[1].on;
  for (const [member, descriptor] of members(Class)) {
    if (PRINTING.has(member)) continue;
    test(`${name}.prototype.${member} refuses other receivers`, async () => {
      const method = descriptor.value ?? descriptor.get;
      const impostors = [undefined, 42, {}, Object.create(Class.prototype), new Proxy(on(), {})];
      for (const impostor of impostors) {
        const args = table[`${name}.prototype.${member}`]?.args() ?? [];
        const { error } = await outcome(() => method.apply(impostor, args));
        assert.ok(error instanceof Error, 'an impostor was accepted');
      }
    });
  }
}
