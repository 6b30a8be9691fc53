'use strict';

// Stores the users in one LMDB file. Reads come from memory that is mapped from the file. The
// promise of a write resolves when the write is on the disk.

const { open } = require('lmdb');

const { placesOf } = require('./places.js');

/** Opens the tables of users: name → `{ id, name, role, digest, createdAt }`, and id → name. */
function openUsers(dataDirectory) {
  const file = open({ path: placesOf(dataDirectory).users, noSubdir: true, overlappingSync: false });
  const users = file.openDB({ name: 'users' });
  const names = file.openDB({ name: 'names' });

  /** Changes a user if `isRight` of it holds. Resolves to whether it did. */
  function change(name, isRight, fields) {
    return users.transaction(() => {
      const user = users.get(name);
      if (user === undefined || !isRight(user)) return false;
      users.put(name, { ...user, ...fields });
      return true;
    });
  }

  return {
    get: (name) => users.get(name),

    /** The user with this id, which is the subject of a session. */
    byId(id) {
      const name = names.get(id);
      return name === undefined ? undefined : users.get(name);
    },

    /** Adds a user; resolves to `false` if the name is taken, even since the last `get`. */
    add(user) {
      return users.transaction(() => {
        if (users.doesExist(user.name)) return false;
        users.put(user.name, user);
        names.put(user.id, user.name);
        return true;
      });
    },

    /**
     * Replaces a digest if it is still `expected` (compare-and-swap). Resolves to whether it was.
     */
    replaceDigest: (name, expected, digest) =>
      change(name, (user) => user.digest === expected, { digest }),

    /** Gives a user another role. Resolves to `false` if there is no such user. */
    setRole: (name, role) => change(name, () => true, { role }),

    close: () => file.close(),
  };
}

module.exports = { openUsers };
