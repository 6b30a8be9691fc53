'use strict';

// What the package offers, by reflection, so that a test over all of it cannot miss something new.

const native = require('@nodesec/native');

const isClass = (value) => typeof value === 'function' && /^class\b/.test(String(value));
const isError = (value) => value.prototype instanceof Error;

/** The exported classes, by name; those of errors are for `instanceof` only. */
const classes = Object.entries(native).filter(([, value]) => isClass(value) && !isError(value));

/** The members of a prototype with a string name, constructors apart. */
function members(Class) {
  return Object.entries(Object.getOwnPropertyDescriptors(Class.prototype)).filter(
    ([name]) => name !== 'constructor',
  );
}

/**
 * Every public function as `[name, call]`, `call` taking a receiver and its arguments. Constants
 * and accessors take no argument; methods with a symbol for a name are called by the runtime.
 */
function* publicFunctions() {
  for (const [name, value] of Object.entries(native)) {
    if (isClass(value)) {
      if (!isError(value)) yield* functionsOf(name, value);
    } else if (typeof value === 'function') {
      yield [name, (_, args) => value(...args)];
    } else if (typeof value === 'object') {
      for (const [method, member] of Object.entries(value)) {
        if (typeof member === 'function') {
          yield [`${name}.${method}`, (_, args) => value[method](...args)];
        }
      }
    }
  }
}

function* functionsOf(name, Class) {
  yield [`new ${name}`, (_, args) => new Class(...args)];
  for (const [method, { value }] of Object.entries(Object.getOwnPropertyDescriptors(Class))) {
    if (typeof value === 'function') {
      yield [`${name}.${method}`, (_, args) => Class[method](...args)];
    }
  }
  for (const [method, { value }] of members(Class)) {
    if (typeof value === 'function') {
      yield [`${name}.prototype.${method}`, (receiver, args) => receiver[method](...args)];
    }
  }
}

module.exports = { classes, members, publicFunctions };
