'use strict';

// The clock of a server, as its replies tell it: so a command can say until when it may run. A
// command that a network or a client holds back then changes nothing when it arrives at last.

class ServerTime {
  /** By how much the server's clock is at least ahead of the monotonic clock, in milliseconds. */
  #ahead = -Infinity;

  /** Notes the time that a reply has, to a command that was sent and answered at these moments. */
  note(time, sent, received) {
    const least = time - received;
    // The time is cut to whole milliseconds.
    const isSetBack = time + 1 - sent < this.#ahead;
    if (least > this.#ahead || isSetBack) this.#ahead = least;
  }

  /** The server's time at a moment, or a little earlier. Long ago if no reply has come yet. */
  at(moment) {
    return Math.max(0, Math.floor(moment + this.#ahead));
  }
}

module.exports = { ServerTime };
