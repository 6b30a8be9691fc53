'use strict';

// The users, in one LMDB file. Reads come from memory that is mapped from the file; a write's
// promise resolves when it is on the disk.

const path = require('node:path');

const { open } = require('lmdb');

/** A user is `{ id, name, digest, createdAt }`, under its name. */
function openUsers(dataDirectory) {
  const table = open({ path: usersFile(dataDirectory), noSubdir: true, overlappingSync: false });

  return {
    get: (name) => table.get(name),

    /** Whether the user was added: `false` if the name is taken, even since the last look. */
    add: (user) => table.ifNoExists(user.name, () => table.put(user.name, user)),

    /**
     * Replaces a digest if it is still `expected` (compare-and-swap); whether it was.
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

function usersFile(dataDirectory) {
  return path.join(dataDirectory, 'users.mdb');
}

module.exports = { openUsers, usersFile };
