'use strict';

// Publishes the events of the audit trail on channels of node:diagnostics_channel.
//
// The callers look at `hasSubscribers` of a channel first, so that without a subscriber nothing is
// computed. Publishing never fails: the operation that an event reports has already happened. Node
// calls the subscribers at once and throws their errors later, as uncaught exceptions.

const { channel } = require('node:diagnostics_channel');

const raw = require('../load.js');
const { onNotice } = require('../notice.js');
const { EVENTS, FAILURES, HASHED } = require('./events.js');

const PREFIX = 'nodesec:';

/** Channels by event. They are kept here, because Node collects channels that nobody holds. */
const CHANNELS = Object.fromEntries(
  Object.keys(EVENTS).map((event) => [event, channel(`${PREFIX}${event}`)]),
);

/**
 * Publishes an event. `ids` are bare ids by the member that holds their hash. A member that is
 * undefined is left out, and so is the hash of a value that is no id.
 */
function publish(to, members, ids = {}) {
  const event = to.name.slice(PREFIX.length);
  const { outcome } = EVENTS[event];
  const id = raw.uuidV7();
  const common = {
    event,
    time: Date.now(),
    // An error, as a value, only if the system gives no random bytes.
    id: typeof id === 'string' ? id : '',
    outcome,
  };
  const hashes = HASHED.filter((name) => Object.hasOwn(ids, name));
  // Not by assignment, which would call a setter of Object.prototype.
  const entries = [
    ...Object.entries({ ...common, ...members }),
    ...hashes.map((name) => [name, hashed(name, ids[name])]),
  ];
  const present = entries.filter(([, value]) => value !== undefined);
  to.publish(Object.freeze(Object.fromEntries(present)));
}

/** The hash of an id, undefined for a value that is none and if there is no memory for the key. */
function hashed(name, id) {
  if (id === undefined) return undefined;
  const hash = raw.auditHash(name, id);
  return typeof hash === 'string' ? hash : undefined;
}

/** Publishes the event of an error's code, if it has one. */
function publishFailure(code) {
  const [, event] = FAILURES.find(([prefix]) => code.startsWith(prefix)) ?? [];
  if (event !== undefined && CHANNELS[event].hasSubscribers) publish(CHANNELS[event], { code });
}

/** The events of the native part's notices, and their members. */
const NOTICES = new Map([
  ['degraded', [CHANNELS['secret.degraded'], { code: 'NODESEC_SECRET_DEGRADED' }]],
  ['overflowed', [CHANNELS['secret.overflowed'], {}]],
]);

onNotice((name) => {
  const [to, members] = NOTICES.get(name);
  // Later, because no subscriber may run below a native frame.
  if (to.hasSubscribers) queueMicrotask(() => publish(to, members));
});

module.exports = { CHANNELS, publish, publishFailure };
