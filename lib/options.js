'use strict';

// Options that never reach the native part: declared once, and read once. The native part does the
// same for its own (src/binding/args/declare.rs).

const { makeError } = require('./errors.js');
const { isPlain, snapshot } = require('./native.js');

const DURATION = /^(\d{1,10})([smhdw])$/;
const UNITS = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

/** The names of each declaration's options, for the table of arguments in the tests. */
const declared = {};

/**
 * Declares the options of `of`. A member of `kinds` is `(value, name) => read value` or
 * `required(kind)`. Returns the function that reads given options: the values by name, without
 * those that were left out.
 */
function declareOptions(of, kinds) {
  const names = Object.keys(kinds);
  declared[of] = names;
  return (options) => {
    const given = options === undefined ? {} : snapshot(options);
    if (given === null || typeof given !== 'object' || Array.isArray(given) || !isPlain(given)) {
      throw wrongType('options', 'a plain object');
    }
    const unknown = Object.keys(given).find((name) => !names.includes(name));
    if (unknown !== undefined) {
      const message = `unknown option "${unknown.slice(0, 40)}"; the options are ${names.join(', ')}`;
      throw makeError('ERR_UNKNOWN_OPTION', message);
    }
    const read = { __proto__: null };
    for (const name of names) {
      const value = Object.hasOwn(given, name) ? given[name] : undefined;
      if (value !== undefined) {
        read[name] = kinds[name](value, name);
      } else if (kinds[name].isRequired) {
        throw makeError('ERR_MISSING_OPTION', `option "${name}" is required`);
      }
    }
    return read;
  };
}

function required(kind) {
  return Object.assign((value, name) => kind(value, name), { isRequired: true });
}

function boolean(value, name) {
  if (typeof value === 'boolean') return value;
  throw wrongType(name, 'a boolean');
}

function callback(value, name) {
  if (typeof value === 'function') return value;
  throw wrongType(name, 'a function');
}

/** A value that the native part checks. */
function anything(value) {
  return value;
}

function number(least, most) {
  return (value, name) => {
    if (typeof value !== 'number') throw wrongType(name, 'a number');
    if (value >= least && value <= most) return value;
    throw makeError('ERR_OUT_OF_RANGE', `${name} must be from ${least} to ${most}`);
  };
}

function integer(least, most) {
  return (value, name) => {
    if (typeof value !== 'number') throw wrongType(name, 'an integer');
    if (Number.isInteger(value) && value >= least && value <= most) return value;
    throw makeError('ERR_OUT_OF_RANGE', `${name} must be an integer from ${least} to ${most}`);
  };
}

/** Whole seconds, or a whole number with a unit; read as seconds. */
function duration(most) {
  return (value, name) => {
    const within = integer(1, most);
    if (typeof value === 'number') return within(value, name);
    const [, count, unit] = (typeof value === 'string' && DURATION.exec(value)) || [];
    if (unit === undefined) throw wrongType(name, "whole seconds, or a string such as '15m'");
    return within(Number(count) * UNITS[unit], name);
  };
}

/** An object that has a method; `expected` says which class has it. */
function having(method, expected) {
  return (value, name) => {
    if (typeof Object(value)[method] === 'function') return value;
    throw wrongType(name, expected);
  };
}

function oneOf(words) {
  return (value, name) => {
    if (words.includes(value)) return value;
    const list = words.map((word) => (typeof word === 'string' ? `'${word}'` : `${word}`)).join(', ');
    const isType = words.some((word) => typeof word === typeof value);
    if (!isType) throw wrongType(name, `one of ${list}`);
    throw makeError('ERR_INVALID_ARG_VALUE', `${name} must be one of ${list}`);
  };
}

/** Text of 1 to `most` bytes that `pattern` matches; `expected` says so in words. */
function text(most, pattern, expected) {
  return (value, name) => {
    checkText(value, name, most);
    if (pattern === undefined || pattern.test(value)) return value;
    throw makeError('ERR_INVALID_ARG_VALUE', `${name} must be ${expected}`);
  };
}

/** Throws unless the value is well-formed text of 1 to `most` bytes. */
function checkText(value, name, most) {
  if (typeof value !== 'string') throw wrongType(name, 'a string');
  // A long text is not read.
  if (value === '' || value.length > most || Buffer.byteLength(value) > most) {
    throw makeError('ERR_OUT_OF_RANGE', `${name} must be 1 to ${most} bytes long`);
  }
  if (!value.isWellFormed()) {
    throw makeError('ERR_INVALID_ARG_VALUE', `${name} must be well-formed Unicode`);
  }
}

function wrongType(name, expected) {
  return makeError('ERR_INVALID_ARG_TYPE', `${name} must be ${expected}`);
}

module.exports = {
  anything,
  boolean,
  callback,
  checkText,
  declareOptions,
  declared,
  duration,
  having,
  integer,
  number,
  oneOf,
  required,
  text,
  wrongType,
};
