'use strict';

// Keeps a key ring and a server equal: looks at the server, takes the versions of other processes,
// and writes the changes of this one.

const { setTimeout: sleep } = require('node:timers/promises');

const { publishKeyChanges } = require('../audit/keys.js');
const { NodesecError, makeError, withCause } = require('../errors.js');
const { isPlainObject, native } = require('../native.js');
const { connect, reasonOf } = require('./client.js');
const { RingRecord, headOf } = require('./ring-record.js');
const { RingState } = require('./ring-state.js');
const { rounds } = require('./rounds.js');
const { Silence, within } = require('./within.js');

/** How often the server is looked at, in milliseconds. */
const LOOK_MS = 1000;
/** The longest time for an answer of the server, in milliseconds. */
const PATIENCE_MS = 1000;
/** The longest time from the call of a change, and for opening, in milliseconds. */
const CHANGE_MS = 5000;
/** The time between two attempts, in milliseconds. */
const RETRY_MS = 50;
/** The time after an attempt to do what is due that has failed, in milliseconds. */
const DUE_RETRY_MS = 10_000;

/** The reasons that may go by while a call waits. */
const TRANSIENT = new Set(
  ('connection ASK BUSY CLUSTERDOWN LOADING MASTERDOWN MOVED READONLY TRYAGAIN UNBLOCKED').split(' '),
);

/** The time that a call has from now on, and the error of its last attempt. */
class Wait {
  until = performance.now() + CHANGE_MS;
  error = new Silence();
}

class RingLink {
  #connection;
  /** Our own: that of the caller may be silent, or at another database, without notice. */
  #own;
  #opening = {};
  #record;
  #ring;
  #state = new RingState();
  /** The number of the version. */
  #version;
  #dueFrom = -Infinity;
  /** The look or change that is running. */
  #last = Promise.resolve();
  /** Nothing begins any more, or is tried again. */
  #closing = new AbortController();
  /** No answer is waited for any more. */
  #ending = new AbortController();
  #closed;
  #running;

