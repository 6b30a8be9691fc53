'use strict';

// How a class of the façade makes its instances: the native part attaches its object to a new
// instance. A constructor gets either the options of its caller, or from one of its static methods
// a symbol that callers do not have, while the attachment waits here: an object for each instance
// would take a tenth of the time in which a secret is made.

const BY_STATIC_METHOD = Symbol('by a static method');
let waiting;

/** An instance of `Class` to which `attachment(instance)` attaches the native object. */
function construct(Class, attachment) {
  waiting = attachment;
  return new Class(BY_STATIC_METHOD);
}

/** Attaches to `instance` what `construct` was given, or `byOptions(instance, given)`. */
function attach(instance, given, byOptions) {
  if (given !== BY_STATIC_METHOD) return byOptions(instance, given);
  const attachment = waiting;
  waiting = undefined;
  return attachment(instance);
}

module.exports = { attach, construct };
