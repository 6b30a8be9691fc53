'use strict';

const assert = require('node:assert/strict');

const { NodesecError } = require('@nodesec/native');

/** The result of a call: `value` or `error`, and whether it came through a promise. */
async function outcome(call) {
  let result;
  try {
    result = call();
  } catch (error) {
    return { error, promised: false };
  }
  if (!(result instanceof Promise)) return { value: result, promised: false };
  try {
    return { value: await result, promised: true };
  } catch (error) {
    return { error, promised: true };
  }
}

/** A check for `assert.throws` and `assert.rejects`: an error of this package with this code. */
function coded(code, details = {}) {
  return (error) => {
    assert.ok(error instanceof NodesecError, `${error?.stack ?? error}`);
    assert.equal(error.code, code);
    assert.match(error.message, /\S/);
    for (const [name, value] of Object.entries(details)) assert.equal(error[name], value, name);
    return true;
  };
}

module.exports = { coded, outcome };
