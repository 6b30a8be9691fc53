'use strict';

// Remembers proofs on a server within a deadline, and asks no server that does not answer.

const { randomBytes } = require('node:crypto');

const { CHANNELS, publish } = require('../audit/publish.js');
const { Breaker } = require('./breaker.js');
const { reasonOf } = require('./client.js');
const { evictionPolicy } = require('./eviction.js');
const { ReplayNames } = require('./replay-keys.js');
const { REMEMBER, VERDICTS } = require('./replay-script.js');
const { Silence, within } = require('./within.js');

const [UNAVAILABLE, AVAILABLE] = [CHANNELS['dpop.unavailable'], CHANNELS['dpop.available']];
const EVICTABLE = CHANNELS['dpop.evictable'];

/** The version of the marker and of the names. */
const VERSION = 1;
/** The reasons of a server that answers: it is asked again for each proof. */
const ANSWERED = new Set(['FORMAT', 'KEY', 'WRONGTYPE']);
const KNOWN = new Set(Object.values(VERDICTS));

class ReplayServer {
  #connection;
  #names;
  #keys;
  #deadlineMs;
  #breaker;
  /** The policy of the server, once it was asked for since the last outage. */
  #policy;

  constructor(connection, { prefix, keys, deadlineMs }) {
    this.#connection = connection;
    this.#names = new ReplayNames(prefix, VERSION);
    this.#keys = keys;
    this.#deadlineMs = deadlineMs;
    // The next call probes the server, because it has to write its proof anyway.
    this.#breaker = new Breaker(undefined, (reason) => this.#tell(reason));
  }

  /** Why the server did not answer the last call; undefined if it did. */
  get reason() {
    return this.#breaker.reason;
  }

  get evictionPolicy() {
    return this.#policy?.name;
  }

  /** Has the server begin before the first proof comes, which was made a moment ago. */
  begin(maxAge) {
    const { marker } = this.#names;
    this.#run([marker, marker], ['', '0', maxAge]).catch(() => {});
  }

  /**
   * Remembers a proof that was made at a time. Resolves to `{ verdict }`, or to `{ reason }` if the
   * server does not answer. Times are milliseconds.
   */
  async remember(fingerprint, made, maxAge) {
    if (this.#breaker.isOpen()) return { reason: this.reason };
    try {
      const keys = [this.#names.of(fingerprint), this.#names.marker];
      const call = this.#run(keys, [randomBytes(8), `${made}`, maxAge]);
      const verdict = `${await within(this.#deadlineMs, call)}`;
      // A proxy may answer something else.
      if (!KNOWN.has(verdict)) throw new Error('REPLY is none of the script');
      this.#breaker.answered();
      this.#askPolicy();
      return { verdict };
    } catch (error) {
      const reason = error instanceof Silence ? 'deadline' : reasonOf(error);
      if (ANSWERED.has(reason)) this.#breaker.refused(reason);
      else this.#breaker.failed(reason);
      return { reason };
    }
  }

  #run(names, [call, made, maxAge]) {
    return this.#connection.script(REMEMBER, names, [call, made, `${maxAge}`, this.#keys.check]);
  }

  #tell(reason) {
    if (reason === undefined) {
      if (AVAILABLE.hasSubscribers) publish(AVAILABLE, {});
      return;
    }
    // Another server may answer next.
    this.#policy = undefined;
    if (UNAVAILABLE.hasSubscribers) publish(UNAVAILABLE, { reason });
  }

  /** Asks once for the policy by which the server drops names. No call waits for it. */
  async #askPolicy() {
    if (this.#policy !== undefined) return;
    const asked = { name: undefined };
    this.#policy = asked;
    const route = { key: this.#names.marker };
    asked.name = await evictionPolicy((...args) => this.#connection.command(args, route));
    const { name } = asked;
    // Every policy but this one drops names that expire.
    if (name === undefined || name === 'noeviction' || this.#policy !== asked) return;
    process.emitWarning(
      `a Redis with a replay cache has maxmemory-policy ${name}: when its memory is full, it drops ` +
        'proofs, which then count once more; set noeviction',
      { code: 'NODESEC_REDIS_EVICTION' },
    );
    if (EVICTABLE.hasSubscribers) publish(EVICTABLE, { policy: name });
  }
}

module.exports = { ReplayServer };
