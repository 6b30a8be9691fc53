'use strict';

/**
 * A signal that is aborted when the client hangs up before it has an answer, so that no password is
 * hashed for a client that has gone.
 */
function whenGone(res) {
  const controller = new AbortController();
  res.once('close', () => {
    if (!res.writableFinished) controller.abort();
  });
  return controller.signal;
}

module.exports = { whenGone };
