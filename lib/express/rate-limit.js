'use strict';

const { isPromise } = require('node:util').types;

const { makeError } = require('../errors.js');
const { wrongType } = require('../options.js');
const { addFields, exposeFields } = require('../web/adding.js');
const { declareLimiting } = require('../web/limiting.js');
const { thrownError } = require('../web/refusal.js');
const { NO_TRUST } = require('../web/trust.js');
const { trustsEverybody } = require('./trust.js');

const limiting = declareLimiting('express.rateLimit');

function rateLimit(options) {
  const limits = limiting(options);
  async function rateLimit(req, res, next) {
    let answer;
    try {
      answer = limits.ask(req, res, res, limits.usesAddress && trustsEverybody(req.app));
      if (isPromise(answer)) answer = await answer;
    } catch (error) {
      next(thrownError(error));
      return;
    }
    // Another middleware, such as one for timeouts, may have answered meanwhile.
    const isAnswered = res.headersSent;
    if (answer !== undefined && !isAnswered) setFields(req, res, answer.fields);
    if (answer?.problem === undefined) next();
    else if (!isAnswered) await refuse(limits.handler, [req, res, next, answer.result], answer.problem);
  }
  return Object.assign(rateLimit, {
    assertConfigured(app) {
      if (typeof app?.get !== 'function') throw wrongType('app', 'an Express app');
      if (limits.usesAddress && trustsEverybody(app)) throw makeError('ERR_INVALID_ARG_VALUE', NO_TRUST);
    },
  });
}

function setFields(req, res, fields) {
  const get = (name) => res.getHeader(name);
  const set = (name, value) => res.setHeader(name, value);
  addFields(fields, get, set);
  // Scripts of other origins see no other fields.
  if (req.headers.origin !== undefined) exposeFields(fields, get, set);
}

function send(res, { status, body }) {
  const text = JSON.stringify(body);
  res.statusCode = status;
  res.setHeader('Content-Type', 'application/problem+json');
  res.setHeader('Content-Length', Buffer.byteLength(text));
  // Node sends no body in answer to HEAD.
  res.end(text);
}

/** Answers, or has the application answer; Express 4 would not notice its rejection. */
async function refuse(handler, args, problem) {
  const [, res, next] = args;
  try {
    if (handler === undefined) send(res, problem);
    else await handler(...args);
  } catch (error) {
    next(thrownError(error));
  }
}

module.exports = { rateLimit };
