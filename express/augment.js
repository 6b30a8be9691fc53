'use strict';

// Types only: augment.d.ts declares the members that the middleware adds to requests.

module.exports = {};