  constructor(options) {
    let given = options;
    if (isPlainObject(options)) {
      const { client, ...rest } = options;
      if (client === undefined) {
        throw makeError('ERR_MISSING_OPTION', 'option "client" is required');
      }
      this.#connection = connect(client);
      given = rest;
    }
    const { prefix } = { __proto__: null, ...native.keyringServerOpening(this.#opening, given) };
    this.#record = new RingRecord(prefix, (run) => this.#send(run));
  }

  /** Reads the ring, or makes it. Resolves to its carrier. */
  async start() {
    const { canBlock } = this.#connection;
    this.#own = canBlock ? await this.#connection.blocking() : this.#connection;
    try {
      this.#ring = await this.#patiently(() => this.#open());
    } catch (error) {
      this.#end();
      throw error;
    }
    this.#isFollowing();
    this.#running = this.#run();
    return this.#ring;
  }

  /** Makes a change of a kind, with the arguments of the caller. */
  async change(kind, given, options) {
    // A rotation replaces the keys that the caller has seen.
    const argument = kind === 'rotate' ? native.keyringServerSeen(this.#ring) : given;
    native.keyringServerCheck(kind, argument, options);
    const wait = new Wait();
    const tried = [];
    const attempt = () => this.#attempt(kind, argument, options, tried);
    const changed = this.#exclusively(() => this.#patiently(attempt, wait));
    // It may wait for others, or for an answer.
    return within(CHANGE_MS, changed).catch((error) => {
      throw error instanceof Silence ? unconfirmed(wait.error) : error;
    });
  }

  status() {
    return { ...this.#state.report(), version: this.#version };
  }

  /** Waits for the attempt that is on its way. */
  async close() {
    this.#closed ??= this.#close();
    await this.#closed;
  }

  async #close() {
    this.#closing.abort();
    await this.#exclusively(() => this.#end());
    native.keyringServerClose(this.#ring);
    await this.#running;
  }

  #end() {
    this.#closing.abort();
    this.#ending.abort();
    if (this.#own !== this.#connection) this.#own?.close();
    this.#state.close();
  }

  async #run() {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      await this.#exclusively(() => this.#lookAndDo());
      await sleep(LOOK_MS, undefined, { ref: false, signal }).catch(() => {});
    }
  }

  /** Takes what the server has, and does what is due. */
  async #lookAndDo() {
    if (this.#closing.signal.aborted) return;
    try {
      await this.#look();
      const now = performance.now();
      if (now < this.#dueFrom || !native.keyringServerDue(this.#ring)) return;
      this.#dueFrom = now + DUE_RETRY_MS;
      await this.#attempt('due');
      if (!native.keyringServerDue(this.#ring)) this.#dueFrom = -Infinity;
    } catch (error) {
      this.#lost(error);
    }
  }

  async #open() {
    for (const next = rounds(lost); ; next()) {
      const { head, bytes } = await this.#record.read();
      if (bytes !== undefined) {
        // Not of a replica, which may lag.
        await this.#record.head();
        return native.keyringServerOpen(this.#opening, bytes);
      }
      await this.#record.write(head, await native.keyringServerCreate(this.#opening));
    }
  }

  /** Takes the version that the server has, or gives it that of this process if it is newer. */
  async #look() {
    const head = Buffer.from(await this.#record.head(), 'hex');
    const next = rounds(lost);
    while (!native.keyringServerHas(this.#ring, head)) {
      if (await this.#reconcile()) break;
      next();
    }
    publishKeyChanges();
    this.#isFollowing();
  }

  #isFollowing() {
    this.#version = Number(native.keyringServerHead(this.#ring).readBigUInt64BE(1));
    this.#state.following();
  }

  /** Whether the server and this process have the same version then. */
  async #reconcile() {
    const { head, bytes } = await this.#record.read();
    const found = await native.keyringServerRead(this.#ring, bytes);
    if (found === 'same') return true;
    const isMerge = found === 'apart';
    const { value } = await this.#propose(isMerge ? 'merge' : 'restore', bytes);
    const isWritten = await this.#write(head, value);
    if (isWritten) this.#state.restored(isMerge);
    return isWritten;
  }

  /**
   * Makes a change of the newest version. Throws if it is not known to be made. `tried` gets the
   * versions with the change: the server may have one that it has not confirmed.
   */
  async #attempt(kind, argument, options, tried = []) {
    for (const next = rounds(lost); ; next()) {
      await this.#look();
      const made = tried.find((each) => native.keyringServerIncludes(this.#ring, each.head));
      if (made !== undefined) return made.kid;
      const { value, kid } = await this.#propose(kind, argument, options);
      if (value === undefined) return kid;
      tried.push({ head: Buffer.from(headOf(value), 'hex'), kid });
      const head = native.keyringServerHead(this.#ring).toString('hex');
      if (await this.#write(head, value)) return kid;
    }
  }

  async #propose(kind, argument, options) {
    const proposal = await native.keyringServerPropose(this.#ring, kind, argument, options);
    return { __proto__: null, ...proposal };
  }

  /** Writes a version, and takes it if the server has it then. */
  async #write(head, bytes) {
    let isWritten = false;
    try {
      isWritten = await this.#written(head, bytes);
    } finally {
      native.keyringServerSettle(this.#ring, isWritten);
      publishKeyChanges();
    }
    if (isWritten) this.#isFollowing();
    return isWritten;
  }

  async #written(head, bytes) {
    try {
      return await this.#record.write(head, bytes);
    } catch (error) {
      if (!isTransient(error)) throw error;
      // The server may have written it without an answer.
      this.#renew(error);
      if ((await this.#record.head()) === headOf(bytes)) return true;
      throw error;
    }
  }

  /** Calls `attempt` until it succeeds, or fails for good, or takes too long. */
  async #patiently(attempt, wait = new Wait()) {
    const { signal } = this.#closing;
    while (performance.now() < wait.until) {
      if (signal.aborted) throw closed();
      try {
        return await attempt();
      } catch (thrown) {
        const error = thrown ?? new Error('the client gave no reason');
        wait.error = error;
        if (error instanceof NodesecError) throw error;
        this.#lost(error);
        if (!isTransient(error)) break;
      }
      await sleep(RETRY_MS, undefined, { signal }).catch(() => {});
      if (signal.aborted) break;
    }
    throw unconfirmed(wait.error);
  }

  /** Runs after the look or change that is running. */
  #exclusively(run) {
    const result = this.#last.then(run);
    this.#last = result.catch(() => {});
    return result;
  }

  #lost(error) {
    this.#renew(error);
    this.#state.lost(reasonFor(error));
  }

  /** Drops a connection that is silent, or leads to a replica: a new one may find the primary. */
  #renew(error) {
    if (error instanceof Silence || reasonOf(error) === 'READONLY') this.#own.replace?.();
  }

  #send(run) {
    const { signal } = this.#ending;
    if (signal.aborted) throw closed();
    return within(PATIENCE_MS, run(this.#own), signal);
  }
}

function isTransient(error) {
  return error instanceof Silence || TRANSIENT.has(reasonFor(error));
}

/** The reason of an error, in one or two words. */
function reasonFor(error) {
  if (error instanceof Silence) return 'no answer';
  return error instanceof NodesecError ? error.code : reasonOf(error);
}

function closed() {
  return makeError('ERR_KEYRING_STORE', 'the key ring is closed; close it after the last request');
}

function lost() {
  return new Error('LOST: the server does not have the ring that it has confirmed');
}

function unconfirmed(cause) {
  const message =
    `the server of the key ring has not confirmed the call (${reasonFor(cause)}), which it may ` +
    'still carry out: look at the server, and call again';
  return withCause(makeError('ERR_KEYRING_STORE', message), cause);
}

module.exports = { RingLink };
