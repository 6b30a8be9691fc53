'use strict';

// Finds the package's exports by reflection, so that a test over all of them cannot miss a new one.

const native = require('@nodesec/native');
const audit = require('@nodesec/native/audit');
const express = require('@nodesec/native/express');
const fastify = require('@nodesec/native/fastify');
const redis = require('@nodesec/native/redis');
const web = require('@nodesec/native/web');

const isClass = (value) => typeof value === 'function' && /^class\b/.test(String(value));
const isError = (value) => value.prototype instanceof Error;

/** The exported classes by name, without the error classes, which serve `instanceof` only. */
const classes = classesOf(native);

function classesOf(exported) {
  return Object.entries(exported).filter(([, value]) => isClass(value) && !isError(value));
}

/** The members of a prototype that have a string name, without the constructor. */
function members(Class) {
  return Object.entries(Object.getOwnPropertyDescriptors(Class.prototype)).filter(
    ([name]) => name !== 'constructor',
  );
}

/**
 * Yields every public function as `[name, call]`. `call` takes a receiver and the arguments.
 * Constants and accessors are left out because they take no argument, and methods named by a symbol
 * because the runtime calls them.
 */
function* publicFunctions() {
  for (const [name, value] of Object.entries({ ...native, audit, express, fastify, redis, web })) {
    if (isClass(value)) {
      if (!isError(value)) yield* functionsOf(name, value);
    } else if (typeof value === 'function') {
      yield [name, (_, args) => value(...args)];
    } else if (typeof value === 'object') {
      for (const [method, member] of Object.entries(value)) {
        if (isClass(member)) yield* functionsOf(`${name}.${method}`, member);
        else if (typeof member === 'function') {
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
      yield [`${name}.prototype.${method}`, (receiver, args) => value.apply(receiver, args)];
    }
  }
}

module.exports = { classes, classesOf, members, publicFunctions };
