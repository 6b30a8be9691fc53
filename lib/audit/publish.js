'use strict';

// Publishes the events of the audit trail on channels of node:diagnostics_channel.
//
// The callers look at `hasSubscribers` of a channel first, so that without a subscriber nothing is
// computed. Publishing never fails: the operation that an event reports has already happened. Node
// calls the subscribers at once and throws their errors later, as uncaught exceptions.

const { channel } = require('node:diagnostics_channel');

const raw = require('../load.js');
const { onNotice } = require('../notice.js');
const { Bare } = require('./bare.js');
const { context } = require('./correlation.js');
const { EVENTS, FAILURES } = require('./events.js');

const PREFIX = 'nodesec:';

/** Without a prototype, a missing id is not read from Object.prototype. */
const NO_CONTEXT = Object.freeze({ __proto__: null });

/** Channels by event. They are kept here, because Node collects channels that nobody holds. */
const CHANNELS = Object.fromEntries(
  Object.keys(EVENTS).map((event) => [event, channel(`${PREFIX}${event}`)]),
);

/** The name and the only outcome of the event of a channel. */
const KNOWN = new Map(
  Object.keys(EVENTS).map((event) => [CHANNELS[event], { event, outcome: EVENTS[event].outcome }]),
);

/**
 * Publishes an event. `ids` are bare ids by the member that holds their hash. A member that is
 * undefined is left out, and so is the hash of a value that is no id.
 */
function publish(to, members, ids = {}) {
  const { event, outcome } = KNOWN.get(to);
  const id = raw.uuidV7();
  const all = new Bare();
  all.event = event;
  all.time = Date.now();
  // The id is an error, as a value, only if the system gives no random bytes.
  all.id = typeof id === 'string' ? id : '';
  all.outcome = outcome;
  const { correlationId, traceId } = context() ?? NO_CONTEXT;
  if (correlationId !== undefined) all.correlationId = correlationId;
  if (traceId !== undefined) all.traceId = traceId;
  for (const name of Object.keys(members)) {
    if (members[name] !== undefined) all[name] = members[name];
  }
  for (const name of Object.keys(ids)) {
    const hash = hashed(name, ids[name]);
    if (hash !== undefined) all[name] = hash;
  }
  to.publish(Object.freeze(all));
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
