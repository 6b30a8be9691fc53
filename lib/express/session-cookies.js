'use strict';

const { thrownError } = require('../web/refusal.js');
const { declareSessions } = require('../web/sessions.js');
const { hostOf } = require('./host.js');

const sessionsOf = declareSessions('express.sessionCookies');

function sessionCookies(options) {
  const { made } = sessionsOf(options);
  const handler = (answer) =>
    async function sessionHandler(req, res, next) {
      try {
        send(res, await answer(req, fieldsOf(res)));
      } catch (error) {
        next(thrownError(error));
      }
    };
  return {
    async middleware(req, res, next) {
      try {
        const auth = await made.sender(req, req);
        // A middleware before this one may have found the sender in another way.
        if (auth !== undefined) req.auth ??= auth;
      } catch (error) {
        next(thrownError(error));
        return;
      }
      next();
    },
    refresh: handler((req, fields) => made.refresh(req, req, hostOf(req), fields)),
    logout: handler((req, fields) => made.logout(req, req, hostOf(req), fields)),
    issue(res, pair) {
      made.issue(pair, fieldsOf(res));
    },
    clear(res) {
      made.clear(fieldsOf(res));
    },
  };
}

function fieldsOf(res) {
  return {
    get: (name) => res.getHeader(name),
    set: (name, value) => res.setHeader(name, value),
  };
}

function send(res, { status, headers, body }) {
  res.statusCode = status;
  for (const name of Object.keys(headers)) res.setHeader(name, headers[name]);
  if (status !== 204) res.setHeader('Content-Length', Buffer.byteLength(body));
  res.end(body);
}

module.exports = { sessionCookies };
