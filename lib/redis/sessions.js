'use strict';

const { clockOf, useClock } = require('../clock.js');
const { attachedBy } = require('../construct.js');
const { makeError } = require('../errors.js');
const { isPlainObject, native } = require('../native.js');
const { Sessions } = require('../session.js');
const { connect } = require('./client.js');
const { SessionEngine } = require('./session-engine.js');
const { SessionServer } = require('./session-server.js');

class RedisSessions extends Sessions {
  constructor(options) {
    super(attachedBy((sessions) => attachRemote(sessions, options)));
  }
}

/** Attaches sessions on a server. Returns their engine and issuer. */
function attachRemote(sessions, options) {
  let given = options;
  let connection;
  if (isPlainObject(options)) {
    // Not copied: it is the caller's object, and may have any members.
    const { client, ...rest } = options;
    if (client !== undefined) connection = connect(client);
    given = rest;
  }
  const [checked, clock] = useClock(sessions, given);
  const terms = { __proto__: null, ...native.sessionsRemoteAttach(sessions, checked) };
  if (connection === undefined) throw makeError('ERR_MISSING_OPTION', 'option "client" is required');
  const { issuer, revocations } = checked;
  const clocks = [clock, clockOf(issuer), clockOf(revocations)].filter(Boolean);
  const server = new SessionServer(connection, terms);
  return { engine: new SessionEngine(sessions, { server, terms, clock, clocks }), issuer };
}

module.exports = { RedisSessions };
