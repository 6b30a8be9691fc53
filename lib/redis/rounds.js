'use strict';

/** Far more than processes that write at the same time take from each other. */
const MOST = 1000;

/**
 * Returns a function to call at each round of a loop that ends when the server has what was
 * written. It throws `failure()` for a server that never has it: the loop would go on for ever.
 */
function rounds(failure) {
  let count = 0;
  return () => {
    count += 1;
    if (count > MOST) throw failure();
  };
}

module.exports = { rounds };
