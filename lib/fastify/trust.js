'use strict';

const { makeError } = require('../errors.js');
const { HOPS, NO_TRUST, STRANGERS } = require('../web/trust.js');

/** An address for documentation (RFC 3849), which no proxy has. */
const CLIENT = '2001:db8::c';
/** Requests that have passed strangers only, of one family each. */
const RAWS = STRANGERS.map((family) => {
  const passed = Array.from({ length: HOPS }, (_, hop) => family[hop % family.length]);
  return {
    socket: { remoteAddress: family.at(-1) },
    headers: { 'x-forwarded-for': [CLIENT, ...passed].join(', ') },
  };
});

/** Whether clients of a server choose their address. */
class Trust {
  /** Undefined until it is known. */
  #isOpen;

  constructor(instance) {
    // Fastify shows its setting nowhere, but its requests give addresses by it. Before the first
    // request their class has a symbol of Fastify's own; without it the first request decides.
    const named = symbolsOf(instance).find(({ description }) => description === 'fastify.Request');
    const prototype = instance[named]?.prototype;
    if (prototype !== undefined) this.#isOpen = givesAway(prototype);
  }

  /** Throws if clients choose their address, as far as that is known before the first request. */
  assertKnown() {
    if (this.#isOpen) throw makeError('ERR_INVALID_ARG_VALUE', NO_TRUST);
  }

  isOpenTo(request) {
    this.#isOpen ??= givesAway(request);
    return this.#isOpen;
  }
}

/** The symbols of an instance and of the scopes around it. */
function symbolsOf(instance) {
  const found = [];
  for (let at = instance; at !== null; at = Object.getPrototypeOf(at)) {
    found.push(...Object.getOwnPropertySymbols(at));
  }
  return found;
}

/** Whether a request takes the first address of `X-Forwarded-For` from anybody. */
function givesAway(request) {
  return RAWS.some((value) => {
    try {
      return Object.create(request, { raw: { value } }).ip === CLIENT;
    } catch {
      // A setting that cannot judge these addresses judges those of clients when they come.
      return false;
    }
  });
}

module.exports = { Trust };
