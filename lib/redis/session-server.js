'use strict';

// Runs the scripts of sessions within a deadline. Every failure is ERR_SESSION_STORE.

const { CHANNELS, publish, publishFailure } = require('../audit/publish.js');
const { makeError, withCause } = require('../errors.js');
const { reasonOf } = require('./client.js');
const { ServerTime } = require('./server-time.js');
const { VERDICTS } = require('./session-script.js');
const { Silence, within } = require('./within.js');

const [UNAVAILABLE, AVAILABLE] = [CHANNELS['session.unavailable'], CHANNELS['session.available']];

/** The version of the rows, which session-script.js describes. */
const VERSION = 1;
/** The answers that say nothing about other sessions. */
const OF_ONE_KEY = new Set(['FORMAT', 'WRONGTYPE']);
/** How often a call is sent whose time has passed by a clock of the server that was not known. */
const ATTEMPTS = 3;
/** The reasons for which it is not known whether the server has done the call. */
const UNKNOWN = new Set(['connection', 'deadline']);

class SessionServer {
  #connection;
  #prefix;
  #deadlineMs;
  /** The time in seconds after which no answer is used, however busy this process was. */
  patience;
  #time = new ServerTime();
  /** Why the server did not answer the last call; undefined if it did. */
  #reason;

  constructor(connection, { prefix, deadline }) {
    this.#connection = connection;
    this.#prefix = prefix;
    this.#deadlineMs = deadline;
    this.patience = Math.ceil(deadline / 1000);
  }

  /** Runs a script on the sessions of a tag. Resolves to its reply: the verdict, and the rest. */
  async run(script, tag, args) {
    const began = performance.now();
    try {
      const call = this.#answer(script, this.#key(tag), args, began + this.#deadlineMs);
      const reply = await within(this.#deadlineMs, call);
      // Other processes revoke no access token that is issued later.
      if (performance.now() - began > 1000 * this.patience) throw new Silence();
      this.#become(undefined);
      return reply;
    } catch (error) {
      const reason = error instanceof Silence ? 'deadline' : reasonOf(error);
      if (!OF_ONE_KEY.has(reason)) this.#become(reason);
      throw refused(reason, error);
    }
  }

  /** Sends a script that the server runs only until a moment of the monotonic clock. */
  async #answer(script, key, args, until) {
    const isCurrent = () => performance.now() < until;
    for (let attempt = 0; attempt < ATTEMPTS && isCurrent(); attempt += 1) {
      const sent = performance.now();
      const all = [...args, `${this.#time.at(until)}`];
      const reply = await this.#connection.script(script, key, all, isCurrent);
      // A cluster or a proxy may answer something else.
      const [time, verdict, ...rest] = Array.isArray(reply) ? reply : [];
      const isLate = Number(verdict) === VERDICTS.late;
      if (!(Number(time) > 0) || !(isLate || script.verdicts.has(Number(verdict)))) {
        throw new Error('REPLY is none of a script');
      }
      // An answer that nobody waits for any more tells the time too roughly.
      if (isCurrent()) this.#time.note(Number(time), sent, performance.now());
      if (!isLate) return [Number(verdict), ...rest];
    }
    throw new Silence();
  }

  /** The error of a call whose reply, or the rows behind it, are none of ours. */
  foreign(reason) {
    return refused(reason, new Error(`${reason} the reply is not one of sessions`));
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

function refused(reason, cause) {
  publishFailure('ERR_SESSION_STORE');
  const message = UNKNOWN.has(reason)
    ? `the server of the sessions has not answered (${reason}), and may have done the call: repeat ` +
      'it, with the same refresh token'
    : `the server of the sessions has refused the call (${reason}): correct the cause, and repeat ` +
      'it; docs/redis.md lists the causes';
  return withCause(makeError('ERR_SESSION_STORE', message), cause);
}

module.exports = { SessionServer };
