'use strict';

// The script that decides all limits of a key on the server, with the arithmetic of src/limiter.
//
// A key of Redis holds the state of one key under all limits: '1', the version of this format; then
// the end of a block and the theoretical arrival time of each limit, 19 digits each: microseconds
// of the Unix time (16), and nanoseconds (3). Lua's numbers are doubles, which hold whole
// microseconds of the Unix time exactly until 2255, and whole nanoseconds do not. A debt of
// nanoseconds is therefore a pair everywhere: microseconds, and 0 to 999 nanoseconds.
//
// ARGV: the mode; the microseconds of a block; then for each limit the weight of the cost, the
// capacity (a pair each) and the microseconds of the largest debt, whose nanoseconds are those of
// the capacity.
//
// The reply of `take` and `peek`: 1 if the call is allowed; the microseconds of a block; the
// violated limits as bits; then the debt of each limit, a pair. That of a change: 1 if the key had
// any debt, else 0.

const { defineScript } = require('./client.js');

const MODES = { take: 't', peek: 'p', refund: 'r', penalize: 'n', reset: 'x', block: 'b', unblock: 'u' };

/** The longest block, 366 days, in microseconds: a clock that was set back does not prolong it. */
const LONGEST_BLOCK = 366 * 86_400 * 1e6;

const SERVER_TIME = {
  now: `(function() local t=redis.call('TIME') return t[1]*1000000+t[2] end)()`,
  expiresAfterMs: 1,
};
/**
 * For tests, the time is the last argument. The server's own time, by which keys expire, goes on
 * meanwhile.
 */
const TIME_ARGUMENT = { now: 'tonumber(ARGV[#ARGV])', expiresAfterMs: 3_600_000 };

/**
 * The script, with a Lua expression for the present time in microseconds. The server drops a key
 * some milliseconds after it means nothing any more.
 */
function limitScript({ now, expiresAfterMs }) {
  return defineScript(`
local now=${now}
local mode=ARGV[1]
local n=math.floor((#ARGV-2)/5)
local s=redis.call('GET',KEYS[1])
if s and (string.sub(s,1,1)~='1' or #s~=20+19*n) then
  return redis.error_reply('FORMAT the key of a limit has another format')
end
local function debt(at)
  if not s then return 0,0 end
  local u=tonumber(string.sub(s,at,at+15))-now
  if u<0 then return 0,0 end
  return u,tonumber(string.sub(s,at+16,at+18))
end
local held=math.min((debt(2)),${LONGEST_BLOCK})
local us,ns,au,an={},{},{},{}
local violated,bit,indebted=0,1,0
for i=1,n do
  local a=5*i-2
  local wu,wn=tonumber(ARGV[a]),tonumber(ARGV[a+1])
  local cu,cn,mu=tonumber(ARGV[a+2]),tonumber(ARGV[a+3]),tonumber(ARGV[a+4])
  local u,f=debt(2+19*i)
  if u>mu or (u==mu and f>cn) then u,f=mu,cn end
  if u>0 or f>0 then indebted=1 end
  us[i],ns[i]=u,f
  if mode=='t' or mode=='p' or mode=='n' then
    u,f=u+wu,f+wn
    if f>999 then u,f=u+1,f-1000 end
    if mode=='n' then
      if u>mu or (u==mu and f>cn) then u,f=mu,cn end
    elseif u>cu or (u==cu and f>cn) then
      violated=violated+bit
    end
    bit=bit*2
  elseif mode=='r' then
    u,f=u-wu,f-wn
    if f<0 then u,f=u-1,f+1000 end
    if u<0 then u,f=0,0 end
  elseif mode=='x' then
    u,f=0,0
  end
  au[i],an[i]=u,f
end
if held>0 then violated=0 end
local decides=mode=='t' or mode=='p'
local allowed=held==0 and violated==0
if mode=='b' then held=tonumber(ARGV[2]) elseif mode=='u' then held=0 end
if mode~='p' and (allowed or not decides) then
  us,ns=au,an
  local longest=held
  local v={'1',string.format('%016.0f000',now+held)}
  for i=1,n do
    if us[i]>=longest then longest=us[i]+ns[i]/1000 end
    v[i+2]=string.format('%016.0f%03.0f',now+us[i],ns[i])
  end
  if longest>0 then
    redis.call('SET',KEYS[1],table.concat(v),'PX',string.format('%.0f',math.ceil(longest/1000)+${expiresAfterMs}))
  elseif s then
    redis.call('DEL',KEYS[1])
  end
end
if not decides then return indebted end
local r={allowed and 1 or 0,held,violated}
for i=1,n do
  r[2*i+2],r[2*i+3]=us[i],ns[i]
end
return r
`);
}

module.exports = { MODES, SERVER_TIME, TIME_ARGUMENT, limitScript };
