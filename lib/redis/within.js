'use strict';

const { afterReading } = require('./after-reading.js');

/** The reason of a command that has no answer in time. */
class Silence extends Error {
  constructor() {
    super('the server has not answered in time');
  }
}

/**
 * The result of a promise, unless it takes longer than `ms`: then rejects with `Silence`. Rejects
 * with the reason of `signal` if that is aborted before.
 */
async function within(ms, promise, signal) {
  let timer;
  let stop;
  const silence = new Promise((_, reject) => {
    timer = setTimeout(() => afterReading(() => reject(new Silence())), ms);
    stop = () => reject(signal.reason);
    if (signal?.aborted) stop();
    else signal?.addEventListener('abort', stop);
  });
  try {
    return await Promise.race([promise, silence]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', stop);
  }
}

module.exports = { Silence, within };
