'use strict';

// The calls of `Sessions` on a server. Each waits for one script, and those that end sessions also
// for the revocations of their access tokens.

const { randomBytes } = require('node:crypto');

const { publishFailure } = require('../audit/publish.js');
const { makeError } = require('../errors.js');
const { native, settled } = require('../native.js');
const { Outbox } = require('../outbox.js');
const { rounds } = require('./rounds.js');
const { CLOCKED_SCRIPTS, SCRIPTS, VERDICTS } = require('./session-script.js');

/** The statuses by the verdicts of the server. */
const STATUSES = new Map([
  [VERDICTS.rotated, 'rotated'],
  [VERDICTS.restored, 'rotated'],
  [VERDICTS.replayed, 'replayed'],
  [VERDICTS.reuse, 'reuse'],
  [VERDICTS.expired, 'expired'],
  [VERDICTS.ending, 'unknown'],
  [VERDICTS.unknown, 'unknown'],
  [VERDICTS.asks, 'asks'],
]);

/** The length of the id of a session. */
const ID_BYTES = 16;

/** The outbox of all revocations of sessions on servers, made for the first one. */
let outbox;

class SessionEngine {
  /** The façade object, which has the native part. */
  #sessions;
  #server;
  #terms;
  #scripts;
  /** The clocks of the options, and that of the sessions, which replaces the server's. */
  #clocks;
  #clock;

  constructor(sessions, { server, terms, clock, clocks }) {
    this.#sessions = sessions;
    this.#server = server;
    this.#terms = terms;
    this.#scripts = clock === undefined ? SCRIPTS : CLOCKED_SCRIPTS;
    this.#clock = clock;
    this.#clocks = clocks;
  }

  async start(subject, claims, texts) {
    const { maxSessionsPerSubject, endsOldest } = this.#terms;
    for (const next = rounds(lost); ; next()) {
      this.#readClocks();
      const { tag, ids, issuedAt, texts: sealed, pair } =
        native.sessionsRemoteStart(this.#sessions, subject, claims, texts);
      const [id, secret, rest] = ids;
      const [sealedSubject, sealedClaims, sealedMeta] = sealed;
      const limits = [`${maxSessionsPerSubject}`, endsOldest ? '1' : '0'];
      const row = [id, secret, rest, `${issuedAt}`, ...limits, sealedSubject, sealedClaims, sealedMeta];
      // Nobody has a token of a session whose start has failed.
      const forgetting = (error) => {
        this.#server.forget(tag, [id]);
        throw error;
      };
      const [verdict, ends, ...ended] = await this.#run('start', tag, row).catch(forgetting);
      // The subject has started another session in the same millisecond, with the same id.
      if (verdict === VERDICTS.again) continue;
      if (verdict === VERDICTS.limit) throw limited(maxSessionsPerSubject);
      const oldest = pairs(ended);
      await this.#finish(tag, oldest).catch(forgetting);
      return {
        pair: { ...pair, refreshExpiresAt: Number(ends) },
        ended: oldest.map(([each]) => sidOf(each)),
      };
    }
  }

  async refresh(token, texts, asks) {
    return this.#refresh(token, texts, asks);
  }

  /** `known` is the subject, if the server has told it for claims that fit only with some. */
  async #refresh(token, texts, asks, known) {
    this.#readClocks();
    const presented = native.sessionsRemotePresent(this.#sessions, token, texts, asks, known);
    if (presented === null) return { status: 'unknown' };
    const { tag, ids, sid, generation, variant, issuedAt, texts: sealed } = presented;
    const { grace, retryUntilUsed } = this.#terms;
    const [verdict, ...reply] = await this.#run('refresh', tag, [
      ...ids,
      `${generation}`,
      `${variant}`,
      randomBytes(8),
      `${grace}`,
      retryUntilUsed ? '1' : '0',
      presented.asks ? '1' : '0',
      `${issuedAt}`,
      ...sealed,
    ]);
    const status = STATUSES.get(verdict);
    if (status === 'rotated' || status === 'replayed') {
      const pair = this.#nextPair(token, reply);
      return verdict === VERDICTS.restored ? { status, pair, restored: true } : { status, pair };
    }
    if (verdict === VERDICTS.unknown) return { status };
    const [issued, subject] = reply;
    if (status !== 'asks') await this.#finish(tag, [[ids[0], issued]]);
    if (status === 'unknown') return { status };
    const opened = native.sessionsRemoteOpen(this.#sessions, ids[0], subject, false);
    if (status === 'asks' && !asks) return this.#refresh(token, texts, false, opened);
    return { status, sessionId: sid, subject: opened };
  }

  async end(sid) {
    const { tag, id } = native.sessionsRemotePlace(sid);
    let issuedAt = 0;
    try {
      const [, , issued = 0] = await this.#run('end', tag, [id, '']);
      issuedAt = issued;
    } catch (error) {
      // This process refuses the access tokens all the same.
      this.#revoke(id, issuedAt).catch(() => {});
      throw error;
    }
    await this.#finish(tag, [[id, issuedAt]]);
  }

