'use strict';

// Changes whole tokens where a reader makes a decision: drops, doubles, escapes, mistypes and nests
// members, spells numbers oddly, and moves times around the limits.

/** Values of every type. Some of them are not valid JSON. */
const VALUES = [
  'null', 'true', '0', '1', '-1', '-0', '1.5', '1e2', '1E+2', '1e-400', '1e400', '-1e400',
  '18446744073709551616', '123456789012345678901', '""', '"text"', '"1"', '[]', '{}', '["a"]',
  '[1]', '[["a"]]', '{"a":1,"a":2}', '{"a":1,"\\u0061":2}', '"\\ud83d\\ude00"', '"\\ud800"',
  '01', '1.', '+1', 'NaN', '', '"\u0001"', '"\\x"',
];
const ISSUERS = ['"i"', '"\\u0069"', '"j"', '"I"', '["i"]', '"i "', '""', 'null'];
const AUDIENCES = [
  '"a"', '"b"', '["a"]', '["b","\\u0061"]', '[ "b" , "c" ]', '[]', '["a",1]', '[["a"]]',
  '["a",null]', '"A"', '{"0":"a"}', '["a","a"]',
];
const TYPES = [
  '"jwt"', '"application/JWT"', '"at+jwt"', '"\\u004aWT"', '""', 'null', '1', '["JWT"]',
];
const KIDS = ['"unknown"', '""', 'null', '7', '["k1"]', '"K1"', '"\\u006b1"'];
const ALGORITHMS = [
  '"none"', '"NONE"', '""', '"hs256"', '"HS256"', '"HS512"', '"RS256"', '"ES256"', '"EdDSA"',
  '"Ed25519"', 'null', '["HS256"]',
];
const CRITICAL = ['[]', '["exp"]', '["b64"]', '["b64"]', '["b64","b64"]', 'null', '"x"'];
/** Header parameters that a verifier with a given key does not read. */
const UNREAD = ['jku', 'jwk', 'x5u', 'x5c', 'x5t', 'x5t#S256', 'cty', 'url', 'nonce', 'apu'];
const CLAIMS = ['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti', 'sid', 'roles'];
/** Distances from the present, in seconds, that are close to a limit of some policy. */
const STEPS = [-7200, -3661, -3660, -3600, -301, -60, -1, 0, 0, 0, 0, 1, 59, 60, 61, 300, 7200];
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** A generator that gives the same sequence for the same seed (xorshift). */
class Random {
  #state;

  constructor(seed) {
    this.#state = seed | 0 || 1;
  }

