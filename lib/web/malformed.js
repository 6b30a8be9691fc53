'use strict';

// Tells the audit trail of requests that Node's parser of HTTP refuses, so that no middleware sees
// them: header splitting, smuggling, headers that are too large.

const { outside } = require('../audit/correlation.js');
const { publishMalformed } = require('../audit/requests.js');

/** Codes of the parser. Others are those of connections that break, also amid a body. */
const OF_PARSER = /^HPE_(?!INVALID_EOF_STATE$)[A-Z_]{1,60}$/;

const watched = new WeakSet();

/**
 * Publishes each request that a server refuses from now on. A listener for `clientError` would have
 * to answer in Node's place, so the event is looked at as it passes.
 */
function watchMalformed(server) {
  if (typeof server?.emit !== 'function' || watched.has(server)) return;
  watched.add(server);
  const { emit } = server;
  const value = function watchedEmit(name, ...args) {
    if (name === 'clientError' && OF_PARSER.test(args[0]?.code)) {
      outside(() => publishMalformed(args[0].code));
    }
    return emit.call(this, name, ...args);
  };
  Object.defineProperty(server, 'emit', { __proto__: null, value, configurable: true, writable: true });
}

module.exports = { watchMalformed };
