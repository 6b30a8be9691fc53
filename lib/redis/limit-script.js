'use strict';

// The scripts that decide all limits of a key on the server, and that change its state, with the
// arithmetic of src/limiter.
//
// A key of Redis holds the state of one key under all limits: a byte with the version of this
// format; the end of a block; then the theoretical arrival time of each limit. Times are
// microseconds of the Unix time, as big-endian doubles, which are exact until 2255; 16 bits with
// the nanoseconds follow that of a limit. Nanoseconds alone would not fit Lua's numbers, which are
// doubles, so a debt is a pair everywhere: microseconds, and 0 to 999 nanoseconds.
//
// The arguments are a word, and for each limit five numbers: the weight of the cost and the
// capacity, a pair each, and the microseconds of the largest debt, whose nanoseconds are those of
// the capacity. The word is 't' or 'p' to take or to peek; to change, it is 'r' (refund), 'n'
// (penalize), 'x' (reset), 'u' (unblock), or the microseconds of a block.
//
// A decision replies with 1 if it is allowed, else 0; the microseconds of a block; the violated
// limits as bits; then the debt of each limit, a pair. A change replies with 1 if the key had any
// debt, else 0.
//
// There is a script for each number of limits, without loops and tables, which would double the
// time of the server. The call of nearly every request, which takes a cost of 1, has a script with
// the numbers of the limiter in its text and without arguments.

const { defineScript } = require('./client.js');

/** The most limits of a limiter. */
const MAX_LIMITS = 4;
/** The longest block, 366 days, in microseconds: a clock that was set back does not prolong it. */
const LONGEST_BLOCK = 366 * 86_400 * 1e6;

/** The time of the server, and the milliseconds after which it drops a key that means nothing. */
const SERVER_TIME = {
  now: `(function() local t=call('TIME') return t[1]*1000000+t[2] end)()`,
  expiresAfterMs: 1,
};
/**
 * For tests, the time is the last argument. The server's own time, by which keys expire, goes on
 * meanwhile.
 */
const TIME_ARGUMENT = { now: 'A[#A]+0', expiresAfterMs: 3_600_000 };

/** `{ decide, change }` for a number of limits, with a source of the time. */
function limitScripts(count, time) {
  const limits = numbersTo(count);
  return {
    decide: defineScript(`${start(limits, time, arg)}${decide(limits, time, arg)}`),
    change: defineScript(`${start(limits, time, arg)}${change(limits, time)}`),
  };
}

/** The script that takes a cost. Its numbers are `args`, which are arguments for `decide`. */
function takingScript(args, isClocked) {
  const limits = numbersTo((args.length - 1) / 5);
  const time = isClocked ? TIME_ARGUMENT : SERVER_TIME;
  const constant = (n, at) => args[indexOf(n, at) - 1];
  return defineScript(`${start(limits, time, constant)}${decide(limits, time, constant, '')}`);
}

function numbersTo(count) {
  return Array.from({ length: count }, (_, at) => at + 1);
}

/** Defines `now`, `h` for the time of a block, and `u1` and `f1` for a debt, and so on. */
function start(limits, { now }, numberOf) {
  const names = limits.map((n) => `u${n},f${n}`).join();
  return `
local A,call=ARGV,redis.call
local now=${now}
local s=call('GET',KEYS[1])
local h=0
${lines(limits, (n) => `local u${n},f${n},c${n},d${n},m${n}=0,0,${numberOf(n, 2)},${numberOf(n, 3)},${numberOf(n, 4)}`)}
if s then
  if #s~=${9 + 10 * limits.length} or string.byte(s)~=1 then
    return redis.error_reply('FORMAT the key of a limit has another format')
  end
  local _
  _,h,${names}=struct.unpack('${layout(limits)}',s)
  h=h-now
  if h<0 then h=0 elseif h>${LONGEST_BLOCK} then h=${LONGEST_BLOCK} end
${lines(
  limits,
  (n) => `  u${n}=u${n}-now
  if u${n}<0 then u${n},f${n}=0,0
  elseif u${n}>m${n} or (u${n}==m${n} and f${n}>d${n}) then u${n},f${n}=m${n},d${n} end`,
)}
end
`;
}

