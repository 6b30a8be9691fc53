'use strict';

// Gives the events of the audit trail to a logger.

const { subscribe, unsubscribe } = require('node:diagnostics_channel');

const { wrongType } = require('../options.js');
const { Bare } = require('./bare.js');
const { CHANNELS } = require('./publish.js');

/** The method of a logger, by the outcome of an event. */
const METHODS = { ok: 'info', denied: 'warn', error: 'error' };

/**
 * Has a logger write each event from now on, as `logger.warn({ audit: event }, name)`. Returns the
 * function that ends it.
 */
function toPino(logger) {
  if (!Object.values(METHODS).every((method) => typeof Object(logger)[method] === 'function')) {
    throw wrongType('logger', 'a logger with the methods info, warn and error');
  }
  const names = Object.values(CHANNELS).map(({ name }) => name);
  const write = (event) => {
    // Looked up each time, because pino replaces its methods when its level changes.
    logger[METHODS[event.outcome]]({ audit: copyOf(event) }, event.event);
  };
  for (const name of names) subscribe(name, write);
  return function stop() {
    for (const name of names) unsubscribe(name, write);
  };
}

/** A copy that a logger may change, as pino does to redact. */
function copyOf(event) {
  const copy = copied(event);
  if (event.fields !== undefined) copy.fields = copied(event.fields);
  return copy;
}

function copied(object) {
  const copy = new Bare();
  for (const name of Object.keys(object)) copy[name] = object[name];
  return copy;
}

module.exports = { toPino };
