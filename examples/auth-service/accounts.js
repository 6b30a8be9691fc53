'use strict';

// The accounts of the service and their sessions, without HTTP: each function is what one route
// does.

const { uuidv7 } = require('@nodesec/native');

const { HttpError } = require('./errors.js');

/** security.js and users.js make the parts. */
function createAccounts({ passwords, sessions, users }) {
  return {
    /** Adds an account. `signal` ends the hash. */
    async register({ username, password }, signal) {
      const user = {
        id: uuidv7(),
        name: username,
        role: 'member',
        digest: await passwords.hash(password, { signal }),
        createdAt: new Date().toISOString(),
      };
      if (!(await users.add(user))) throw new HttpError(409, 'username_taken');
      return visible(user);
    },

    /** The user with this password. */
    async verified({ username, password }, signal) {
      const user = users.get(username);
      // If there is no such user, a hash is computed all the same: a faster answer would reveal
      // that the name has no account.
      const { valid, newDigest } = await passwords.verifyAndUpdate(user?.digest, password, { signal });
      if (!valid) throw new HttpError(401, 'invalid_credentials');
      // The old digest has another policy or pepper. It is replaced only if it is still stored: if
      // the user has changed the password meanwhile, the new password must stay.
      if (newDigest) await users.replaceDigest(user.name, user.digest, newDigest);
      return user;
    },

    /**
     * Starts a session. `agent` is the name by which the user recognizes it; its tokens have the
     * claims `more`, too.
     */
    login(user, agent = 'unknown', more = {}) {
      const claims = { ...claimsOf(user), ...more };
      return sessions.start(user.id, claims, { meta: { device: agent.slice(0, 200) } });
    },

    async refresh({ refreshToken }) {
      const claims = (id) => claimsOf(users.byId(id));
      const { status, pair, subject } = await sessions.refresh(refreshToken, { claims });
      switch (status) {
        case 'rotated':
        case 'replayed':
          return { status, ...pair };
        case 'reuse':
          // A used-up token means that two parties hold it, and one of them stole it. The session
          // has been ended for both. The user can log in again, the thief cannot. A real service
          // should also tell the user.
          console.warn(`a used-up refresh token of user ${subject}; its session has ended`);
          throw new HttpError(401, 'refresh_token_reused');
        case 'expired':
          throw new HttpError(401, 'session_expired');
        default:
          throw new HttpError(401, 'refresh_token_unknown');
      }
    },

    sessions: ({ sub }) => sessions.list(sub),
    logout: ({ sid }) => sessions.end(sid),
    logoutEverywhere: ({ sub }) => sessions.endAll(sub),

    profile({ name, sub }) {
      const user = users.get(name);
      // The name may belong to another user since the token was issued; an id is never reused.
      if (user?.id !== sub) throw new HttpError(401, 'invalid_token');
      return visible(user);
    },
  };
}

/**
 * The claims that other services read. They are read anew at each refresh: a role that was taken
 * away is gone when the last access token with it has expired.
 */
function claimsOf({ name, role }) {
  return { name, role };
}

/** The fields of a record that its user may see: all but the digest. */
function visible({ id, name, role, createdAt }) {
  return { id, username: name, role, createdAt };
}

module.exports = { createAccounts };
