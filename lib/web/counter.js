'use strict';

// The keys of the stores for limiters of other packages.

const { createHash } = require('node:crypto');

const { wrongType } = require('../options.js');

/** The longest key that is stored as it is, in characters. */
const MAX_KEY = 1024;

/**
 * A key of any primitive value for a RateLimiter, which accepts no empty, no very long and no
 * malformed text. Different texts have different keys.
 */
function keyOf(prefix, key) {
  if (Object(key) === key) throw wrongType('key', 'a string');
  const text = prefix + String(key);
  if (text.length <= MAX_KEY && text.isWellFormed()) return `=${text}`;
  return `#${createHash('sha256').update(Buffer.from(text, 'utf16le')).digest('base64')}`;
}

module.exports = { keyOf };
