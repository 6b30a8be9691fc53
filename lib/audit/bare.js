'use strict';

// Objects that inherit nothing, for events and for the copies that loggers get. An assignment calls
// no setter of Object.prototype, and a reader of a missing member finds nothing there.
//
// An object whose prototype is null itself would be a table of hashes for V8, which takes three
// times as long to make and to write.

function Bare() {}
Bare.prototype = Object.freeze({ __proto__: null });

module.exports = { Bare };
