'use strict';

// How a limiter behaves, as a table that every kind of limiter is run through.

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/**
 * The rows: a name, the options of the limits, and the steps `[ms, call, ...arguments]`, where `ms`
 * is the time since the step before. With `isFast`, units return within a millisecond.
 */
const BEHAVIOURS = [
  {
    name: 'a burst, and then units that return one after the other',
    options: { limit: 3, windowMs: HOUR },
    steps: [
      [0, 'peek', 'a'],
      ...Array(4).fill([0, 'consume', 'a']),
      [0, 'check', 'a'],
      [0, 'consume', 'b', 3],
      [20 * MINUTE - 1, 'consume', 'a'],
      [1, 'consume', 'a'],
      [2 * HOUR, 'peek', 'a', 3],
    ],
  },
  {
    name: 'a unit of a fraction of a microsecond is counted to the nanosecond',
    options: { limit: 7_000_003, windowMs: 999, burst: 5 },
    isFast: true,
    steps: [
      ...Array(6).fill([0, 'consume', 'a']),
      [1, 'consume', 'a', 5],
      [0, 'consume', 'a'],
      [0, 'refund', 'a', 3],
      [0, 'peek', 'a'],
    ],
  },
  {
    name: 'several limits are taken together or not at all',
    options: {
      limits: [
        { name: 'hour', limit: 2, windowMs: HOUR },
        { name: 'day', limit: 5, windowMs: 24 * HOUR, burst: 4 },
        { name: 'week', limit: 100, windowMs: 7 * 24 * HOUR },
      ],
    },
    steps: [
      [0, 'consume', 'a', 2],
      [0, 'consume', 'a'],
      [0, 'peek', 'a', 2],
      [HOUR, 'consume', 'a', 2],
      [HOUR, 'consume', 'a', 2],
      [0, 'refund', 'a', 2],
      [0, 'consume', 'a'],
      [0, 'reset', 'a'],
      [0, 'reset', 'a'],
      [0, 'peek', 'a'],
    ],
  },
  {
    name: 'refund, penalize and reset',
    options: { limit: 4, windowMs: HOUR },
    steps: [
      [0, 'refund', 'new'],
      [0, 'reset', 'new'],
      [0, 'consume', 'a', 3],
      [0, 'refund', 'a'],
      [0, 'consume', 'a', 2],
      [0, 'refund', 'a', 4],
      [0, 'peek', 'a'],
      [0, 'penalize', 'a', 6],
      [0, 'consume', 'a'],
      [0, 'penalize', 'a', 1_000_000_000],
      [0, 'peek', 'a', 4],
      [30 * MINUTE, 'consume', 'a'],
      [0, 'reset', 'a'],
      [0, 'consume', 'a', 4],
    ],
  },
  {
    name: 'a refund of more than a smaller burst gives back what was taken before',
    options: {
      limits: [
        { name: 'hour', limit: 8, windowMs: HOUR },
        { name: 'day', limit: 20, windowMs: 24 * HOUR },
      ],
    },
    steps: [
      [0, 'consume', 'a', 8],
      [0, 'consume', 'b', 2],
      [
        0,
        'setLimits',
        {
          limits: [
            { name: 'hour', limit: 3, windowMs: HOUR },
            { name: 'day', limit: 20, windowMs: 24 * HOUR },
          ],
        },
      ],
      [0, 'check', 'a'],
      [0, 'refund', 'a', 8],
      [0, 'peek', 'a', 3],
      [0, 'consume', 'a', 3],
      [0, 'consume', 'a', 4],
      [0, 'refund', 'b', 1_000_000_000],
      [0, 'peek', 'b', 3],
      [0, 'refund', 'b', 0],
      [20 * MINUTE, 'consume', 'a'],
    ],
  },
  {
    name: 'a block outlives everything but its end and unblock',
    options: { limit: 2, windowMs: HOUR },
    steps: [
      [0, 'consume', 'a'],
      [0, 'block', 'a', 10 * MINUTE],
      [0, 'consume', 'a'],
      [0, 'peek', 'a', 2],
      [0, 'reset', 'a'],
      [0, 'refund', 'a'],
      [0, 'penalize', 'a', 1],
      [0, 'check', 'a'],
      [10 * MINUTE - 1, 'check', 'a'],
      [1, 'consume', 'a'],
      [0, 'block', 'a', 5 * MINUTE],
      [0, 'block', 'a', MINUTE],
      [0, 'peek', 'a'],
      [0, 'unblock', 'a'],
      [0, 'peek', 'a'],
      [0, 'unblock', 'new'],
      [0, 'check', 'new'],
    ],
  },
  {
    name: 'a strict limit holds in every window',
    options: { limit: 3, windowMs: HOUR, strict: true },
    steps: [
      ...Array(3).fill([0, 'consume', 'a']),
      [HOUR, 'consume', 'a'],
      [1, 'consume', 'a', 2],
      [0, 'peek', 'a'],
    ],
  },
  {
    name: 'a year, of which one unit takes longer than a double has nanoseconds',
    options: { limit: 2, windowMs: 366 * 24 * HOUR, burst: 9 },
    steps: [
      [0, 'consume', 'a', 9],
      [0, 'consume', 'a'],
      [0, 'penalize', 'a', 5],
      [0, 'peek', 'a', 9],
      [HOUR, 'refund', 'a', 2],
      [0, 'peek', 'a'],
      [183 * 24 * HOUR, 'consume', 'a'],
    ],
  },
  {
    name: 'keys are bytes, and a text is its UTF-8',
    options: { limit: 2, windowMs: HOUR },
    steps: [
      [0, 'check', 'ä'],
      [0, 'consume', Buffer.from('ä')],
      [0, 'consume', 'ä'],
      [0, 'consume', Buffer.from([0xff, 0x00])],
      [0, 'check', '{a}'],
      [0, 'check', 'x'.repeat(8192)],
      [0, 'consume', Buffer.alloc(8192, 'x'), 2],
    ],
  },
  {
    name: 'wrong arguments, and costs that can never be allowed',
    options: { limit: 2, windowMs: HOUR },
    steps: [
      [0, 'consume', 'a', 3],
      [0, 'peek', 'a', 3],
      [0, 'refund', 'a', 3],
      [0, 'check', ''],
      [0, 'check', 'x'.repeat(8193)],
      [0, 'check', '\ud800'],
      [0, 'check', 7],
      [0, 'consume', 'a', 0],
      [0, 'consume', 'a', 1.5],
      [0, 'penalize', 'a'],
      [0, 'block', 'a', 0],
      [0, 'block', 'a', 367 * 24 * HOUR],
      [0, 'peek', 'a'],
    ],
  },
];

/** Calls that answer nothing in a process, and on a server whether they have reached it. */
const SILENT = ['refund', 'penalize', 'block', 'unblock'];

/**
 * Runs the steps on a limiter, and resolves to the answers, or the codes of the errors.
 * `advance(ms)` moves its clock.
 */
async function transcript(limiter, steps, advance) {
  const answers = [];
  for (const [ms, call, ...args] of steps) {
    advance(ms);
    answers.push(await answer(limiter, call, args));
  }
  return answers;
}

async function answer(limiter, call, args) {
  try {
    const given = await limiter[call](...args);
    if (SILENT.includes(call)) return 'done';
    if (typeof given !== 'object') return given;
    const { degraded = false, ...result } = given;
    return { ...result, degraded };
  } catch (error) {
    return error.code ?? `${error}`;
  }
}

module.exports = { BEHAVIOURS, transcript };
