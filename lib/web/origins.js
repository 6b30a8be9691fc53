'use strict';

// Hosts of requests, and origins (RFC 6454), which are compared exactly.

const { makeError } = require('../errors.js');
const { wrongType } = require('../options.js');

/** The origin of a web page (RFC 6454 section 7.1), and of a page of an app. */
const WEB = /^(https?):\/\/([\w.-]+|\[[\da-f:.]+\])(:\d{1,5})?$/i;
const OTHER = /^(?!https?:)[a-z][a-z\d+.-]*:\/\/[\w.-]+$/;
/** A host with its port, as the header `Host` has it (RFC 9110 section 7.2). */
const HOST = /^([\w.-]+|\[[\da-f:.]+\])(:\d{1,5})?$/i;
const MAX_ORIGINS = 100;
const LONGEST = 300;

/** Reads exact origins, as browsers write them. */
const origins = originList((text) => isWebOrigin(text) || OTHER.test(text));
/** Reads exact origins of services. There must be one. */
const webOrigins = originList(isWebOrigin, 1);

function originList(isOne, least = 0) {
  return (value, name) => {
    if (!Array.isArray(value)) throw wrongType(name, 'an array of origins');
    // An array of any length, and with holes only, would be visited for minutes.
    if (value.length <= MAX_ORIGINS && value.length >= least) {
      if (!value.every((origin) => typeof origin === 'string')) throw wrongType(name, 'an array of strings');
      if (value.every((origin) => origin.length <= LONGEST && isOne(origin))) return new Set(value);
    }
    throw makeError(
      'ERR_INVALID_ARG_VALUE',
      `${name} must be ${least === 0 ? '' : `at least ${least} and `}at most ${MAX_ORIGINS} exact origins as ` +
        'browsers write them, such as https://app.example',
    );
  };
}

function isWebOrigin(text) {
  return originOf(text) === text;
}

/** An origin of the web as browsers write it, else undefined. */
function originOf(text) {
  if (text.length > LONGEST || !WEB.test(text) || !URL.canParse(text)) return undefined;
  return new URL(text).origin;
}

/** Whether a text is a host with or without a port, and nothing that would end one in a URL. */
function isHost(text) {
  return typeof text === 'string' && text.length <= LONGEST && HOST.test(text);
}

module.exports = { isHost, originOf, origins, webOrigins };
