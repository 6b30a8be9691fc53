'use strict';

// The actions of the service, without HTTP: each is what one route does after its middleware.

const { record } = require('@nodesec/native/audit');

const { HttpError } = require('../auth-service/errors.js');
const { replay } = require('./thief.js');

function createActions({ accounts, programTokens, sessions, trail }) {
  return {
    async register(credentials, signal) {
      const { id, username } = await accounts.register(credentials, signal);
      record('account.registered', { subject: id });
      return { username };
    },

    /** Resolves to the tokens of a new session. */
    async login(credentials, agent, signal) {
      const user = await accounts.verified(credentials, signal);
      return accounts.login(user, agent);
    },

    /** Logs in a program, whose tokens are bound to the key with this thumbprint. */
    async loginProgram({ key, ...credentials }, agent, signal) {
      const user = await accounts.verified(credentials, signal);
      const cnf = { jkt: key };
      const pair = await accounts.login(user, agent, { cnf });
      return programTokens.bodyOf(pair, { sub: user.id, cnf });
    },

    /** The new tokens are bound to the same key, with which the program has made its proof. */
    async refreshProgram(body, headers) {
      const { refreshToken, claims } = await programTokens.proven(body.refreshToken, headers);
      const { status, pair } = await sessions.refresh(refreshToken);
      if (status === 'reuse') throw new HttpError(401, 'refresh_token_reused');
      if (pair === undefined) throw new HttpError(401, 'refresh_token_unknown');
      return programTokens.bodyOf(pair, claims);
    },

    logout: (claims) => accounts.logout(claims),

    me: ({ name, exp, sid }) => ({ username: name, expiresAt: exp * 1000, session: sid.slice(0, 8) }),

    sessions: async ({ sub, sid }) => {
      const all = await sessions.list(sub);
      return all.map(({ sessionId, startedAt, meta }) => ({
        isThis: sessionId === sid,
        startedAt,
        device: meta?.device ?? 'unknown',
      }));
    },

    async logoutEverywhere({ sub }) {
      record('account.logged-out-everywhere', { subject: sub });
      await accounts.logoutEverywhere({ sub });
    },

    /** Work that a user may ask for a few times only. */
    work: ({ sub }) => {
      record('work.done', { subject: sub });
      return { done: true };
    },

    /** Records that a user asked for too much work: the record of the limit has no subject. */
    refuseWork({ sub }) {
      record('work.refused', { outcome: 'denied', subject: sub });
    },

    async trail({ sub }, { since }) {
      try {
        return await trail.of(sub, since);
      } catch (error) {
        console.error(`the trail cannot be read: ${error.message}`);
        throw new HttpError(503, 'unavailable', { headers: { 'Retry-After': '1' } });
      }
    },

    /** The demonstration's thief. If the session has noticed, the answer is a 401. */
    async replay(request) {
      const status = await replay(sessions, request);
      if (status === 'reuse') throw new HttpError(401, 'refresh_token_reused');
      if (status !== 'rotated') throw new HttpError(401, 'refresh_token_unknown');
      return { status };
    },
  };
}

module.exports = { createActions };
