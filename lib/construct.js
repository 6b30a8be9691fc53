'use strict';

// How a class of the façade makes its instances: the native part attaches its object to a new
// instance. A constructor gets either the options of its caller, or from one of its static methods
// an Attachment, which callers cannot make.

class Attachment {
  #attach;

  constructor(attach) {
    this.#attach = attach;
  }

  /** Attaches to `instance` by the given attachment, or by `byOptions(instance, given)`. */
  static attach(instance, given, byOptions) {
    return #attach in Object(given) ? given.#attach(instance) : byOptions(instance, given);
  }
}

/** An instance of `Class` to which `attach(instance)` attaches the native object. */
function construct(Class, attach) {
  return new Class(new Attachment(attach));
}

module.exports = { attach: Attachment.attach, construct };
