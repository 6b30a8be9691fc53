'use strict';

// The records of the audit trail: a file to which they are appended, and the last of each user in
// memory, for this user to read.

const { createWriteStream } = require('node:fs');
const { promisify } = require('node:util');

/** The most records in memory, of one user, and in one answer. */
const IN_MEMORY = 50_000;
const OF_USER = 200;
const IN_ANSWER = 100;

function openRecords(file) {
  const stream = createWriteStream(file, { flags: 'a', mode: 0o600 });
  const write = promisify(stream.write.bind(stream));
  const recent = new RecentRecords();

  return {
    /** Resolves when the records are in the file. */
    append(records) {
      for (const record of records) recent.add(record);
      const lines = records.map((record) => `${JSON.stringify(record)}\n`).join('');
      return write(lines);
    },

    /** The records of a user after the one with the id `since`, oldest first. */
    of(subject, since) {
      const own = recent.of(subject);
      if (since === undefined) return own.slice(-IN_ANSWER);
      const start = own.findIndex(({ id }) => id === since) + 1;
      return own.slice(start, start + IN_ANSWER);
    },

    close: promisify(stream.end.bind(stream)),
  };
}

/**
 * The last records of each user. Records without a subject are not kept: strangers cause them, as
 * many as they like. If there is no room, the user with the most records loses the oldest. So it
 * takes `IN_MEMORY / n` accounts to push out the records of a user who has `n`.
 */
class RecentRecords {
  #bySubject = new Map();
  /** The subjects, by their number of records. */
  #subjects = Array.from({ length: OF_USER + 2 }, () => new Set());
  #count = 0;

  add(record) {
    const { subject } = record;
    if (subject === undefined) return;
    const own = this.of(subject);
    this.#bySubject.set(subject, own);
    this.#change(subject, own, () => own.push(record));
    const isFull = this.#count > IN_MEMORY;
    if (own.length > OF_USER) this.#dropOldest(subject);
    else if (isFull) this.#dropOldest(this.#richest());
  }

  of(subject) {
    return this.#bySubject.get(subject) ?? [];
  }

  /** A subject with the most records. */
  #richest() {
    const [subject] = this.#subjects.findLast(({ size }) => size > 0);
    return subject;
  }

  #dropOldest(subject) {
    const own = this.of(subject);
    this.#change(subject, own, () => own.shift());
    if (own.length === 0) this.#bySubject.delete(subject);
  }

  #change(subject, own, change) {
    const before = own.length;
    this.#subjects[before].delete(subject);
    change();
    if (own.length > 0) this.#subjects[own.length].add(subject);
    this.#count += own.length - before;
  }
}

module.exports = { openRecords };
