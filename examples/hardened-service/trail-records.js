'use strict';

// The records of the audit trail: a file to which they are appended, and the last of each
// owner in memory, for the people whom they are about. So nobody fills the memory of another one.

const { createWriteStream } = require('node:fs');
const { promisify } = require('node:util');

/** The owners in memory of each kind, the records of one of them, and those of one answer. */
const OWNERS = 1000;
const OF_OWNER = 200;
const IN_ANSWER = 100;

function openRecords(file) {
  const stream = createWriteStream(file, { flags: 'a', mode: 0o600 });
  const write = promisify(stream.write.bind(stream));
  // Anybody can name a user at the login; a subject has an account.
  const [subjects, limitKeys] = [new Owners(), new Owners()];
  let count = 0;

  return {
    /** Resolves when the records are in the file. */
    append(records) {
      for (const record of records) {
        const entry = { number: (count += 1), record };
        subjects.add(record.subject, entry);
        limitKeys.add(record.limitKey, entry);
      }
      const lines = records.map((record) => `${JSON.stringify(record)}\n`).join('');
      return write(lines);
    },

    /**
     * The records of one owner after the one with the id `since`, oldest first. The owner is known
     * by the hashes of the subject and of the key of its limits: the trail has no other names.
     */
    of({ subject, limitKey }, since) {
      const entries = new Set([...subjects.entriesOf(subject), ...limitKeys.entriesOf(limitKey)]);
      const own = [...entries].sort((one, other) => one.number - other.number).map(({ record }) => record);
      if (since === undefined) return own.slice(-IN_ANSWER);
      const start = own.findIndex(({ id }) => id === since) + 1;
      return own.slice(start, start + IN_ANSWER);
    },

    close: promisify(stream.end.bind(stream)),
  };
}

/** The last entries of the owners that had some last. */
class Owners {
  #entries = new Map();

  add(owner, entry) {
    if (owner === undefined) return;
    const own = this.entriesOf(owner);
    own.push(entry);
    if (own.length > OF_OWNER) own.shift();
    // A map has its keys in the order in which they came.
    this.#entries.delete(owner);
    this.#entries.set(owner, own);
    if (this.#entries.size > OWNERS) this.#entries.delete(this.#entries.keys().next().value);
  }

  entriesOf(owner) {
    return this.#entries.get(owner) ?? [];
  }
}

module.exports = { openRecords };
