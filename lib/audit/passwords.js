'use strict';

const { CHANNELS, publish } = require('./publish.js');

const VERIFIED = CHANNELS['password.verified'];
const REFUSED = CHANNELS['password.refused'];

/** Publishes whether a password matches, and returns it. */
function publishVerdict(matches) {
  const channel = matches ? VERIFIED : REFUSED;
  if (channel.hasSubscribers) publish(channel, {});
  return matches;
}

module.exports = { publishVerdict };
