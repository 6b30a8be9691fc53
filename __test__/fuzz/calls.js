'use strict';

// The calls of one process, for scripts/fuzz-api.mjs:
//
//   node __test__/fuzz/calls.js SEED FIRST COUNT PROGRESS
//
// Call number N depends on SEED and N only, apart from the state that earlier calls left. PROGRESS
// is a file that names the call under way, so that a crash can be traced.

const assert = require('node:assert/strict');
const { openSync, writeSync } = require('node:fs');
const { test } = require('node:test');
const { setTimeout: sleep } = require('node:timers/promises');

const { NodesecError } = require('@nodesec/native');
const { Random } = require('./random.js');
const { spoil } = require('./spoil.js');
const { targets } = require('./targets.js');
const { PlantedError } = require('./values.js');

const PATIENCE_MS = 60_000;

const [seed, first, count] = process.argv.slice(2, 5).map(Number);
const progress = openSync(process.argv[5], 'w');

const functions = [...targets];
const receivers = [...new Set(functions.map(([, { row }]) => row.on).filter(Boolean))];
const slow = new Map();
/** The promises that have not been settled, with the call of each. */
const pending = new Map();
const failures = new Map();
const answers = { value: 0, coded: 0, planted: 0, unmade: 0 };

test('no call crashes the process, fails within or leaves a promise pending', async () => {
  process.on('unhandledRejection', (error) => note('unhandled rejection', -1, error));
  process.on('uncaughtException', (error) => note('uncaught exception', -1, error));
  const called = [];
  for (let number = first; number < first + count; number += 1) {
    await callOne(number);
    if (number % 64 === 0) await sleep(0);
    if (number % 4096 === 0) globalThis.gc?.();
    called.push(number);
  }
  const deadline = Date.now() + PATIENCE_MS;
  while (pending.size > 0 && Date.now() < deadline) await sleep(10);
  for (const { name, number } of pending.values()) note(`${name}: a promise stays pending`, number);
  for (const [what, numbers] of failures) console.log(`calls ${numbers.join(', ')}: ${what}`);
  console.log(JSON.stringify({ answers, slow: slowest() }));
  assert.equal(failures.size, 0, 'see the list of failures above');
});

async function callOne(number) {
  const random = new Random(Math.imul(seed, 0x01000193) ^ number);
  const [name, { row, call }] = random.pick(functions);
  writeSync(progress, `${number} ${name}`.padEnd(80), 0);
  const started = performance.now();
  const own = () => made(random.pick(receivers));
  const isForeign = row.on !== undefined && random.once(20);
  const receiver = isForeign ? own() : made(row.on);
  let args = made(row.args);
  let depth = 0;
  const again = () => {
    depth += 1;
    if (depth < 3) settle({ number, name, isForeign }, () => call(receiver, args));
  };
  if (!random.once(10)) args = spoil(args, { random, own, again });
  settle({ number, name, isForeign }, () => call(receiver, args));
  const spent = performance.now() - started;
  slow.set(name, (slow.get(name) ?? 0) + spent);
}

/** An object of the table. An earlier call may have closed a store that it needs. */
function made(make) {
  try {
    return make?.();
  } catch (error) {
    if (!(error instanceof NodesecError)) throw error;
    answers.unmade += 1;
    return [];
  }
}

function settle(one, call) {
  let result;
  try {
    result = call();
  } catch (error) {
    judge(one, error);
    return;
  }
  answers.value += 1;
  targets.get(one.name).row.ends?.(result);
  if (!(result instanceof Promise)) return;
  pending.set(result, one);
  result
    .catch((error) => judge(one, error))
    .finally(() => pending.delete(result));
}

function judge({ number, name, isForeign }, error) {
  if (isCoded(error)) answers.coded += 1;
  else if (isOfTheCaller(error) || (isForeign && error instanceof TypeError)) answers.planted += 1;
  else note(name, number, error);
}

/** Whether the error is one of the package. The façade for npm `argon2` throws JavaScript's own. */
function isCoded(error) {
  if (error instanceof NodesecError) return error.code !== 'ERR_INTERNAL';
  return error instanceof Error && /^ERR_(?:INVALID_ARG|OUT_OF_RANGE|PASSWORD)/.test(error.code);
}

/** Whether the error comes from a value of the caller, or from the framework that it is for. */
function isOfTheCaller(error) {
  return (
    error instanceof PlantedError ||
    /on a proxy that has been revoked$/.test(error?.message) ||
    /^FST_/.test(error?.code)
  );
}

function note(what, number, error) {
  const key = `${what}: ${error?.code ?? ''} ${String(error?.stack ?? error).split('\n').slice(0, 4).join('\n')}`;
  const known = failures.get(key) ?? [];
  if (known.length < 3) failures.set(key, [...known, number]);
}

const slowest = () =>
  [...slow].sort(([, a], [, b]) => b - a).slice(0, 12).map(([name, ms]) => `${name} ${ms | 0} ms`);
