'use strict';

// Proxies in the place of every argument and option, each of whose traps throws in its turn.
// abort-on-uncaught.test.js runs this file under the flag, which ends the process if a trap runs
// below a native frame.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { publicFunctions } = require('../helpers/exports.js');
const { outcome } = require('../helpers/outcome.js');
const table = require('../helpers/arguments.js');

const TRAPS = Object.getOwnPropertyNames(Reflect);
/** More than any call springs. */
const MOST = 60;

/** Makes the proxy for a given value. `trap` is called first in each of its traps. */
const PROXIES = {
  'of the value': (value, trap) => spring(value, trap),
  'of an empty object': (_, trap) => spring({}, trap),
  'that hides its members': (value, trap) => spring({ ...Object(value) }, trap, { ownKeys: [] }),
  'of an array': (_, trap) => spring([1, 2], trap),
  'of bytes': (_, trap) => spring(new Uint8Array(4), trap),
  'of an instance': (_, trap) => spring(new (class Options {})(), trap),
};

function spring(target, trap, answers = {}) {
  if (typeof target !== 'object' || target === null) return undefined;
  const handler = TRAPS.map((name) => [
    name,
    (...args) => {
      trap(name);
      return Object.hasOwn(answers, name) ? answers[name] : Reflect[name](...args);
    },
  ]);
  return new Proxy(target, Object.fromEntries(handler));
}

for (const [name, call] of publicFunctions()) {
  const row = table[name];
  if (row.refused) continue;
  for (const [index, kind] of row.kinds.entries()) {
    const places = [undefined, ...Object.keys(kind.options ?? kind.members ?? {})];
    test(`${name} runs the traps of proxies where their errors are caught: argument ${index}`, async () => {
      for (const place of places) {
        for (const [what, make] of Object.entries(PROXIES)) {
          await assertCaught(row, call, index, place, make, `${place ?? 'itself'}, a proxy ${what}`);
        }
      }
    });
  }
}

async function assertCaught(row, call, index, place, make, what) {
  for (let turn = 1; turn <= MOST; turn++) {
    const thrown = new Error(`trap ${turn}`);
    let left = turn;
    const trap = () => {
      left -= 1;
      if (left === 0) throw thrown;
    };
    const args = row.args();
    const value = place === undefined ? args[index] : args[index]?.[place];
    const proxy = make(value, trap);
    if (proxy === undefined) return;
    args[index] = place === undefined ? proxy : { ...args[index], [place]: proxy };
    const result = await outcome(() => call(row.on?.(), args));
    if (result.error === undefined) row.ends?.(result.value);
    if (left > 0) return;
    assert.equal(result.error, thrown, what);
  }
  assert.fail(`${what}: there are more than ${MOST} traps`);
}