  async endByRefreshToken(token) {
    const presented = native.sessionsRemotePresent(this.#sessions, token, undefined, true, undefined);
    if (presented === null) return null;
    const { tag, ids, sid } = presented;
    const [verdict, ...ended] = await this.#run('end', tag, ids);
    if (verdict === VERDICTS.unknown) return null;
    await this.#finish(tag, pairs(ended));
    return sid;
  }

  async endAll(subject) {
    const { tag, id: rest } = native.sessionsRemoteSubject(this.#sessions, subject);
    this.#readClocks();
    const ticket = native.sessionsRemoteRevokeSubject(this.#sessions, subject, outboxNumber());
    const older = outbox.promise(ticket).then(settled);
    older.catch(() => {});
    const [, foreign, ...ended] = await this.#run('endAll', tag, [rest]);
    const results = await Promise.allSettled([older, this.#finish(tag, pairs(ended))]);
    const failure = results.find(({ status }) => status === 'rejected');
    if (failure !== undefined) throw failure.reason;
    if (Number(foreign) > 0) throw this.#server.foreign('FORMAT');
  }

  async list(subject) {
    const { tag, id: rest } = native.sessionsRemoteSubject(this.#sessions, subject);
    const [, ...values] = await this.#run('list', tag, [rest]);
    const rows = Array.from({ length: values.length / 6 }, (_, at) => values.slice(6 * at, 6 * at + 6));
    rows.sort(([, one], [, other]) => Number(one) - Number(other));
    return rows.map(([id, , ...row]) => {
      const [startedAt, usedAt, expiresAt] = row.map(Number);
      const meta = row[3];
      const info = { sessionId: sidOf(id), startedAt, usedAt, expiresAt };
      if (meta.length === 0) return info;
      return { ...info, meta: native.sessionsRemoteOpen(this.#sessions, id, meta, true) };
    });
  }

  #nextPair(token, [generation, variant, ends, subject, claims]) {
    this.#readClocks();
    const step = [Number(generation), Number(variant)];
    const pair = native.sessionsRemoteRefreshed(this.#sessions, token, step, [subject, claims]);
    return { ...pair, refreshExpiresAt: Number(ends) };
  }

  /**
   * Revokes the access tokens of sessions that the server has marked, `[id, issuedAt]` each, and
   * deletes their rows. If a revocation fails, the row stays, so that the call can be repeated.
   */
  async #finish(tag, ended) {
    if (ended.length === 0) return;
    // A client whose `send` gives texts has spoilt the ids.
    if (ended.some(([id]) => id?.length !== ID_BYTES)) throw this.#server.foreign('REPLY');
    const results = await Promise.allSettled(ended.map(([id, issuedAt]) => this.#revoke(id, issuedAt)));
    const over = ended.filter((_, at) => results[at].status === 'fulfilled').map(([id]) => id);
    if (over.length > 0) this.#server.forget(tag, over);
    const failure = results.find(({ status }) => status === 'rejected');
    if (failure !== undefined) throw failure.reason;
  }

  async #revoke(id, issuedAt) {
    this.#readClocks();
    const number = outboxNumber();
    // Another process may issue one more token for a call that it has made before.
    const args = [id, timeOf(issuedAt), this.#server.patience, number];
    const ticket = native.sessionsRemoteRevoke(this.#sessions, ...args);
    settled(await outbox.promise(ticket));
  }

  #run(name, tag, args) {
    const { refreshTtl, idleTtl } = this.#terms;
    const now = this.#clock === undefined ? [] : [`${this.#clock.read()}`];
    const all = [`${refreshTtl}`, `${idleTtl}`, ...args, ...now];
    return this.#server.run(this.#scripts[name], tag, all);
  }

  #readClocks() {
    for (const clock of this.#clocks) clock.read();
  }
}

function lost() {
  return makeError('ERR_SESSION_STORE', 'the server refuses each id of a new session: look at the server');
}

function outboxNumber() {
  outbox ??= new Outbox();
  return outbox.number;
}

/** A time of a row, which somebody may have changed, as one that the native part takes. */
function timeOf(value) {
  const time = Math.trunc(Number(value));
  return Number.isNaN(time) ? 0 : Math.min(Math.max(time, 0), Number.MAX_SAFE_INTEGER);
}

/** The pairs of a flat list. */
function pairs(flat) {
  return Array.from({ length: flat.length / 2 }, (_, at) => flat.slice(2 * at, 2 * at + 2));
}

/** The usual form of an id of 16 bytes. */
function sidOf(id) {
  const hex = id.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

function limited(most) {
  publishFailure('ERR_SESSION_LIMIT');
  return makeError(
    'ERR_SESSION_LIMIT',
    `the subject has ${most} sessions already; end one, raise maxSessionsPerSubject, or choose ` +
      "onSessionLimit: 'end-oldest'",
  );
}

module.exports = { SessionEngine };
