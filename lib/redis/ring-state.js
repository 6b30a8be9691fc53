'use strict';

// The state of a link between a key ring and a server, for `status()` and the audit trail.

const { CHANNELS, publish } = require('../audit/publish.js');

class RingState {
  #state = 'opening';
  #reason;
  #lastAnswer;

  report() {
    return { state: this.#state, reason: this.#reason, lastAnswer: this.#lastAnswer };
  }

  /** The server and this process have the same version now. */
  following() {
    if (this.#state === 'closed') return;
    this.#lastAnswer = new Date();
    if (this.#state === 'following') return;
    this.#state = 'following';
    this.#reason = undefined;
    tell('keyring.followed', {});
  }

  /** The server does not answer, or something wrong. */
  lost(reason) {
    if (this.#state === 'closed' || this.#reason === reason) return;
    if (this.#state === 'following') this.#state = 'interrupted';
    this.#reason = reason;
    tell('keyring.lost', { reason });
  }

  /** The server had lost versions, and has them again. */
  restored(isMerged) {
    tell('keyring.restored', { merged: isMerged });
  }

  close() {
    this.#state = 'closed';
  }
}

function tell(event, members) {
  if (CHANNELS[event].hasSubscribers) publish(CHANNELS[event], members);
}

module.exports = { RingState };
