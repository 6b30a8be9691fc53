'use strict';

/** The reason of a command that has no answer in time. */
class Silence extends Error {
  constructor() {
    super('the server has not answered in time');
  }
}

/** The result of a promise, unless it takes longer than `ms`: then rejects with `Silence`. */
async function within(ms, promise) {
  let timer;
  const silence = new Promise((_, reject) => {
    // A busy event loop comes here before it reads answers that have long arrived.
    timer = setTimeout(() => setImmediate(() => reject(new Silence())), ms);
  });
  try {
    return await Promise.race([promise, silence]);
  } finally {
    clearTimeout(timer);
  }
}

module.exports = { Silence, within };
