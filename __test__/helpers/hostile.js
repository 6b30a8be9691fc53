'use strict';

// Values that an argument of some kind must not have. Each has a name for the test's report.
//
// A kind is `{ refused }`, an object of names and of functions that make the values. The kind of an
// option object or a record also has the kinds of its members, under `options` or `members`. The
// kind of a secret has `isSecret: true`.

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
/** Marks a kind of value as secret. */
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
/** A Date, or seconds with or without a fraction. */
const moment = kind(NOT_A_NUMBER, MOMENTS, {
  'a string': () => '2030-01-01',
  'an invalid Date': () => new Date(NaN),
  'a Date before 1970': () => new Date(-1000),
  milliseconds: () => Date.now(),
});
/** Seconds, with or without a fraction. */
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
/** Text from a client. No string is refused, because its content is not the caller's mistake. */
const clientText = kind(NOT_A_STRING);
/** A token for a function that throws if it does not accept the token. */
const token = kind(NOT_A_STRING, LONE_SURROGATE, EMPTY, {
  garbage: () => CANARY,
  'three segments of garbage': () => `${CANARY}.${CANARY}.${CANARY}`,
});
/** Any value. */
const anything = kind();

/** An object of one of this package's classes. */
const instance = (Class, make) =>
  kind(NOT_AN_OBJECT, {
    'an object': () => ({}),
    'an impostor': () => Object.create(Class.prototype),
    'a proxy': () => new Proxy(make(), {}),
  });

/** Objects that would inherit their options, so that a reader of own properties would miss them. */
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
