'use strict';

// Decides when a key set is fetched: only when the set is used, never by a timer, and with at most
// one request at a time.

/** Keys are refetched after this share of their lifetime, while they can still be used. */
const REFRESH_AHEAD = 0.8;
/** The pause after a success or a first failure; each further failure in a row doubles it. */
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 60_000;

/** The codes of refused tokens that cause a request, and the trigger to report for each. */
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
  // Times of the monotonic clock, in milliseconds.
  #endedAt = -Infinity;
  #dueAt = -Infinity;

  /**
   * `load(trigger)` fetches the set. It resolves to the seconds for which the set is fresh, or
   * rejects.
   */
  constructor(load, cooldownMs) {
    this.#load = load;
    this.#cooldownMs = cooldownMs;
  }

  /** Called at every use of the set: starts a request in the background if one is due. */
  use() {
    if (performance.now() >= this.#dueAt) this.#start('due');
  }

  /**
   * Called for a token that was refused with `code`: fetches the set if a request may help.
   * `requests` is the number of requests that had ended when the token was verified; if another has
   * ended since, the token can be verified again at once. Returns a promise to wait for, or
   * undefined if a request would not help or is not allowed yet. Made-up tokens cause at most
   * one request per cooldown.
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

  /** Whether the last request has failed. */
  get fails() {
    return this.#failures > 0;
  }

  /** The number of requests that have ended. */
  get requests() {
    return this.#requests;
  }

  /**
   * Fetches the set now, or waits for the request that is running. Resolves to the error if the
   * request fails, otherwise to undefined.
   */
  fetch() {
    return this.#start('refresh');
  }

  /** The pause after the last request, in milliseconds. */
  get pauseMs() {
    return Math.min(FIRST_PAUSE_MS * 2 ** Math.max(this.#failures - 1, 0), LONGEST_PAUSE_MS);
  }

  #start(trigger) {
    // `load` starts only after `#running` is set: the functions that it calls may use the keys
    // themselves, and must find that a request is running.
    this.#running ??= Promise.resolve().then(() => this.#run(trigger));
    return this.#running;
  }

  /** Runs one request. The promise never rejects, because there may be nobody to handle it. */
  async #run(trigger) {
    // No other request is due until this one has ended.
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
