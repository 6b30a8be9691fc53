'use strict';

// Listens to the audit trail.

const { subscribe, unsubscribe } = require('node:diagnostics_channel');
const { setImmediate: turn } = require('node:timers/promises');

const { channels } = require('@nodesec/native/audit');

/**
 * Resolves to the events of all channels during `fn`, and of the turn of the event loop after it.
 */
async function heard(fn) {
  const events = [];
  const listener = (event, channel) => events.push({ event, channel });
  for (const channel of channels) subscribe(channel, listener);
  try {
    await fn();
    await turn();
  } finally {
    for (const channel of channels) unsubscribe(channel, listener);
  }
  for (const { event, channel } of events) {
    if (channel !== `nodesec:${event.event}`) throw new Error(`${event.event} came on ${channel}`);
  }
  return events.map(({ event }) => event);
}

module.exports = { heard };
