'use strict';

// When a set is fetched: never by a timer, always because somebody uses it, and never twice at
// once.

/** The share of their life after which keys are fetched anew while they can still be used. */
const REFRESH_AHEAD = 0.8;
/** The pause after a request; each that fails doubles it. */
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 60_000;

/** What a token that is refused with these codes is a reason for. */
const TRIGGERS = new Map([
  ['ERR_JWT_KEY_NOT_FOUND', 'unknown-key'],
  ['ERR_JWT_KEYS_UNAVAILABLE', 'unavailable'],
]);

class Refresher {
  #load;
  #cooldownMs;
  #running;
  #failures = 0;
  #requests = 0;
  // By the clock that nobody sets.
  #endedAt = -Infinity;
  #dueAt = -Infinity;

  /** `load(trigger)` fetches and resolves to the seconds for which the set is fresh, or rejects. */
  constructor(load, cooldownMs) {
    this.#load = load;
    this.#cooldownMs = cooldownMs;
  }

  /** What every use calls: fetches in the background when it is time to. */
  use() {
    if (performance.now() >= this.#dueAt) this.#start('due');
  }

  /**
   * What a token calls for that was refused when so many `requests` had ended. Gives what to wait
   * for; nothing, when a request would not help or is not allowed yet: whoever makes tokens up
   * causes one a cooldown at most.
   */
  need(code, requests = this.#requests) {
    const trigger = TRIGGERS.get(code);
    if (trigger === undefined) return undefined;
    if (requests !== this.#requests) return Promise.resolve();
    if (this.#running !== undefined) return this.#running;
    const pause = trigger === 'unknown-key' ? this.#cooldownMs : 0;
    const allowedAt = this.#endedAt + Math.max(pause, this.pauseMs);
    return performance.now() >= allowedAt ? this.#start(trigger) : undefined;
  }

  /** How many requests have ended. */
  get requests() {
    return this.#requests;
  }

  /** Fetches now, unless that is what happens already; resolves to the error of a failure. */
  fetch() {
    return this.#start('refresh');
  }

  /** The pause after the last request, in milliseconds. */
  get pauseMs() {
    return Math.min(FIRST_PAUSE_MS * 2 ** Math.max(this.#failures - 1, 0), LONGEST_PAUSE_MS);
  }

  #start(trigger) {
    // What `load` calls may use the keys itself, and must find that they are being fetched.
    this.#running ??= Promise.resolve().then(() => this.#run(trigger));
    return this.#running;
  }

  /** Never rejects: nobody may be waiting. */
  async #run(trigger) {
    // Until it has ended, nothing else is due.
    this.#dueAt = Infinity;
    let seconds;
    let error;
    try {
      seconds = await this.#load(trigger);
      this.#failures = 0;
    } catch (thrown) {
      error = thrown;
      this.#failures += 1;
    }
    this.#requests += 1;
    this.#endedAt = performance.now();
    const pause = error === undefined ? seconds * 1000 * REFRESH_AHEAD : this.pauseMs;
    this.#dueAt = this.#endedAt + pause;
    this.#running = undefined;
    return error;
  }
}

module.exports = { Refresher };
