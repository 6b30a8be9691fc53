'use strict';

// The records of the audit trail: a file to which they are appended, and the last of them in
// memory, for the people whom they are about.

const { createWriteStream } = require('node:fs');
const { promisify } = require('node:util');

/** The records in memory, and those of one answer. */
const IN_MEMORY = 10_000;
const IN_ANSWER = 100;

function openRecords(file) {
  const stream = createWriteStream(file, { flags: 'a', mode: 0o600 });
  const write = promisify(stream.write.bind(stream));
  const last = [];

  return {
    /** Resolves when the records are in the file. */
    append(records) {
      last.push(...records);
      last.splice(0, last.length - IN_MEMORY);
      const lines = records.map((record) => `${JSON.stringify(record)}\n`).join('');
      return write(lines);
    },

    /**
     * The records of one owner after the one with the id `since`, oldest first. The owner is known
     * by the hashes of the subject and of the key of its limits: the trail has no other names.
     */
    of({ subject, limitKey }, since) {
      const isOwn = (record) => record.subject === subject || record.limitKey === limitKey;
      const start = since === undefined ? 0 : last.findIndex(({ id }) => id === since) + 1;
      const own = last.slice(start).filter(isOwn);
      return since === undefined ? own.slice(-IN_ANSWER) : own.slice(0, IN_ANSWER);
    },

    close: promisify(stream.end.bind(stream)),
  };
}

module.exports = { openRecords };
