'use strict';

// The service that keeps the audit trail, in Express.

const express = require('express');
const { auditContext, authenticate } = require('@nodesec/native/express');

const { HttpError, answerTo } = require('../../auth-service/errors.js');
const { records: checkedRecords, since } = require('../input.js');

/**
 * Makes the app, and resolves to its server. `records` are those of trail-records.js; `verifier`
 * judges the tokens of clients.
 */
async function createTrailApp({ records, verifier }, createServer) {
  const bound = (scope) => {
    const getCertificate = (req) => req.socket.getPeerX509Certificate();
    return authenticate({ verifier, scope, getCertificate });
  };

  const app = express();
  app.disable('x-powered-by').disable('etag');
  app.use(auditContext());
  const body = express.json({ limit: '1mb', inflate: false });
  app.post('/records', bound('trail.append'), body, async (req, res) => {
    await records.append(checkedRecords(req.body));
    res.status(204).end();
  });
  app.get('/records', bound('trail.read'), (req, res) => {
    res.json(records.of(req.auth.claims.sub, since(req.query).since));
  });
  app.use(() => {
    throw new HttpError(404, 'not_found');
  });
  // Express recognises an error handler by its four parameters.
  app.use((error, req, res, next) => {
    if (res.headersSent) return next(error);
    const { status, body: answer, headers } = answerTo(error);
    res.set(headers).status(status).json(answer);
  });
  return createServer(app);
}

module.exports = { createTrailApp };
