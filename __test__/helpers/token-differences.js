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
 * docs/strictness.md has a row for each: `because` and `todo` are its cells. `rows` are the rows of
 * the table in docs/migrating.md that belong to the class.
 */
const STRICTER = [
  {
    name: 'two members of one name',
    because:
      'RFC 7515 section 4 and RFC 7519 section 4: names must be unique, and a reader may ' +
        'refuse the token. Two readers that keep different members read two different tokens.',
    todo:
      'Build header and claims from one object each. `JSON.stringify` writes no name twice.',
    rows: ['two members of one name'],
    explains: (token, result) => malformed(result) && token.shapes.some((shape) => shape.duplicates),
  },
  {
    name: 'nested deeper than 32',
    because:
      'RFC 8259 section 9: a parser may limit the depth. A reader that recurses runs out of ' +
        'stack.',
    todo: 'Put flat claims into the token, and load deep data by `sub`.',
    rows: ['nested deeper than 32'],
    explains: (token, result) =>
      malformed(result) && token.shapes.some(({ depth }) => depth > MAX_DEPTH),
  },
  {
    name: 'longer than a token may be',
    because:
      'RFC 8725 names no limit. Here 16 KiB for a token and 8 KiB for its header bound the ' +
        "work for a stranger's text; Node refuses request headers above 16 KiB.",
    todo: 'Set `maxBytes`, up to 1 MiB, on the verifier that reads long tokens.',
    rows: ['longer than 16 KiB'],
    explains: ({ text, policy }, result) => {
      const maxBytes = policy.maxBytes ?? MAX_TOKEN;
      const maxHeader = maxBytes > MAX_TOKEN ? maxBytes : MAX_HEADER;
      return malformed(result) && (text.length > maxBytes || text.indexOf('.') > maxHeader);
    },
  },
  {
    name: '`b64`, `enc` or `zip` in the header',
    because:
      'RFC 7797 section 6 and RFC 7516: the payload is then unencoded, encrypted or ' +
        'compressed, and no JWT. A reader that ignores the parameter takes it for another ' +
        'payload.',
    todo:
      'Leave these parameters out of the header. Encrypted tokens need a library for JWE.',
    rows: ['`b64` without `crit`'],
    explains: ({ header }, result) =>
      malformed(result) && ['b64', 'enc', 'zip'].some((name) => Object.hasOwn(header, name)),
  },
  {
    name: 'critical parameters (`crit`)',
    because:
      'RFC 7515 section 4.1.11: a token with a critical extension that the reader does not ' +
        'understand is invalid. This package has no extensions.',
    todo:
      'Have the issuer leave `crit` out, or verify these tokens with a library that ' +
        'implements the extension.',
    rows: ['an extension that is critical'],
    explains: ({ header }, { code }) =>
      code === 'ERR_JWT_CRITICAL' && header.crit.every((name) => name === 'b64') && header.b64,
  },
  {
    name: '`kid` or `typ` is no string',
    because:
      'RFC 7515 sections 4.1.4 and 4.1.9: both are strings.',
    todo: 'Write the `kid` as a string. Leave a parameter out instead of `null`.',
    rows: ['`kid` is a number'],
    explains: ({ header }, result) =>
      malformed(result) &&
      ['kid', 'typ'].some((name) => Object.hasOwn(header, name) && !isString(header[name])),
  },
  {
    name: '`alg`, `kid`, `typ` or `crit` spelled with an escape',
    because:
      'RFC 7515 section 10.13: a reader that compares names before it resolves escapes sees ' +
        'another header.',
    todo: 'Write the names as they are; every JSON library does.',
    explains: ({ header, headerText }, result) =>
      malformed(result) &&
      ['alg', 'kid', 'typ', 'crit'].some(
        (name) => Object.hasOwn(header, name) && !headerText.includes(`"${name}"`),
      ),
  },
  {
    name: 'a byte order mark',
    because:
      'RFC 8259 section 8.1: JSON on a network must not begin with it, and `JSON.parse` ' +
        'refuses it.',
    todo: 'Encode the JSON as UTF-8 without a byte order mark.',
    rows: ['a byte order mark'],
    explains: ({ bytes }, result) =>
      malformed(result) && bytes.some((part) => part.toString().startsWith('\ufeff')),
  },
  {
    name: 'half a surrogate pair as an escape',
    because:
      'RFC 7493 section 2.1: it is no Unicode text, and becomes U+FFFD in UTF-8, so that two ' +
        'names turn into one.',
    todo: 'Call `toWellFormed()` on text from users before it becomes a claim.',
    rows: ['half a surrogate pair'],
    explains: ({ texts }, result) => malformed(result) && texts.some((text) => /\\ud800/i.test(text)),
  },
  {
    name: 'base64url with padding, white space or stray bits',
    because:
      'RFC 7515 section 2: no padding, white space or line breaks. RFC 4648 section 3.5: no ' +
        'stray bits. With them, one token has many spellings, which escape a list of revoked ' +
        'texts or a cache.',
    todo:
      'Trim the text before the call. For AWS load balancers, which pad, set `padding: ' +
        "'allow'`.",
    rows: ['padding behind the signature'],
    explains: ({ text }, result) =>
      malformed(result) &&
      text.split('.').some((part) => part !== Buffer.from(part, 'base64url').toString('base64url')),
  },
  {
    name: 'a `kid` that no key has',
    because:
      'RFC 7515 section 4.1.4: `kid` says which key signed the token.',
    todo: 'Give the key the `kid` of the tokens: `JwtKey.fromPem(pem, { alg, kid })`.',
    rows: ['another `kid` than the key'],
    explains: ({ header, kid }, { code }) =>
      code === 'ERR_JWT_KEY_NOT_FOUND' && isString(header.kid) && header.kid !== kid,
  },
  {
    name: 'a registered claim of the wrong type',
    because:
      'RFC 7519 section 4.1 states the types. A number as `sub` is equal to a text for one ' +
        'reader, and not for another.',
    todo:
      'Write `sub`, `jti` and `sid` as strings: `String(user.id)`. Write times as numbers of ' +
        'seconds.',
    rows: ['`sub` is a number', '`aud` has more than strings', '`exp` is 1e400'],
    explains: ({ claims }, { code, claim, reason }) =>
      code === 'ERR_JWT_CLAIM' && reason === 'type' && !TYPES[claim](claims[claim]),
  },
  {
    name: 'a time after the year 5138',
    because:
      'RFC 7519 section 2: times are in seconds. One in milliseconds would expire in 50,000 ' +
        'years.',
    todo: 'Divide by 1000: `Math.floor(Date.now() / 1000)`.',
    explains: ({ claims }, { code, claim, reason }) =>
      code === 'ERR_JWT_CLAIM' && reason === 'type' && claims[claim] > MAX_DATE,
  },
  {
    name: 'issued in the future',
    because:
      'RFC 7519 section 4.1.6: `iat` is the time of issue, which has not come.',
    todo: 'Synchronize the clocks, or set `clockTolerance`. Left out, 5 seconds are tolerated.',
    rows: ['`iat` is in the future'],
    explains: ({ claims, now, policy }, { code, claim, reason }) =>
      code === 'ERR_JWT_CLAIM' && claim === 'iat' && reason === 'mismatch' &&
      claims.iat > now + policy.clockTolerance && policy.maxAge === undefined,
  },
  {
    name: 'expired since this second began',
    because:
      'RFC 7519 section 4.1.4: a token is not accepted on or after `exp`. The clock here ' +
        'counts milliseconds.',
    todo: 'Renew tokens before they expire, or set `clockTolerance`.',
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
