'use strict';

// Keeps a list and a server equal: follows the stream, publishes the revocations of this process,
// and tells of outages.

const { setTimeout: sleep } = require('node:timers/promises');

const { makeError } = require('../errors.js');
const { isPlainObject, native } = require('../native.js');
const { connect } = require('./client.js');
const { ClockLag } = require('./clock-lag.js');
const { Silence, within } = require('./within.js');
const { FingerprintKeys } = require('./fingerprint-keys.js');
const { LinkState } = require('./link-state.js');
const { LaterRelease, reasonFor, unread } = require('./revocation-errors.js');
const { RevocationFollower } = require('./revocation-follower.js');
const { NotPrimary, RevocationLog, SLACK_MS } = require('./revocation-log.js');
const { RevocationPublisher } = require('./revocation-publisher.js');

/** How often a client that has one connection asks for entries, in milliseconds. */
const POLL_MS = 50;
/** The shortest time for an answer of the server, in milliseconds. */
const LEAST_PATIENCE_MS = 250;
/** The waits between attempts to reach the server, in milliseconds. */
const FIRST_RETRY_MS = 50;
const LAST_RETRY_MS = 1000;
/** How often the members that all processes share are read again, in milliseconds. */
const AGREE_MS = { least: 5000, most: 60_000 };

class RevocationLink {
  #list;
  #options;
  #terms;
  #connection;
  /** Our own connection; that of a client with `send` is the caller's. */
  #own;
  #patience;
  #blockMs;
  #log;
  #keys;
  #follower;
  #lag;
  #publisher;
  #state;
  /** How long all processes need the entries of the stream, in milliseconds. */
  #life;
  #agreedAt = -Infinity;
  #isBroken = false;
  /** Whether the last rows that were published again have arrived. */
  #canPublish = true;
  #closing = new AbortController();
  #running;

