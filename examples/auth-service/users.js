'use strict';

// Stores the users in one LMDB file. Reads come from memory that is mapped from the file. The
// promise of a write resolves when the write is on the disk.

const { open } = require('lmdb');

const { placesOf } = require('./places.js');

/** Opens the table of users: name → `{ id, name, digest, createdAt }`. */
function openUsers(dataDirectory) {
  const table = open({ path: placesOf(dataDirectory).users, noSubdir: true, overlappingSync: false });

  return {
    get: (name) => table.get(name),

    /** Adds a user; resolves to `false` if the name is taken, even since the last `get`. */
    add: (user) => table.ifNoExists(user.name, () => table.put(user.name, user)),

    /**
     * Replaces a digest if it is still `expected` (compare-and-swap). Resolves to whether it was.
     */
    replaceDigest(name, expected, digest) {
      return table.transaction(() => {
        const user = table.get(name);
        if (user?.digest !== expected) return false;
        table.put(name, { ...user, digest });
        return true;
      });
    },

    close: () => table.close(),
  };
}

module.exports = { openUsers };
