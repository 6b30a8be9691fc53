'use strict';

// The functions of @nodesec/native/audit.

const { context, isCorrelationId, within } = require('./audit/correlation.js');
const { CHANNELS, publish } = require('./audit/publish.js');
const { HASHED } = require('./audit/events.js');
const { toPino } = require('./audit/records.js');
const { makeError } = require('./errors.js');
const { isPlain, native, snapshot } = require('./native.js');
const { callback, checkText } = require('./options.js');

const RECORDED = CHANNELS['app.recorded'];
const ACTION = /^[A-Za-z][\w.:-]{0,99}$/;
const NAME = /^[A-Za-z]\w{0,63}$/;
const CODE = /^[A-Z][A-Z0-9_]{0,63}$/;
const OUTCOMES = ['ok', 'denied', 'error'];
/** The ids that an application may give. */
const IDS = ['subject', 'session', 'tokenId'];
const MAX_FIELDS = 32;
/** The longest text of a field and the longest id, in characters. */
const MAX_TEXT = 1024;

/** The names of the channels. */
const channels = Object.freeze(Object.values(CHANNELS).map(({ name }) => name));

function record(action, fields) {
  if (typeof action !== 'string') throw makeError('ERR_INVALID_ARG_TYPE', 'action must be a string');
  if (!ACTION.test(action)) {
    throw makeError(
      'ERR_INVALID_ARG_VALUE',
      'action must be 1 to 100 letters, digits and characters of "._:-", and begin with a letter',
    );
  }
  const { outcome = 'ok', code, subject, session, tokenId, ...others } = checked(fields);
  if (!RECORDED.hasSubscribers) return;
  const own = Object.keys(others).length > 0 ? Object.freeze(others) : undefined;
  publish(RECORDED, { outcome, action, code, fields: own }, { subject, session, tokenId });
}

/** The own members of `fields` that are not undefined, each of which is allowed. */
function checked(fields) {
  const given = fields === undefined ? {} : snapshot(fields);
  if (given === null || typeof given !== 'object' || Array.isArray(given) || !isPlain(given)) {
    throw makeError('ERR_INVALID_ARG_TYPE', 'fields must be a plain object');
  }
  const names = Object.keys(given).filter((name) => given[name] !== undefined);
  if (names.length > MAX_FIELDS) {
    throw makeError('ERR_OUT_OF_RANGE', `fields must have at most ${MAX_FIELDS} members`);
  }
  // With the null prototype, a missing field is not read from Object.prototype.
  const read = { __proto__: null };
  for (const name of names) {
    checkField(name, given[name]);
    read[name] = given[name];
  }
  return read;
}

function checkField(name, value) {
  if (!NAME.test(name)) {
    throw makeError(
      'ERR_INVALID_ARG_VALUE',
      'fields must have names of 1 to 64 letters, digits and "_" that begin with a letter',
    );
  }
  const isText = typeof value === 'string';
  if (isText && value.length > MAX_TEXT) {
    throw makeError('ERR_OUT_OF_RANGE', `fields.${name} must be at most ${MAX_TEXT} characters long`);
  }
  if (isText && !value.isWellFormed()) {
    throw makeError('ERR_INVALID_ARG_VALUE', `fields.${name} must be well-formed Unicode`);
  }
  if (name === 'outcome') {
    if (OUTCOMES.includes(value)) return;
    throw makeError('ERR_INVALID_ARG_VALUE', "fields.outcome must be 'ok', 'denied' or 'error'");
  }
  if (name === 'code') {
    if (isText && CODE.test(value)) return;
    throw makeError(
      'ERR_INVALID_ARG_VALUE',
      'fields.code must be a code: capitals, digits and "_", such as ERR_QUOTA',
    );
  }
  if (IDS.includes(name)) {
    if (isText && value !== '') return;
    throw makeError('ERR_INVALID_ARG_TYPE', `fields.${name} must be a string that is not empty`);
  }
  if (isText || typeof value === 'boolean' || value === null || Number.isFinite(value)) return;
  throw makeError(
    'ERR_INVALID_ARG_TYPE',
    `fields.${name} must be a string, a finite number, a boolean or null`,
  );
}

function hashId(member, id) {
  if (typeof member !== 'string') throw makeError('ERR_INVALID_ARG_TYPE', 'member must be a string');
  if (!HASHED.includes(member)) {
    throw makeError('ERR_INVALID_ARG_VALUE', `member must be one of ${HASHED.join(', ')}`);
  }
  return native.auditHash(member, id);
}

function setHashKey(key) {
  native.auditUseKey(key);
}

function withCorrelation(id, fn) {
  checkText(id, 'id', 64);
  if (!isCorrelationId(id)) {
    throw makeError('ERR_INVALID_ARG_VALUE', 'id must be letters, digits and characters of "._:+/=@-"');
  }
  callback(fn, 'fn');
  return within({ __proto__: null, ...context(), correlationId: id }, () => fn());
}

function correlationId() {
  return context()?.correlationId;
}

module.exports = {
  channels,
  correlationId,
  hashId,
  record,
  setHashKey,
  toPino,
  withCorrelation,
};
