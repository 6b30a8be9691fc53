'use strict';

// Values that an argument of some kind must not be, each under a name for the test's report.
//
// A kind is `{ refused }`, names and makers of such values; for an option object or a record it
// has the kinds of its members as well, under `options` or `members`. Of a secret, `isSecret` is
// true.

/** Part of every refused text; an error message must not repeat it. */
const CANARY = 'c4n4ry';

const NOTHING_AT_ALL = { null: () => null, 'a symbol': () => Symbol(CANARY) };
const OBJECTS = { 'an object': () => ({}), 'an array': () => [CANARY] };
const NUMBERS = {
  '-1': () => -1,
  NaN: () => NaN,
  1.5: () => 1.5,
  '2 ** 53': () => 2 ** 53,
  Infinity: () => Infinity,
};
const LONE_SURROGATE = { 'a lone surrogate': () => `${CANARY}\ud800` };
const EMPTY = { 'an empty string': () => '' };

const detached = () => {
  const bytes = new Uint8Array(32).fill(1);
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
  return bytes;
};
const VIEWS = {
  'a detached buffer': detached,
  'shared memory': () => new Uint8Array(new SharedArrayBuffer(32)).fill(1),
  'a DataView': () => new DataView(new ArrayBuffer(32)),
  'a Float64Array': () => new Float64Array(4).fill(1),
  'a Uint16Array': () => new Uint16Array(16).fill(1),
  'an ArrayBuffer': () => new ArrayBuffer(32),
};

const NOT_A_FUNCTION = { ...NOTHING_AT_ALL, ...OBJECTS, 'a number': () => 42, true: () => true };
const NOT_A_STRING = { ...NOT_A_FUNCTION, 'a function': () => () => CANARY };
const NOT_BYTES = { ...NOT_A_STRING, ...VIEWS };
const NOT_AN_OBJECT = {
  null: () => null,
  'a number': () => 42,
  'a string': () => CANARY,
  true: () => true,
  'a symbol': () => Symbol(CANARY),
  'a function': () => () => 1,
};
const NOT_A_NUMBER = {
  ...NOTHING_AT_ALL,
  'an object': () => ({}),
  true: () => true,
  'a bigint': () => 1n,
};

const kind = (...refused) => ({ refused: Object.assign({}, ...refused) });
/** The same kind, of values that are secrets. */
const secretly = (kind) => ({ ...kind, isSecret: true });

const text = kind(NOT_A_STRING, LONE_SURROGATE);
const name = kind(NOT_A_STRING, LONE_SURROGATE, EMPTY);
const word = kind(NOT_A_STRING, LONE_SURROGATE, EMPTY, { 'another word': () => CANARY });
const names = kind(NOTHING_AT_ALL, LONE_SURROGATE, EMPTY, {
  'a number': () => 42,
  true: () => true,
  'an object': () => ({}),
  'an array with a number': () => ['a', 42],
  'an array with a lone surrogate': () => ['a', `${CANARY}\ud800`],
});
const bytes = kind(NOT_BYTES, { 'a string': () => CANARY });
const textOrBytes = kind(NOT_BYTES, LONE_SURROGATE);
/** A string, bytes or a SecretBuffer. */
const secret = secretly(textOrBytes);
const integer = kind(NOT_A_NUMBER, NUMBERS, { 'a string': () => '1' });
const duration = kind(NOT_A_NUMBER, NUMBERS, LONE_SURROGATE, EMPTY, {
  'a number as a string': () => '15',
  'a fraction with a unit': () => '1.5h',
  'a negative duration': () => '-1m',
  'an unknown unit': () => '15parsec',
});
const { 1.5: _, ...MOMENTS } = NUMBERS;
/** A Date or seconds, which may have a fraction. */
const moment = kind(NOT_A_NUMBER, MOMENTS, {
  'a string': () => '2030-01-01',
  'an invalid Date': () => new Date(NaN),
  'a Date before 1970': () => new Date(-1000),
  milliseconds: () => Date.now(),
});
/** Seconds, which may have a fraction. */
const numericDate = kind(NOT_A_NUMBER, MOMENTS, {
  'a string': () => '1',
  milliseconds: () => Date.now(),
});
const boolean = kind({ ...NOTHING_AT_ALL, 0: () => 0, 'a string': () => 'true', ...OBJECTS });
const callback = kind(NOT_A_FUNCTION, { 'a string': () => CANARY });
const signal = kind(NOT_A_FUNCTION, {
  'a string': () => CANARY,
  'an event target': () => new EventTarget(),
  'an impostor': () => Object.create(AbortSignal.prototype),
  'a controller': () => new AbortController(),
});
const claims = kind(NOT_AN_OBJECT, {
  'an array': () => [],
  'a Date': () => new Date(0),
  'a lone surrogate in a name': () => ({ [`${CANARY}\ud800`]: 1 }),
  'a lone surrogate in a value': () => ({ role: `${CANARY}\ud800` }),
  'nothing that JSON knows': () => ({ toJSON: () => undefined }),
});
/** Text from a client, of which nothing is a mistake of the caller's. */
const clientText = kind(NOT_A_STRING);
/** A token given to a function that throws for one that it does not accept. */
const token = kind(NOT_A_STRING, LONE_SURROGATE, EMPTY, {
  garbage: () => CANARY,
  'three segments of garbage': () => `${CANARY}.${CANARY}.${CANARY}`,
});
/** What may be any value at all. */
const anything = kind();

/** An object of one of this package's classes. */
const instance = (Class, make) =>
  kind(NOT_AN_OBJECT, {
    'an object': () => ({}),
    'an impostor': () => Object.create(Class.prototype),
    'a proxy': () => new Proxy(make(), {}),
  });

/** An object whose options would be those of a class, and so would not be seen. */
const CLASS_INSTANCES = {
  'an instance of a class': () => new (class Options {})(),
  'an heir': () => Object.create({ inherited: true }),
  'an heir of nothing': () => Object.create(Object.create(null)),
  'an array': () => [],
};
const options = (kinds) => ({ ...kind(NOT_AN_OBJECT, CLASS_INSTANCES), options: kinds });
const record = (kinds) => ({ ...kind(NOT_AN_OBJECT), members: kinds });
const or = (one, other) => ({
  ...kind(one.refused, other.refused),
  isSecret: one.isSecret === true || other.isSecret === true,
});

module.exports = {
  CANARY,
  anything,
  boolean,
  bytes,
  callback,
  claims,
  clientText,
  duration,
  instance,
  integer,
  kind,
  moment,
  name,
  names,
  numericDate,
  options,
  or,
  record,
  secret,
  secretly,
  signal,
  text,
  textOrBytes,
  token,
  word,
};
