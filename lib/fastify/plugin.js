'use strict';

// Plugins of Fastify: the scope in which one holds, and the state of a request.

const { wrongType } = require('../options.js');
const { checkRoutes } = require('./routes.js');

/** Holds the state of a request. Another copy of this package uses the same. */
const STATE = Symbol.for('@nodesec/native: state of a request of Fastify');

/**
 * Makes a plugin that holds for the scope that registers it and for its children. `register` gets
 * the instance and the options.
 */
function plugin(name, register) {
  const made = async (instance, options) => {
    if (typeof instance?.addHook !== 'function') throw wrongType('instance', 'a Fastify instance');
    if (!instance.hasRequestDecorator('nodesec')) decorate(instance);
    checkRoutes(instance);
    register(instance, options);
  };
  // The documented symbols, which the package fastify-plugin would set.
  return Object.assign(made, {
    [Symbol.for('skip-override')]: true,
    [Symbol.for('fastify.display-name')]: `@nodesec/native ${name}`,
    [Symbol.for('plugin-meta')]: { name: `@nodesec/native ${name}`, fastify: '5.x' },
  });
}

function decorate(instance) {
  // Requests have the property from the start, and so the same shape.
  instance.decorateRequest(STATE, null);
  instance.decorateRequest('nodesec', {
    getter() {
      return stateOf(this);
    },
  });
}

/** The object `request.nodesec`. */
function stateOf(request) {
  request[STATE] ??= { auth: undefined, limit: undefined, login: undefined };
  return request[STATE];
}

module.exports = { plugin, stateOf };
