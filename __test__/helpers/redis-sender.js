'use strict';

// A client with `send` over a server without any key, for tests of arguments and of events. It
// keeps nothing. The suites in __test__/redis have real servers.

const ANSWERS = {
  CONFIG: ['maxmemory-policy', 'noeviction'],
  HDEL: 0,
  HGET: null,
  HSCAN: ['0', []],
  HSET: 1,
  HSETNX: 1,
  ROLE: ['master', 0, []],
  XADD: '0-0',
  XINFO: new Error('ERR no such key'),
  XRANGE: [],
  XREAD: null,
};

/** `answers` are answers by command. An answer may be a function of the arguments. */
function emptyServer(answers = {}) {
  return {
    async send([name, ...args]) {
      const answer = Object.hasOwn(answers, name) ? answers[name] : ANSWERS[name];
      const given = typeof answer === 'function' ? answer(...args) : answer;
      if (given instanceof Error) throw given;
      return given;
    },
  };
}

/** A client with `send` over a server that keeps one key ring. */
function ringServer() {
  let text = '';
  return {
    async send([name, ...args]) {
      if (name === 'GETRANGE') return text;
      const [, , , head, value] = args;
      if (head === undefined) return text.slice(0, 34);
      if (head !== text.slice(0, 34)) return 0;
      text = value;
      return 1;
    },
    /** As a restart of a server without persistence. */
    lose() {
      text = '';
    },
  };
}

module.exports = { emptyServer, ringServer };
