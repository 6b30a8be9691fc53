'use strict';

// How sessions behave, as a table that every place of sessions is run through: memory, a store and
// a server of Redis.

const { JwtIssuer, JwtKey, JwtVerifier } = require('@nodesec/native');

const START = Date.UTC(2026, 10, 29);
const [SECOND, MINUTE, DAY] = [1000, 60_000, 86_400_000];

/** Claims that a function gives, by its name in a step. */
const FUNCTIONS = {
  editor: async (subject) => ({ role: 'editor', of: subject }),
  none: () => {
    throw Object.assign(new Error('the user is gone'), { code: 'GONE' });
  },
};

/**
 * The rows: a name, the options of the sessions, and the steps `[ms, call, ...arguments]`, where
 * `ms` is the time since the step before. The answer of each `start` and `refresh` with a pair gets
 * the next number, from 0. In arguments, `R3` stands for the refresh token of the pair with the
 * number 3, `S3` for its session, and `A3` for its access token; `judge` is what a verifier says.
 */
const BEHAVIOURS = [
  {
    name: 'a token works once, and may be repeated within the grace',
    options: { grace: '30s' },
    steps: [
      [0, 'start', 'ada', { role: 'admin' }],
      [0, 'refresh', 'R0'],
      [0, 'refresh', 'R0'],
      [30 * SECOND - 1, 'refresh', 'R0'],
      [0, 'judge', 'A0'],
      [1, 'refresh', 'R0'],
      [0, 'judge', 'A0'],
      [0, 'judge', 'A1'],
      [0, 'refresh', 'R1'],
      [0, 'refresh', 'R0'],
      [0, 'list', 'ada'],
    ],
  },
  {
    name: 'a token that is older than the last two is reuse within the grace',
    options: {},
    steps: [
      [0, 'start', 'ada'],
      [SECOND, 'refresh', 'R0'],
      [SECOND, 'refresh', 'R1'],
      [0, 'refresh', 'R1'],
      [SECOND, 'refresh', 'R0'],
      [0, 'refresh', 'R2'],
      [0, 'endByRefreshToken', 'R2'],
      [0, 'judge', 'A2'],
    ],
  },
  {
    name: 'with retryUntilUsed a token gets another successor until one is used',
    options: { grace: 0, retryUntilUsed: true },
    steps: [
      [0, 'start', 'ada'],
      [SECOND, 'refresh', 'R0'],
      [DAY, 'refresh', 'R0'],
      [0, 'refresh', 'R0'],
      [0, 'refresh', 'R3'],
      [0, 'refresh', 'R3'],
      [0, 'refresh', 'R5'],
      [0, 'judge', 'A6'],
      [0, 'refresh', 'R1'],
      [0, 'judge', 'A6'],
      [0, 'refresh', 'R6'],
    ],
  },
  {
    name: 'with both, a token has its successor within the grace and another one afterwards',
    options: { grace: '10s', retryUntilUsed: true },
    steps: [
      [0, 'start', 'ada'],
      [0, 'refresh', 'R0'],
      [9 * SECOND, 'refresh', 'R0'],
      [SECOND, 'refresh', 'R0'],
      [9 * SECOND, 'refresh', 'R0'],
      [0, 'refresh', 'R1'],
    ],
  },
  {
    name: 'a session ends when it was not used for long, and after all its time',
    options: { refreshTtl: '10d', idleTtl: '4d' },
    steps: [
      [0, 'start', 'ada'],
      [4 * DAY - 1, 'refresh', 'R0'],
      [4 * DAY - 1, 'refresh', 'R1'],
      [0, 'list', 'ada'],
      [2 * DAY + 1, 'refresh', 'R2'],
      [1, 'refresh', 'R2'],
      [0, 'refresh', 'R2'],
      [0, 'start', 'ada'],
      [4 * DAY, 'list', 'ada'],
      [0, 'refresh', 'R3'],
      [0, 'refresh', 'R3'],
      [0, 'judge', 'A3'],
    ],
  },
  {
    name: 'claims and meta data are those of the last call that gave some',
    options: {},
    steps: [
      [0, 'start', 'ada', { role: 'admin' }, { meta: { device: 'phone' } }],
      [0, 'judge', 'A0'],
      [0, 'refresh', 'R0'],
      [0, 'judge', 'A1'],
      [0, 'refresh', 'R1', { claims: { role: 'user' } }],
      [0, 'judge', 'A2'],
      [0, 'list', 'ada'],
      [0, 'refresh', 'R1', { meta: { device: 'tablet' } }],
      [0, 'judge', 'A3'],
      [0, 'list', 'ada'],
      [0, 'refresh', 'R2', { claims: 'none' }],
      [0, 'refresh', 'R2', { claims: { sub: 'eve' } }],
      [0, 'refresh', 'R2', { claims: { exp: 1 } }],
      [0, 'refresh', 'R2', { claims: [] }],
      [0, 'refresh', 'R2', { meta: { long: 'x'.repeat(5000) } }],
      [0, 'refresh', 'R2', { claims: 'editor' }],
      [0, 'judge', 'A4'],
      [0, 'refresh', 'R4', { meta: {} }],
      [0, 'list', 'ada'],
      [0, 'refresh', 'R0', { claims: 'editor' }],
      [0, 'refresh', 'R4', { claims: 'editor' }],
    ],
  },
  {
    name: 'wrong arguments start nothing',
    options: {},
    steps: [
      [0, 'start', ''],
      [0, 'start', 'ada', { sid: 'x' }],
      [0, 'start', 'ada', { iat: 5 }],
      [0, 'start', 'ada', {}, { meta: [] }],
      [0, 'start', 'ada', {}, { mata: {} }],
      [0, 'start', 'ada', { big: 'x'.repeat(20_000) }],
      [0, 'list', 'ada'],
      [0, 'refresh', 'nothing'],
      [0, 'refresh', 'x'.repeat(98)],
      [0, 'end', 'no uuid'],
      [0, 'endByRefreshToken', 'nothing'],
      [0, 'endAll', ''],
      [0, 'list', ''],
    ],
  },
  {
    name: 'a session ends once, by its id or by any of its tokens',
    options: {},
    steps: [
      [0, 'start', 'ada'],
      [0, 'start', 'ada'],
      [0, 'start', 'eve'],
      [0, 'refresh', 'R0'],
      [0, 'endByRefreshToken', 'R0'],
      [0, 'endByRefreshToken', 'R0'],
      [0, 'endByRefreshToken', 'R3'],
      [0, 'judge', 'A0'],
      [0, 'judge', 'A3'],
      [0, 'judge', 'A1'],
      [0, 'end', 'S1'],
      [0, 'end', 'S1'],
      [0, 'judge', 'A1'],
      [0, 'refresh', 'R1'],
      [0, 'list', 'ada'],
      [0, 'judge', 'A2'],
      [0, 'list', 'eve'],
    ],
  },
  {
    name: 'all sessions of a subject end, and a later one lives',
    options: {},
    steps: [
      [0, 'start', 'ada'],
      [0, 'start', 'ada'],
      [5 * SECOND, 'refresh', 'R1'],
      [0, 'start', 'eve'],
      [0, 'endAll', 'ada'],
      [0, 'judge', 'A0'],
      [0, 'judge', 'A1'],
      [0, 'judge', 'A2'],
      [0, 'judge', 'A3'],
      [0, 'list', 'ada'],
      [0, 'refresh', 'R2'],
      [0, 'start', 'ada'],
      [0, 'judge', 'A4'],
      [0, 'refresh', 'R4'],
      [0, 'list', 'ada'],
      [0, 'endAll', 'nobody'],
    ],
  },
  {
    name: 'a subject at its limit is refused until one of its sessions is over',
    options: { maxSessionsPerSubject: 2, idleTtl: '1h' },
    steps: [
      [0, 'start', 'ada'],
      [MINUTE, 'start', 'ada'],
      [0, 'start', 'ada'],
      [0, 'start', 'eve'],
      [0, 'end', 'S0'],
      [0, 'start', 'ada'],
      [0, 'start', 'ada'],
      [60 * MINUTE, 'start', 'ada'],
      [0, 'list', 'ada'],
    ],
  },
  {
    name: 'with end-oldest the session that started first ends for a new one',
    options: { maxSessionsPerSubject: 2, onSessionLimit: 'end-oldest' },
    steps: [
      [0, 'start', 'ada'],
      [0, 'start', 'ada'],
      [SECOND, 'refresh', 'R0'],
      [0, 'start', 'ada'],
      [0, 'judge', 'A0'],
      [0, 'judge', 'A2'],
      [0, 'judge', 'A1'],
      [0, 'refresh', 'R2'],
      [0, 'list', 'ada'],
      [0, 'start', 'ada'],
      [0, 'list', 'ada'],
    ],
  },
];

