'use strict';

// Sets the header fields of a limit beside those that a limiter before, maybe of another package,
// has set.

/** Fields that are one List or Dictionary in each draft. */
const STRUCTURED = ['RateLimit', 'RateLimit-Policy'];
/** The pairs of fields that tell of one limit: the units left, and the time. */
const NUMBERS = [
  ['RateLimit-Remaining', 'RateLimit-Reset'],
  ['X-RateLimit-Remaining', 'X-RateLimit-Reset'],
];
/** The fields that draft 6 has in place of `RateLimit`. */
const SEPARATE = ['RateLimit-Limit', 'RateLimit-Remaining', 'RateLimit-Reset'];
/** `RateLimit` in draft 7. */
const DICTIONARY = /\bremaining=(\d+)(?:.*\breset=(\d+))?/;

/**
 * Sets fields, with functions of the framework. A List gets more members. Fields that tell of one
 * limit tell of the tightest. Fields of another draft than those that are there are left out,
 * because no client could parse both. Of two times in `Retry-After` the later one stays.
 */
function addFields(fields, get, set) {
  const names = Object.keys(fields);
  const isMixed = wouldMix(fields, get);
  // Nearly every response has none of them yet.
  if (!isMixed && names.every((name) => get(name) === undefined)) {
    for (const name of names) set(name, fields[name]);
    return;
  }
  if (!isMixed && isSameForm(fields, get)) {
    const keeps = isTighterBefore(fields, get);
    for (const name of names) {
      if (name === 'Retry-After') continue;
      const before = textOf(get(name));
      if (before === undefined) set(name, fields[name]);
      else if (isList(name, before)) set(name, `${before}, ${fields[name]}`);
      else if (!keeps) set(name, fields[name]);
    }
  }
  const { 'Retry-After': after } = fields;
  if (after !== undefined && !isLater(textOf(get('Retry-After')), after)) set('Retry-After', after);
}

/** Lets scripts of other origins see fields, and `Retry-After`, which a later answer may have. */
function exposeFields(fields, get, set) {
  const before = textOf(get('Access-Control-Expose-Headers'));
  const known = (before ?? '').toLowerCase().split(/\s*,\s*/);
  const names = [...new Set([...Object.keys(fields), 'Retry-After'])].sort();
  const added = names.filter((name) => !known.includes(name.toLowerCase()));
  if (added.length === 0) return;
  set('Access-Control-Expose-Headers', [...(before ? [before] : []), ...added].join(', '));
}

function textOf(value) {
  return Array.isArray(value) ? value.join(', ') : value?.toString();
}

/** Since draft 8, `RateLimit` is a List of Strings, and so is `RateLimit-Policy`. */
function isQuoted(text) {
  return text.trimStart().startsWith('"');
}

/** Whether a response would have `RateLimit` and the fields that draft 6 has in its place. */
function wouldMix(fields, get) {
  if (fields.RateLimit !== undefined) return SEPARATE.some((name) => get(name) !== undefined);
  return fields['RateLimit-Remaining'] !== undefined && get('RateLimit') !== undefined;
}

function isSameForm(fields, get) {
  return STRUCTURED.every((name) => {
    const before = fields[name] && textOf(get(name));
    return before === undefined || isQuoted(before) === isQuoted(fields[name]);
  });
}

function isList(name, before) {
  return name === 'RateLimit-Policy' || (name === 'RateLimit' && isQuoted(before));
}

/** Whether the limit of which the fields tell already is as tight as this one, or not readable. */
function isTighterBefore(fields, get) {
  const own = numbersOf((name) => fields[name]);
  const before = own && numbersOf((name) => textOf(get(name)));
  if (before === undefined) return false;
  if (before.remaining !== own.remaining) return !(before.remaining > own.remaining);
  return !(before.reset < own.reset);
}

/** The numbers of fields that tell of one limit, undefined if there are none. */
function numbersOf(get) {
  const [remaining, reset] = NUMBERS.find(([name]) => get(name) !== undefined) ?? [];
  if (remaining !== undefined) return { remaining: Number(get(remaining)), reset: Number(get(reset)) };
  const text = get('RateLimit');
  if (text === undefined || isQuoted(text)) return undefined;
  const [, units, time] = DICTIONARY.exec(text) ?? [];
  return { remaining: Number(units), reset: Number(time) };
}

/** Whether a `Retry-After`, which may be a date (RFC 9110 section 10.2.3), is later. */
function isLater(before, seconds) {
  if (before === undefined) return false;
  const given = /^\d+$/.test(before) ? Number(before) : (Date.parse(before) - Date.now()) / 1000;
  return given > Number(seconds);
}

module.exports = { addFields, exposeFields };
