'use strict';

// Runs the scripts of sessions within a deadline. Every failure is ERR_SESSION_STORE.

const { CHANNELS, publish, publishFailure } = require('../audit/publish.js');
const { makeError, withCause } = require('../errors.js');
const { reasonOf } = require('./client.js');
const { Silence, within } = require('./within.js');

const [UNAVAILABLE, AVAILABLE] = [CHANNELS['session.unavailable'], CHANNELS['session.available']];

/** The version of the rows, which session-script.js describes. */
const VERSION = 1;
/** The answers that say nothing about other sessions. */
const OF_ONE_KEY = new Set(['FORMAT', 'WRONGTYPE']);
/** The reasons for which it is not known whether the server has done the call. */
const UNKNOWN = new Set(['connection', 'deadline']);

class SessionServer {
  #connection;
  #prefix;
  #deadlineMs;
  /** The time in seconds after which no answer is used, however busy this process was. */
  patience;
  /** Why the server did not answer the last call; undefined if it did. */
  #reason;

  constructor(connection, { prefix, deadline }) {
    this.#connection = connection;
    this.#prefix = prefix;
    this.#deadlineMs = deadline;
    this.patience = Math.ceil(deadline / 1000);
  }

  /** Runs a script on the sessions of a tag. Resolves to its reply, an array. */
  async run(script, tag, args) {
    const began = performance.now();
    try {
      const call = this.#connection.script(script, this.#key(tag), args);
      const reply = await within(this.#deadlineMs, call);
      // Other processes revoke no access token that is issued later.
      if (performance.now() - began > 1000 * this.patience) throw new Silence();
      // A cluster or a proxy may answer something else.
      if (!Array.isArray(reply)) throw new Error('REPLY is none of a script');
      this.#become(undefined);
      return reply;
    } catch (error) {
      const reason = error instanceof Silence ? 'deadline' : reasonOf(error);
      if (!OF_ONE_KEY.has(reason)) this.#become(reason);
      publishFailure('ERR_SESSION_STORE');
      throw failed(reason, error);
    }
  }

  /**
   * Deletes the rows of sessions whose access tokens have been revoked. Nobody waits for it: a row
   * that stays refreshes nothing.
   */
  forget(tag, ids) {
    const key = this.#key(tag);
    this.#connection.command(['hdel', key, ...ids], { key }).catch(() => {});
  }

  /** The braces give all sessions of a subject to one node of a cluster. */
  #key(tag) {
    return `${this.#prefix}:${VERSION}:{${tag}}`;
  }

  #become(reason) {
    if (reason === this.#reason) return;
    this.#reason = reason;
    if (reason === undefined) {
      if (AVAILABLE.hasSubscribers) publish(AVAILABLE, {});
    } else if (UNAVAILABLE.hasSubscribers) {
      publish(UNAVAILABLE, { reason });
    }
  }
}

function failed(reason, cause) {
  const message = UNKNOWN.has(reason)
    ? `the server of the sessions has not answered (${reason}), and may have done the call: repeat ` +
      'it, with the same refresh token'
    : `the server of the sessions has refused the call (${reason}): correct the cause, and repeat ` +
      'it; docs/redis.md lists the causes';
  return withCause(makeError('ERR_SESSION_STORE', message), cause);
}

module.exports = { SessionServer };
