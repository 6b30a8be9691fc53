'use strict';

// Every known difference between jose and this package, with its reason. `explains` recognizes a
// difference from the token and our result, without asking jose. A difference that is not listed
// fails the test, and so does an entry that never occurs.

const MAX_TOKEN = 16 * 1024;
const MAX_HEADER = 8192;
const MAX_DEPTH = 32;

const malformed = ({ code }) => code === 'ERR_JWT_MALFORMED';
const isString = (value) => typeof value === 'string';
const isStrings = (value) => Array.isArray(value) && value.every(isString);
const isDate = (value) => typeof value === 'number' && Number.isFinite(value);
const MAX_DATE = 1e11;
const TYPES = {
  aud: (value) => isString(value) || isStrings(value),
  exp: isDate,
  iat: isDate,
  iss: isString,
  jti: isString,
  nbf: isDate,
  sid: isString,
  sub: isString,
};

/**
 * Tokens that only this package refuses. `explains` takes the facts about the token and our result.
 */
const STRICTER = [
  {
    name: 'two members of one name',
    because: 'RFC 7515 section 4 and RFC 7519 section 4 let a reader refuse them; JSON.parse keeps ' +
      'the last',
    explains: (token, result) => malformed(result) && token.shapes.some((shape) => shape.duplicates),
  },
  {
    name: 'nested deeper than 32',
    because: 'RFC 8259 section 9: a parser may limit the depth; JSON.parse does not',
    explains: (token, result) =>
      malformed(result) && token.shapes.some(({ depth }) => depth > MAX_DEPTH),
  },
  {
    name: 'longer than a token may be',
    because: '16 KiB for a token and 8 KiB for its header, or an option, are ours; jose has no limit',
    explains: ({ text, policy }, result) => {
      const maxBytes = policy.maxBytes ?? MAX_TOKEN;
      const maxHeader = maxBytes > MAX_TOKEN ? maxBytes : MAX_HEADER;
      return malformed(result) && (text.length > maxBytes || text.indexOf('.') > maxHeader);
    },
  },
  {
    name: 'b64, enc or zip',
    because: 'RFC 7797 section 6 and RFC 7516: not the payload of a JWT; jose ignores them without crit',
    explains: ({ header }, result) =>
      malformed(result) && ['b64', 'enc', 'zip'].some((name) => Object.hasOwn(header, name)),
  },
  {
    name: 'crit',
    because: 'RFC 7515 section 4.1.11: no extension is understood here; jose knows b64, and in a JWT ' +
      'takes it when it is true (RFC 7797 section 7), and named twice, too',
    explains: ({ header }, { code }) =>
      code === 'ERR_JWT_CRITICAL' && header.crit.every((name) => name === 'b64') && header.b64,
  },
  {
    name: 'kid or typ is no string',
    because: 'RFC 7515 sections 4.1.4 and 4.1.9; jose looks at typ only where it is asked for',
    explains: ({ header }, result) =>
      malformed(result) &&
      ['kid', 'typ'].some((name) => Object.hasOwn(header, name) && !isString(header[name])),
  },
  {
    name: 'alg, kid, typ or crit spelt with an escape',
    because: 'nobody who means well writes it, and readers that compare before they resolve it ' +
      '(RFC 7515 section 10.13) see another header',
    explains: ({ header, headerText }, result) =>
      malformed(result) &&
      ['alg', 'kid', 'typ', 'crit'].some(
        (name) => Object.hasOwn(header, name) && !headerText.includes(`"${name}"`),
      ),
  },
  {
    name: 'a byte order mark',
    because: 'RFC 8259 section 8.1: it must not be there, and may be ignored; JSON.parse refuses it, ' +
      'jose takes it away first',
    explains: ({ bytes }, result) =>
      malformed(result) && bytes.some((part) => part.toString().startsWith('\ufeff')),
  },
  {
    name: 'half a surrogate pair as an escape',
    because: 'RFC 7493 section 2.1: no Unicode text; JSON.parse takes it',
    explains: ({ texts }, result) => malformed(result) && texts.some((text) => /\\ud800/i.test(text)),
  },
  {
    name: 'another base64url',
    because: 'RFC 7515 section 2: no padding, white space or line breaks, RFC 4648 section 3.5: no ' +
      'stray bits; jose decodes with atob',
    explains: ({ text }, result) =>
      malformed(result) &&
      text.split('.').some((part) => part !== Buffer.from(part, 'base64url').toString('base64url')),
  },
  {
    name: 'a key of another id',
    because: 'RFC 7515 section 4.1.4; jose has been given the key, and does not look at the kid',
    explains: ({ header, kid }, { code }) =>
      code === 'ERR_JWT_KEY_NOT_FOUND' && isString(header.kid) && header.kid !== kid,
  },
  {
    name: 'a registered claim of the wrong type',
    because: 'RFC 7519 section 4.1; jose never looks at jti, sid and, unasked, at iss, sub and aud, ' +
      'takes an aud among whose members are others than strings, and Infinity for a time',
    explains: ({ claims }, { code, claim, reason }) =>
      code === 'ERR_JWT_CLAIM' && reason === 'type' && !TYPES[claim](claims[claim]),
  },
  {
    name: 'a time after the year 5138',
    because: 'in milliseconds, most likely: it would never expire; jose has no limit',
    explains: ({ claims }, { code, claim, reason }) =>
      code === 'ERR_JWT_CLAIM' && reason === 'type' && claims[claim] > MAX_DATE,
  },
  {
    name: 'issued in the future',
    because: 'RFC 7519 section 4.1.6 says when it was issued, which has not come; jose reads it only ' +
      'with maxTokenAge',
    explains: ({ claims, now, policy }, { code, claim, reason }) =>
      code === 'ERR_JWT_CLAIM' && claim === 'iat' && reason === 'mismatch' &&
      claims.iat > now + policy.clockTolerance && policy.maxAge === undefined,
  },
  {
    name: 'expired since this second began',
    because: "RFC 7519 section 4.1.4; jose's clock has no fractions",
    explains: ({ claims, now, policy }, { code }) => {
      const within = (limit) => limit > now && limit < now + 1;
      return (
        code === 'ERR_JWT_EXPIRED' &&
        (within(claims.exp + policy.clockTolerance) ||
          // jose refuses a token that is older, and this package one that is as old.
          [0, 1].some((s) => within(claims.iat + policy.maxAge + policy.clockTolerance + s / 1e6)))
      );
    },
  },
];

/** Tokens that only this package accepts. */
const LAXER = [
  {
    name: 'begun since this second began',
    because: "RFC 7519 section 4.1.5; jose's clock has no fractions",
    explains: ({ claims, now, policy }, { code, claim }) => {
      const start = claims[claim] - policy.clockTolerance;
      return (
        code === 'ERR_JWT_CLAIM_VALIDATION_FAILED' && ['iat', 'nbf'].includes(claim) &&
        start > now && start < now + 1
      );
    },
  },
];

/** For a text that JSON.parse reads: its depth, and whether two members have the same name. */
function shape(text) {
  const open = [];
  const found = { depth: 0, duplicates: false };
  for (const [piece, string] of text.matchAll(/("(?:[^"\\]|\\.)*")(?=\s*:)|"(?:[^"\\]|\\.)*"|[[\]{}]/g)) {
    if (string !== undefined) {
      const names = open.at(-1);
      const name = JSON.parse(string);
      found.duplicates ||= names.has(name);
      names.add(name);
    } else if (piece === '{' || piece === '[') {
      found.depth = Math.max(found.depth, open.push(new Set()));
    } else if (piece === '}' || piece === ']') {
      open.pop();
    }
  }
  return found;
}

module.exports = { LAXER, STRICTER, shape };
