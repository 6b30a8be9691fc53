'use strict';

/** Larger numbers of seconds count as this one (RFC 9111 section 1.2.2). */
const MANY = 2 ** 31;

/**
 * Returns the seconds for which an answer is fresh (RFC 9111 section 4.2): the shortest time that
 * its Cache-Control states, less its Age, but at least `minAge` and at most `maxAge`. `no-store`,
 * `no-cache` and a `max-age` that cannot be read state 0 seconds. If Cache-Control states no time,
 * the answer is fresh for `maxAge`.
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