  below(limit) {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return (this.#state >>> 0) % limit;
  }

  pick(pool) {
    return pool[this.below(pool.length)];
  }
}

/** Makes one change to a header: a list of unquoted names and values, both as JSON text. */
function mutateHeader(members, random) {
  switch (random.below(11)) {
    case 0:
      return set(members, 'kid', random.pick(KIDS));
    case 1:
      return set(members, 'typ', random.pick(TYPES));
    case 2:
      return set(members, 'alg', random.pick(ALGORITHMS));
    case 3:
      return set(members, 'crit', random.pick(CRITICAL));
    case 4:
      return set(members, random.pick(['b64', 'enc', 'zip']), random.pick(['true', 'false', '"A"']));
    case 5:
      return set(members, random.pick(UNREAD), random.pick(VALUES));
    case 6:
      return set(members, 'kid', `"${'k'.repeat(255 + random.below(3))}"`);
    case 7:
      // jose supports no other extension.
      set(members, 'crit', '["b64"]');
      return set(members, 'b64', random.pick(['true', 'true', 'false', '1']));
    default:
      return mutateAny(members, random);
  }
}

/**
 * Makes one change to a payload, for a verifier that reads `now` and tolerates `tolerance` seconds.
 */
function mutatePayload(members, random, now, tolerance) {
  const choice = random.below(10);
  if (choice === 0) return set(members, 'iss', random.pick(ISSUERS));
  if (choice === 1) return set(members, 'aud', random.pick(AUDIENCES));
  if (choice <= 3) return set(members, random.pick(CLAIMS), random.pick(VALUES));
  if (choice >= 8) return mutateAny(members, random);
  const at = now + random.pick(STEPS) + tolerance * random.pick([-1, 0, 1]);
  return set(members, random.pick(['exp', 'nbf', 'iat', 'auth_time']), dateText(at, random));
}

function mutateAny(members, random) {
  if (members.length === 0) return;
  const place = random.below(members.length);
  const [name, value] = members[place];
  const other = random.below(members.length + 1);
  const text = (length) => members.push(['x', `"${'x'.repeat(length)}"`]);
  const change = [
    () => members.splice(place, 1),
    () => members.splice(other, 0, [name, value]),
    () => members.splice(other, 0, [escaped(name), random.pick(VALUES)]),
    () => (members[place] = [escaped(name), value]),
    () => members.push([random.pick(['__proto__', '', 'x', 'Exp', 'exp ', 'é']), value]),
    () => {
      const depth = 30 + random.below(3);
      const [open, close] = random.pick([['[', ']'], ['{"a":', '}']]);
      members.push(['deep', `${open.repeat(depth)}1${close.repeat(depth)}`]);
    },
    () => text(random.pick([6000, 11_000, 20_000])),
    () => members.push(['x', random.pick(VALUES)]),
  ];
  random.pick(change)();
}

/** Writes members as JSON text, sometimes with white space, sometimes broken as a whole. */
function write(members, random) {
  const space = random.below(8) === 0 ? random.pick([' ', '\n\t', '\r\n', '\f', '\u00a0']) : '';
  const inside = members
    .map(([name, value]) => `"${name}"${space}:${space}${value}`)
    .join(`${space},${space}`);
  const text = `${space}{${inside}}${space}`;
  if (random.below(20) !== 0) return Buffer.from(text);
  return random.pick([
    Buffer.from(`\ufeff${text}`),
    Buffer.from(`[${text}]`),
    Buffer.from(text + text),
    Buffer.from(`${text}\0`),
    Buffer.from(text.replaceAll('}', ',}')),
    Buffer.from(text.replaceAll('"', "'")),
    Buffer.concat([Buffer.from(text), Buffer.of(0xff)]),
  ]);
}

/** Changes the text of a segment. The result may still decode to the same bytes. */
function respell(segment, random) {
  const last = ALPHABET.indexOf(segment.at(-1));
  const place = random.below(Math.min(segment.length, 4) + 1);
  return random.pick([
    segment + '='.repeat((4 - (segment.length % 4)) % 4 || 1),
    segment + random.pick([' ', '\n', '.', 'A', 'é', '%3D']),
    segment.replaceAll('-', '+').replaceAll('_', '/'),
    segment.slice(0, -1),
    segment.slice(0, place) + random.pick(['\n', ' ', '=', '.']) + segment.slice(place),
    // Changes unused bits after the last byte.
    segment.slice(0, -1) + ALPHABET[last ^ 1],
  ]);
}

function set(members, name, value) {
  const known = members.find((member) => member[0] === name);
  if (known === undefined) members.push([name, value]);
  else known[1] = value;
}

/** A NumericDate in one of JSON's spellings, or slightly invalid. */
function dateText(at, random) {
  const spellings = [`${at}.0`, `${at}e0`, `${at}000E-3`, `${at}.25`, `${at}.75`, `-${at}`];
  return random.pick([...spellings, `"${at}"`, `${at}e10`, `${at}`, `${at}`, `${at}`]);
}

/** Writes the first character of a name as an escape. */
function escaped(name) {
  if (name === '') return '';
  return `\\u${name.charCodeAt(0).toString(16).padStart(4, '0')}${name.slice(1)}`;
}

module.exports = { Random, mutateHeader, mutatePayload, respell, write };
