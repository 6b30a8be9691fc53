'use strict';

// The calls of `Sessions` on a table of this process, in memory or on a store.

const { setImmediate: immediate } = require('node:timers/promises');

const { clockOf, useClock } = require('./clock.js');
const { native } = require('./native.js');

class SessionTable {
  /** The façade object, which has the native part. */
  #sessions;
  /** The clock of the sessions, and those of the issuer and the list, which it calls natively. */
  #clocks;
  /** Whether the sessions are on a store. */
  #isDurable;
  /** The last call on a store that waits for its turn, by its token or subject. */
  #turns = new Map();

  /** Attaches a table to new `Sessions`. Returns it and the issuer. */
  static attach(sessions, options) {
    const table = new SessionTable();
    const [given, clock] = useClock(sessions, options);
    native.sessionsAttach(sessions, given);
    const others = [given.issuer, given.revocations].map(clockOf);
    table.#sessions = sessions;
    table.#clocks = [clock, ...others].filter(Boolean);
    table.#isDurable = Object.hasOwn(given, 'store') && given.store !== undefined;
    return { engine: table, issuer: given.issuer };
  }

  /** As the others: the result of a native call, or a promise of it. */
  start(subject, claims, texts) {
    const start = () => native.sessionsStart(this.#sessions, subject, claims, texts);
    return this.#call(start, subject);
  }

  refresh(token, texts, asks) {
    const refresh = () => native.sessionsRefresh(this.#sessions, token, texts, asks);
    return this.#call(refresh, token);
  }

  end(sid) {
    return this.#call(() => native.sessionsEnd(this.#sessions, sid));
  }

  endByRefreshToken(token) {
    return this.#call(() => native.sessionsEndByRefreshToken(this.#sessions, token));
  }

  async endAll(subject) {
    const all = native.sessionsEndAll(this.#sessions, subject);
    while (await this.#call(() => native.sessionsEndSome(this.#sessions, all))) {
      // A part takes about 0.3 ms.
      await immediate();
    }
  }

  list(subject) {
    return this.#call(() => native.sessionsList(this.#sessions, subject));
  }

  /**
   * The result of a native call, or a promise of it if the sessions are on a store. `about` is the
   * token or subject whose calls may exclude each other.
   */
  #call(call, about) {
    const asked = () => {
      this.#readClocks();
      return call();
    };
    if (!this.#isDurable) return asked();
    return this.#turns.has(about) ? this.#inTurn(asked, about) : this.#repeated(asked, about);
  }

  #readClocks() {
    for (const clock of this.#clocks) clock.read();
  }

  /** Repeats a call on a store for as long as it could not be answered. */
  async #repeated(call, about) {
    for (;;) {
      const answer = await call();
      if (typeof answer !== 'number') return answer;
      if (answer === native.SESSIONS_BEHIND) await native.sessionsCatchUp(this.#sessions);
      else if (about === undefined) await immediate();
      else return this.#inTurn(call, about);
    }
  }

  /** Repeats a call after the ones about the same: n of them at once would else be n² attempts. */
  async #inTurn(call, about) {
    const before = this.#turns.get(about);
    const turn = (async () => {
      await before?.catch(() => {});
      return this.#repeated(call);
    })();
    this.#turns.set(about, turn);
    try {
      return await turn;
    } finally {
      if (this.#turns.get(about) === turn) this.#turns.delete(about);
    }
  }
}

module.exports = { SessionTable };
