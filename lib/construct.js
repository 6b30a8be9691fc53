'use strict';

// Makes instances of the façade's classes: the native part attaches its object to a new instance. A
// constructor receives either the caller's options or, from a static method of its class, a symbol
// that callers do not have. In the second case the attaching function is passed in a variable of
// this module: an object for each instance would take a tenth of the time of making a secret.

const BY_STATIC_METHOD = Symbol('by a static method');
let waiting;

/**
 * Returns an instance of `Class` to which `attachment(instance)` has attached its native object.
 */
function construct(Class, attachment) {
  return new Class(attachedBy(attachment));
}

/**
 * The argument with which a subclass calls the constructor of its class, so that
 * `attachment(instance)` attaches the native object.
 */
function attachedBy(attachment) {
  waiting = attachment;
  return BY_STATIC_METHOD;
}

/**
 * Calls the function that `construct` received, or `byOptions(instance, given)` if a caller has
 * used the constructor.
 */
function attach(instance, given, byOptions) {
  if (given !== BY_STATIC_METHOD) return byOptions(instance, given);
  const attachment = waiting;
  waiting = undefined;
  return attachment(instance);
}

module.exports = { attach, attachedBy, construct };
