'use strict';

/** The name of a header or of a cookie (RFC 9110 section 5.6.2, RFC 6265 section 4.1.1). */
const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/;

/**
 * Whether a request has a header more than once, of which Node may show the first only. `raw` are
 * names and values in turn.
 */
function isRepeated(raw = [], name) {
  let count = 0;
  for (let at = 0; at < raw.length; at += 2) {
    const given = raw[at];
    if (given.length === name.length && given.toLowerCase() === name) count += 1;
  }
  return count > 1;
}

module.exports = { TOKEN, isRepeated };
