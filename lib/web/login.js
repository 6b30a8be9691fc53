'use strict';

// Asks a LoginThrottle about an attempt to log in, for the middleware of every framework.

const { ArgumentError } = require('../errors.js');
const { callback, declareOptions, having, required } = require('../options.js');
const { whenClosed } = require('./closing.js');
const { misconfigured, refusal, seconds } = require('./refusal.js');
const { answerTo } = require('./status.js');
const { NO_TRUST } = require('./trust.js');

const SUCCEEDED = (status) => status >= 200 && status < 300;
const FAILED = (status) => status === 401 || status === 403;

const KINDS = {
  throttle: required(having('failure', 'a LoginThrottle')),
  account: required(callback),
};

/**
 * Declares the options of `of`. Returns a function of them that makes `(request, response,
 * trustsEverybody) => { success, failure }`, which throws the answer to an attempt that is refused.
 */
function declareThrottling(of) {
  const read = declareOptions(of, KINDS);
  return (options) => {
    const { throttle, account: accountOf } = read(options);
    return async (request, response, trustsEverybody) => {
      if (trustsEverybody) throw misconfigured(NO_TRUST);
      if (request.ip === undefined) throw misconfigured('the address of the client is not known');
      const attempt = { account: await accountOf(request), ip: request.ip };
      const { allowed, retryAfterMs } = ask(throttle, attempt);
      if (!allowed) throw refusal(429, { 'Retry-After': seconds(retryAfterMs) });
      return outcomeOf(throttle, attempt, response);
    };
  };
}

function ask(throttle, attempt) {
  try {
    return throttle.check(attempt);
  } catch (error) {
    // The client has sent no account, or one that is none.
    throw error instanceof ArgumentError ? refusal(400, {}, error) : answerTo(error);
  }
}

/** The functions that tell the outcome. If neither is called, the response tells it. */
function outcomeOf(throttle, attempt, response) {
  let isKnown = false;
  const tell = (method) => () => {
    if (isKnown) return;
    isKnown = true;
    throttle[method](attempt);
  };
  const login = { success: tell('success'), failure: tell('failure') };
  whenClosed(response, () => {
    // Without an answer, the status is one that nobody has set.
    if (!response.headersSent) return;
    if (SUCCEEDED(response.statusCode)) login.success();
    else if (FAILED(response.statusCode)) login.failure();
  });
  return login;
}

module.exports = { declareThrottling };