/** A clock that stands still until it is advanced. */
function clocked() {
  const time = { ms: START };
  return { clock: () => new Date(time.ms), advance: (ms) => void (time.ms += ms) };
}

/** An issuer and a verifier for the list of the sessions. `clock` may be missing. */
function service(revocations, clock) {
  const clocks = clock === undefined ? {} : { clock };
  const keys = JwtKey.fromSecret(Buffer.alloc(32, 7), { alg: 'HS256', kid: 'service' });
  const issuer = new JwtIssuer({ keys, issuer: 'id', expiresIn: '10m', ...clocks });
  const verifier = new JwtVerifier({ keys, issuer: 'id', audience: false, revocations, ...clocks });
  return { issuer, verifier };
}

/**
 * The answers of each step. A refresh token, a session and an access token are told by the number
 * of the first pair that has them; times are milliseconds since the start.
 */
async function transcript({ sessions, verifier }, steps, advance, start = START) {
  const pairs = [];
  const answers = [];
  const first = (member, value) => pairs.findIndex((pair) => pair[member] === value);
  const given = (value) => {
    const [, kind, at] = /^([RSA])(\d+)$/.exec(value) ?? [];
    if (kind === undefined) return value;
    // In random steps the number may be any.
    return pairs[at % pairs.length][{ R: 'refreshToken', S: 'sessionId', A: 'accessToken' }[kind]];
  };
  const plain = (value) =>
    JSON.parse(
      JSON.stringify(value, function replaced(name, member) {
        if (name === 'sessionId' || name === 'sid') return `S${first('sessionId', member)}`;
        if (name === 'refreshToken') return `R${first('refreshToken', member)}`;
        if (name === 'accessToken' || name === 'jti') return typeof member;
        if (this[name] instanceof Date) return this[name].getTime() - start;
        return name === 'iat' || name === 'exp' ? member - Math.floor(start / 1000) : member;
      }) ?? 'null',
    );
  for (const [ms, call, ...args] of steps) {
    await advance(ms);
    const [about, options, ...more] = args.map(given);
    try {
      if (call === 'judge') {
        const { ok, claims, code } = verifier.tryVerify(about);
        answers.push(plain({ ok, claims, code }));
        continue;
      }
      const named = FUNCTIONS[options?.claims];
      const last = named === undefined ? options : { ...options, claims: named };
      const answer = await sessions[call](about, ...(last === undefined ? [] : [last]), ...more);
      const pair = call === 'start' ? answer : answer?.pair;
      if (pair !== undefined) pairs.push(pair);
      answers.push(plain(answer));
    } catch (error) {
      if (error.code === undefined) throw error;
      answers.push({ code: error.code, name: error.name });
    }
  }
  return answers;
}

module.exports = { BEHAVIOURS, START, clocked, service, transcript };
