'use strict';

/** More seconds than this are as many (RFC 9111 section 1.2.2). */
const MANY = 2 ** 31;

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
  const left = Math.min(...stated) - (/^\d+$/.test(age) ? upToMany(age) : 0);
  return Math.min(Math.max(left, minAge), maxAge);
}

function secondsOf(directive) {
  if (/^no-(store|cache)\b/.test(directive)) return 0;
  if (!/^max-age\b/.test(directive)) return undefined;
  return upToMany(/^max-age=("?)(\d+)\1$/.exec(directive)?.[2] ?? 0);
}

function upToMany(digits) {
  return Math.min(Number(digits), MANY);
}

module.exports = { lifetime };
