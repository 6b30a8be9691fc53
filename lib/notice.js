'use strict';

// Passes on the notices of the native part. The file that loads the native part cannot require the
// audit trail, which needs the native part itself.

let receive = () => {};

/** The native part calls this, within one of its functions. */
function notice(name) {
  receive(name);
}

/** Has `fn` called with the name of each notice from now on. */
function onNotice(fn) {
  receive = fn;
}

module.exports = { notice, onNotice };