function decide(limits, time, numberOf, peek = peeking(limits)) {
  return `
if h>0 then return {0,h,0,${limits.map((n) => `u${n},f${n}`).join()}} end
local violated=0
${lines(limits, (n) => `${plusWeight(n, numberOf)}\nif ${above(n, 'c')} then violated=violated+${1 << (n - 1)} end`)}
if violated>0 then return {0,0,violated,${limits.map((n) => `u${n},f${n}`).join()}} end
${peek}
${save(limits, time)}
return {1,0,0,${limits.map((n) => `x${n},y${n}`).join()}}
`;
}

function peeking(limits) {
  return `if A[1]=='p' then return {1,0,0,${limits.map((n) => `u${n},f${n}`).join()}} end`;
}

function change(limits, time) {
  return `
local mode=A[1]
local indebted=0
${lines(
  limits,
  (n) => `if u${n}>0 or f${n}>0 then indebted=1 end
local x${n},y${n}=u${n},f${n}`,
)}
if mode=='n' then
${lines(limits, (n) => `${plusWeight(n, arg, '')}\nif ${above(n, 'm')} then x${n},y${n}=m${n},d${n} end`)}
elseif mode=='r' then
${lines(
  limits,
  (n) => `x${n},y${n}=u${n}-${arg(n, 0)},f${n}-${arg(n, 1)}
if y${n}<0 then x${n},y${n}=x${n}-1,y${n}+1000 end
if x${n}<0 then x${n},y${n}=0,0 end`,
)}
elseif mode=='x' then
${lines(limits, (n) => `x${n},y${n}=0,0`)}
elseif mode=='u' then
  h=0
else
  h=mode+0
end
if h==0 and ${limits.map((n) => `x${n}==0 and y${n}==0`).join(' and ')} then
  if s then call('DEL',KEYS[1]) end
else
${save(limits, time)}
end
return indebted
`;
}

/** Stores the debts `x1` and `y1`, and so on, and the block. */
function save(limits, { expiresAfterMs }) {
  const longest = limits.length === 1 ? 'math.max(h,x1)' : `math.max(h,${limits.map((n) => `x${n}`).join()})`;
  const values = limits.map((n) => `now+x${n},y${n}`).join();
  return `call('SET',KEYS[1],struct.pack('${layout(limits)}',1,now+h,${values}),'PX',math.ceil(${longest}/1000)+${
    1 + expiresAfterMs
  })`;
}

/** Adds the weight of the cost to a debt. */
function plusWeight(n, numberOf, local = 'local ') {
  return `${local}x${n},y${n}=u${n}+${numberOf(n, 0)},f${n}+${numberOf(n, 1)}
if y${n}>999 then x${n},y${n}=x${n}+1,y${n}-1000 end`;
}

/** Whether a debt is above the capacity or the largest debt. */
function above(n, most) {
  return `x${n}>${most}${n} or (x${n}==${most}${n} and y${n}>d${n})`;
}

/** A number of a limit among the arguments. */
function arg(n, at) {
  return `(A[${indexOf(n, at)}]+0)`;
}

/** The index of a number of a limit among the arguments, from 1. */
function indexOf(n, at) {
  return 2 + 5 * (n - 1) + at;
}

function layout(limits) {
  return `>Bd${'dH'.repeat(limits.length)}`;
}

function lines(limits, line) {
  return limits.map(line).join('\n');
}

/** By the source of the time, and then by the number of limits: the scripts. */
const [SCRIPTS, CLOCKED_SCRIPTS] = [SERVER_TIME, TIME_ARGUMENT].map((time) =>
  Array.from({ length: MAX_LIMITS + 1 }, (_, count) => (count === 0 ? undefined : limitScripts(count, time))),
);

module.exports = { CLOCKED_SCRIPTS, SCRIPTS, takingScript };
