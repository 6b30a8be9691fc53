'use strict';

/**
 * For how many seconds an answer is fresh (RFC 9111 section 4.2): what its Cache-Control says, less
 * its Age, within the bounds. Without a `max-age` it is `maxAge`; one that cannot be read, and
 * `no-store` and `no-cache`, are as short as can be.
 */
function lifetime({ cacheControl = '', age }, { minAge, maxAge }) {
  const stated = cacheControl
    .split(',')
    .map((directive) => directive.trim().toLowerCase())
    .map(secondsOf)
    .filter((seconds) => seconds !== undefined);
  if (stated.length === 0) return maxAge;
  const left = Math.min(...stated) - (/^\d+$/.test(age) ? Number(age) : 0);
  return Math.min(Math.max(left, minAge), maxAge);
}

function secondsOf(directive) {
  if (/^no-(store|cache)\b/.test(directive)) return 0;
  if (!/^max-age\b/.test(directive)) return undefined;
  return Number(/^max-age=("?)(\d+)\1$/.exec(directive)?.[2] ?? 0);
}

module.exports = { lifetime };
