'use strict';

const { markAsUncloneable } = require('node:worker_threads');

class Marked {
  constructor() {
    markAsUncloneable(this);
  }
}

/** Of each class, a generator function that makes its instances. */
const makers = new WeakMap();

// Node has had the mark since 22.10. What V8 itself refuses to clone, and makes at next to no cost,
// is a generator: here one that nobody can run, since its prototype is that of the class.
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
 * What extends it is refused by structuredClone and postMessage. A clone of an ordinary object of a
 * class would be an empty one, and found to be useless somewhere else.
 */
const Uncloneable = markAsUncloneable ? Marked : Unrunnable;

module.exports = { Uncloneable };
