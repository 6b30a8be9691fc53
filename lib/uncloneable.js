'use strict';

const { markAsUncloneable } = require('node:worker_threads');

class Marked {
  constructor() {
    markAsUncloneable(this);
  }
}

/** Class → the generator function that makes its instances. */
const makers = new WeakMap();

// For Node before 22.10, which has no `markAsUncloneable`, and for Deno, whose `Worker` clones
// marked objects in `workerData`, and whose mark is an own property. V8 itself refuses to clone a
// generator object, and making one costs next to nothing. These have the prototype of the class, so
// they have no `next` method that would run them.
function Unrunnable() {
  let make = makers.get(new.target);
  if (make === undefined) {
    make = function* () {};
    make.prototype = new.target.prototype;
    makers.set(new.target, make);
  }
  return make();
}

/**
 * The base of classes whose instances structuredClone and postMessage refuse. A clone of an
 * ordinary instance would be an empty object, and would fail only later, where it is used.
 */
const Uncloneable = markAsUncloneable && !process.versions.deno ? Marked : Unrunnable;

module.exports = { Uncloneable };