  /** Puts the list on the server, so that it refuses until it was read. */
  constructor(options) {
    this.#options = options;
    if (isPlainObject(options)) {
      const { client, ...rest } = options;
      if (client === undefined) {
        throw makeError('ERR_MISSING_OPTION', 'option "client" is required');
      }
      this.#connection = connect(client);
      if (typeof rest.waitReplicas === 'number' && rest.waitReplicas > 0 && !this.#connection.canRoute) {
        const message = 'waitReplicas works with no Cluster of ioredis: it sends WAIT to any node';
        throw makeError('ERR_INVALID_ARG_VALUE', message);
      }
      this.#options = rest;
      this.#list = rest.list;
    }
    this.#terms = { __proto__: null, ...this.#attach() };
    const { maxStaleness, prefix, life } = this.#terms;
    this.#life = life;
    this.#blockMs = Math.floor(maxStaleness / 4);
    this.#patience = Math.max(this.#blockMs, LEAST_PATIENCE_MS);
    this.#state = new LinkState(maxStaleness);
    const send = (args, route) => this.#send(args, route, this.#patience);
    this.#log = new RevocationLog(prefix, send, {
      asksRole: this.#connection.canRoute || this.#connection.isCluster,
      isCluster: this.#connection.isCluster,
      roleRefused: () => this.#state.roleRefused(),
    });
    this.#keys = new FingerprintKeys(this.#log);
    this.#lag = new ClockLag(this.#terms.hasKey, (row) => this.#isOwn(row));
    this.#follower = new RevocationFollower({
      added: (entries) => this.#lag.read(entries, this.#life),
      blockMs: this.#blockMs,
      isExpired: (row) => !native.revocationRemoteNeeds(this.#list, row),
      log: this.#log,
      now: () => native.revocationRemoteNow(),
      take: (texts) => this.#take(texts),
      wait: (last, waits) => this.#wait(last, waits),
    });
  }

  /** Resolves when the list has everything. Rejects if that takes longer than `maxStaleness`. */
  async start() {
    const { canBlock } = this.#connection;
    const connect = () => (canBlock ? this.#connection.blocking() : this.#connection);
    this.#own = await connect();
    this.#publisher = new RevocationPublisher({
      // The XREAD that waits holds up all commands of its connection, and so does WAIT. That of the
      // caller may be silent, or at another database, without notice.
      connection: await connect(),
      failed: (reason) => this.#state.unpublished(reason),
      least: () => this.#least(),
      list: this.#list,
      log: this.#log,
      patience: this.#patience,
      published: (id) => this.#follower.published(id),
      waitReplicas: this.#terms.waitReplicas,
    });
    // Revocations may have come before.
    this.#publisher.publish();
    const until = native.revocationRemoteNow() + this.#terms.maxStaleness;
    let retry = FIRST_RETRY_MS;
    while (!this.#state.isFollowing) {
      const error = await this.#attempt();
      const now = native.revocationRemoteNow();
      if (error === undefined && (this.#state.isFollowing || now < until)) continue;
      if (now + retry > until) {
        await this.close();
        throw unread(error ?? new Error('the stream is another one each time'));
      }
      await sleep(retry);
      retry *= 2;
    }
    this.#running = this.#run();
  }

  status() {
    const [waiting, unconfirmed] = native.revocationRemoteCount(this.#list);
    const { published } = this.#publisher;
    return { ...this.#state.report(), published, unconfirmed, waiting };
  }

  async close() {
    if (this.#closing.signal.aborted) return this.#running;
    this.#publisher?.publish();
    await this.#publisher?.close();
    this.#closing.abort();
    native.revocationRemoteDetach(this.#list);
    if (this.#own !== this.#connection) this.#own?.close();
    this.#state.close();
    return this.#running;
  }

  async #run() {
    const { signal } = this.#closing;
    let retry = FIRST_RETRY_MS;
    while (!signal.aborted) {
      const error = await this.#attempt();
      if (error === undefined) {
        retry = FIRST_RETRY_MS;
      } else {
        await sleep(retry, undefined, { ref: false, signal }).catch(() => {});
        retry = Math.min(2 * retry, LAST_RETRY_MS, this.#blockMs);
      }
    }
  }

  /** Does one step. Returns its error. */
  async #attempt() {
    try {
      await this.#step();
      this.#isBroken = false;
      return undefined;
    } catch (thrown) {
      // A client may reject with undefined, which here means that the step was done.
      const error = thrown ?? new Error('the client gave no reason');
      if (this.#closing.signal.aborted) return error;
      this.#isBroken = true;
      this.#follower.broke();
      // A new connection may find the new primary.
      if (error instanceof NotPrimary) this.#own.replace?.();
      this.#state.lost(reasonFor(error));
      // The list was closed before its RedisRevocations.
      if (error?.code === 'ERR_REVOCATION_CLOSED') this.close();
      return error;
    }
  }

  async #step() {
    const follower = this.#follower;
    const wasRead = follower.hasRead;
    if (!wasRead || this.#isBroken || native.revocationRemoteNow() >= this.#agreedAt) {
      await this.#agree();
    }
    const moment = await this.#read();
    // Another RedisRevocations may have the list meanwhile.
    this.#closing.signal.throwIfAborted();
    if (moment !== undefined) {
      native.revocationRemoteConfirm(this.#list, moment);
      this.#state.following(native.revocationRemoteNow() - moment);
    }
    if (!follower.hasRead) return;
    if (!wasRead) this.#state.checkPolicy(await this.#log.evictionPolicy());
    if (this.#unconfirmed() === 0) return;
    const count = await this.#publisher.publishAgain();
    this.#canPublish = count > 0;
    if (count > 0) this.#state.republished(count);
  }

  #read() {
    const follower = this.#follower;
    if (!follower.hasRead) {
      native.revocationRemoteDoubt(this.#list);
      return follower.readAll();
    }
    if (this.#isBroken) return follower.compare();
    return follower.next(this.#unconfirmed() === 0 || !this.#canPublish);
  }

  /** Reads the members that all processes share, and writes those that this one knows better. */
  async #agree() {
    const { maxStaleness, life, hasKey } = this.#terms;
    const shared = Number(await this.#log.meta('life')) || 0;
    this.#life = Math.max(shared, life);
    if (shared < life) await this.#log.setMeta('life', `${life}`);
    const found = hasKey ? undefined : await this.#keys.agree();
    this.#closing.signal.throwIfAborted();
    if (found !== undefined) {
      native.revocationRemoteDetach(this.#list);
      this.#attach(found.keys);
      this.#keys.use(found.record);
      this.#follower.restart();
    }
    const pause = Math.min(Math.max(maxStaleness, AGREE_MS.least), AGREE_MS.most);
    this.#agreedAt = native.revocationRemoteNow() + pause;
  }

  #attach(keys) {
    return native.revocationRemoteAttach(this.#options, keys, () => this.#publisher?.publish());
  }

  #take(texts) {
    const found = native.revocationRemoteApply(this.#list, texts.join(','));
    const [, , foreign, newer] = found;
    this.#state.took(found);
    // The keys of fingerprints may have been drawn anew.
    if (foreign > 0) this.#agreedAt = -Infinity;
    if (newer > 0) throw new LaterRelease();
  }

  /** Sends the XREAD that waits for entries. */
  async #wait(last, waits) {
    if (this.#connection.canBlock) {
      const args = this.#log.waiting(last, waits ? this.#blockMs : undefined);
      return this.#send(args, { key: this.#log.key }, this.#blockMs + this.#patience);
    }
    const { signal } = this.#closing;
    if (waits) await sleep(POLL_MS, undefined, { ref: false, signal });
    return this.#send(this.#log.waiting(last), { key: this.#log.key }, this.#patience);
  }

  async #send(args, route, patience) {
    try {
      return await within(patience, this.#own.command(args, route), this.#closing.signal);
    } catch (error) {
      if (error instanceof Silence) this.#silent();
      throw error;
    }
  }

  #silent() {
    // A server that is stopped keeps its connections.
    this.#own.replace?.();
    this.#log.shrinkPages();
  }

  /** The time before which no process needs the entries of the stream; 0 if it is not known. */
  #least() {
    const proven = native.revocationRemoteProven(this.#list);
    if (proven === 0) return 0;
    return Math.min(Number(this.#follower.last.ms), proven) - this.#life - SLACK_MS - this.#lag.ms;
  }

  /** Whether a row that the list has read is genuine. */
  #isOwn(row) {
    return native.revocationRemoteApply(this.#list, row).every((count) => count === 0);
  }

  #unconfirmed() {
    return native.revocationRemoteCount(this.#list)[1];
  }
}

module.exports = { RevocationLink };
