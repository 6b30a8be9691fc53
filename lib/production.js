'use strict';

/**
 * Whether `NODE_ENV` is `production`. A process of Deno that may not read it counts as one in
 * production.
 */
function inProduction() {
  try {
    return process.env.NODE_ENV === 'production';
  } catch {
    return true;
  }
}

module.exports = { inProduction };
