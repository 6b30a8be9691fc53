'use strict';

// The scripts that judge refresh tokens and change sessions on the server, with the rules of
// src/session.
//
// A name of Redis has all sessions of a subject: a hash from the ids of sessions, 16 bytes each, to
// their rows. So one script sees all that it has to count, in a cluster on one node.
//
// A row is, big-endian: the version (1 byte); the phase (1); the rest of the tag of the subject
// (8); the SHA-256 of the session's secret (32); the generation and the variant of the token that
// works, the variant of the token that was exchanged for it, and the number by which the sessions
// of a subject are ordered (4 each); the id of the call that exchanged it (8); the times of the
// start, of the last exchange and of the last access token (8 each, a double: milliseconds since
// 1970); the lengths of the sealed subject (2), meta data (2) and claims (4); then these three.
//
// Phases: 0 is live; 1 is being ended, and does not refresh; 2 is the same because of a reuse. A
// row that is not live is deleted when the access tokens have been revoked. If the process does not
// get that far, the next call with a token of the session revokes again.
//
// A reply begins with the time of the server and the verdict. From it, a process computes the time
// of the server until which it waits for an answer. Each command has this time, and changes nothing
// if it arrives later. Else a command that was held back would judge a token that has been
// exchanged meanwhile, and find a reuse.
//
// A client that sends a command twice gets the same answer twice, and no false reuse: an exchange
// is known by the id of its call, and a start by the secret of its session.

const { defineScript } = require('./client.js');

/** How long a row stays after the end of its session, so that its tokens are known, in ms. */
const LINGER_MS = 3_600_000;
/** The most sessions that the start of one ends. */
const MOST_ENDED = 200;

/** The answers of the scripts. */
const VERDICTS = {
  unknown: 0,
  rotated: 1,
  restored: 2,
  replayed: 3,
  reuse: 4,
  expired: 5,
  ending: 6,
  asks: 7,
  started: 8,
  again: 9,
  limit: 10,
  done: 11,
  late: 12,
};

/** The time of the server, in milliseconds. */
const SERVER_TIME = 'arrived';
/** For tests, the time is an argument. Names expire by the server's own time. */
const TIME_ARGUMENT = 'A[#A-1]+0';
/** The most fields that one command deletes: Lua unpacks no more than some 8,000 values. */
const MOST_DELETED = 1000;

/**
 * Reads and writes rows. The first two arguments of each script are `refreshTtl` and `idleTtl`. The
 * last is the time of the server until which the script may run.
 */
const rows = (now) => `
local A,K,call=ARGV,KEYS[1],redis.call
local time=call('TIME')
local arrived=time[1]*1000+math.floor(time[2]/1000)
if arrived>A[#A]+0 then return {arrived,${VERDICTS.late}} end
local now=${now}
local L='>BBc8c32I4I4I4I4c8dddI2I2I4'
local function read(id,s)
  if #id~=16 or #s<98 or string.byte(s)~=1 then return nil end
  local r,_={}
  _,r.phase,r.rest,r.secret,r.generation,r.variant,r.previous,r.number,r.call,r.started,r.used,
    r.issued,r.ns,r.nm,r.nc=struct.unpack(L,s)
  if #s~=98+r.ns+r.nm+r.nc then return nil end
  r.subject,r.meta,r.claims=string.sub(s,99,98+r.ns),string.sub(s,99+r.ns,98+r.ns+r.nm),
    string.sub(s,99+r.ns+r.nm)
  return r
end
local function packed(r)
  return struct.pack(L,1,r.phase,r.rest,r.secret,r.generation,r.variant,r.previous,r.number,r.call,
    r.started,r.used,r.issued,#r.subject,#r.meta,#r.claims)..r.subject..r.meta..r.claims
end
local function ends(r) return math.min(r.started+A[1],r.used+A[2]) end
local function keep(r)
  local ms=string.format('%.0f',ends(r)-now+${LINGER_MS})
  if call('PTTL',K)<tonumber(ms) then call('PEXPIRE',K,ms) end
end
local function leave(id,r,phase)
  if r.phase~=0 then return end
  r.phase,r.used=phase,now
  local reply=redis.pcall('HSET',K,id,packed(r))
  if type(reply)=='table' and reply.err then call('HDEL',K,id) end
end
local function foreign()
  return redis.error_reply('FORMAT the key of sessions has another format')
end
`;

// 3: the id of the session; 4: the hash of the secret; 5, 6: the generation and the variant; 7: the
// id of the call; 8: the grace; 9: whether a token may be retried; 10: whether the caller only asks
// for the subject; 11: the time of an access token; 12, 13: sealed claims and meta data, empty
// where they stay.
const REFRESH = `
local s=call('HGET',K,A[3])
if not s then return {${VERDICTS.unknown}} end
local r=read(A[3],s)
if not r then return foreign() end
if r.secret~=A[4] then return {${VERDICTS.unknown}} end
if r.phase==1 then return {${VERDICTS.ending},r.issued,r.subject} end
if r.phase==2 then return {${VERDICTS.reuse},r.issued,r.subject} end
if now>=ends(r) then
  leave(A[3],r,1)
  return {${VERDICTS.expired},r.issued,r.subject}
end
local g,v=A[5]+0,A[6]+0
local verdict,resent=${VERDICTS.reuse},false
if g==r.generation and v==r.variant then verdict=${VERDICTS.rotated}
elseif g>r.generation or (g==r.generation and v>r.variant) then verdict=${VERDICTS.restored}
elseif g+1==r.generation and v==r.previous then
  if r.call==A[7] then verdict,resent=${VERDICTS.rotated},true
  elseif now<r.used+A[8] then verdict=${VERDICTS.replayed}
  elseif A[9]=='1' then verdict=${VERDICTS.rotated} end
end
if verdict==${VERDICTS.reuse} then
  leave(A[3],r,2)
  return {verdict,r.issued,r.subject}
end
if A[10]=='1' then return {${VERDICTS.asks},0,r.subject} end
if not resent and verdict~=${VERDICTS.replayed} then
  if g>=r.generation then
    r.previous,r.generation,r.variant=v,g+1,0
  else
    r.variant=r.variant+1
  end
  if r.generation>4294967295 or r.variant>4294967295 then return {${VERDICTS.unknown}} end
  r.used,r.call=now,A[7]
end
if A[12]~='' then r.claims=A[12] end
if A[13]~='' then r.meta=A[13] end
r.issued=math.max(r.issued,A[11]+0)
call('HSET',K,A[3],packed(r))
keep(r)
return {verdict,r.generation,r.variant,ends(r),r.subject,r.claims}
`;

// 3: the id; 4: the hash of the secret; 5: the rest of the tag; 6: the time of its access token;
// 7: the most sessions of a subject; 8: whether one more ends the oldest; 9 to 11: the subject, the
// claims and the meta data, sealed. A row of another format stays, does not count, and stops no
// start.
const START = `
local all=call('HGETALL',K)
local live,over,marked,number,own={},{},{},0
for i=1,#all,2 do
  local id,r=all[i],read(all[i],all[i+1])
  if id==A[3] then
    if not r or r.secret~=A[4] then return {${VERDICTS.again}} end
    own=r
  end
  if r and r.phase==1 and r.rest==A[5] then
    marked[#marked+1]=id
    marked[#marked+1]=r.issued
  end
  if r and (r.phase==0 and now>=ends(r) or r.phase~=0 and now>=r.used+${LINGER_MS}) then
    over[#over+1]=id
  elseif r then
    number=math.max(number,r.number+1)
    if r.phase==0 and r.rest==A[5] then live[#live+1]={id,r} end
  end
end
if own then
  table.insert(marked,1,${VERDICTS.started})
  table.insert(marked,2,ends(own))
  return marked
end
for i=1,#over,${MOST_DELETED} do
  call('HDEL',K,unpack(over,i,math.min(i+${MOST_DELETED}-1,#over)))
end
local excess=#live+1-A[7]
if excess>0 and A[8]~='1' then return {${VERDICTS.limit}} end
local new={phase=0,rest=A[5],secret=A[4],generation=0,variant=0,previous=0,number=number,
  call=string.rep('\\0',8),started=now,used=now,issued=A[6]+0,subject=A[9],claims=A[10],meta=A[11]}
call('HSET',K,A[3],packed(new))
keep(new)
local reply={${VERDICTS.started},ends(new)}
if excess>0 then
  table.sort(live,function(a,b) return a[2].number<b[2].number end)
  for i=1,math.min(excess,${MOST_ENDED}) do
    leave(live[i][1],live[i][2],1)
    reply[#reply+1]=live[i][1]
    reply[#reply+1]=live[i][2].issued
  end
end
return reply
`;

// 3: the id; 4: the hash of the secret that the caller must know, or nothing.
const END = `
local s=call('HGET',K,A[3])
if not s then return {${VERDICTS.unknown}} end
local r=read(A[3],s)
if not r then return foreign() end
if A[4]~='' and r.secret~=A[4] then return {${VERDICTS.unknown}} end
leave(A[3],r,1)
return {${VERDICTS.done},A[3],r.issued}
`;

// 3: the rest of the tag of the subject. A row of another format does not stop the end of the other
// sessions: the reply has the number of such rows, and then the sessions.
const END_ALL = `
local all=call('HGETALL',K)
local reply={${VERDICTS.done},0}
for i=1,#all,2 do
  local id,r=all[i],read(all[i],all[i+1])
  if not r then
    reply[2]=reply[2]+1
  elseif r.rest==A[3] then
    leave(id,r,1)
    reply[#reply+1]=id
    reply[#reply+1]=r.issued
  end
end
return reply
`;

// 3: the rest of the tag of the subject.
const LIST = `
local all=call('HGETALL',K)
local reply={${VERDICTS.done}}
for i=1,#all,2 do
  local id,r=all[i],read(all[i],all[i+1])
  if not r then return foreign() end
  if r.rest==A[3] and r.phase==0 and now<ends(r) then
    for _,value in ipairs({id,r.number,r.started,r.used,ends(r),r.meta}) do
      reply[#reply+1]=value
    end
  end
end
return reply
`;

/** The verdicts of `REFRESH`. */
const JUDGED = ['unknown', 'rotated', 'restored', 'replayed', 'reuse', 'expired', 'ending', 'asks'];

/** The scripts with a source of the time, and the verdicts of each. */
function sessionScripts(now) {
  const define = (text, ...names) => {
    const verdicts = new Set(names.map((name) => VERDICTS[name]));
    return { ...defineScript(`${rows(now)}${timed(text)}`), verdicts };
  };
  return {
    refresh: define(REFRESH, ...JUDGED),
    start: define(START, 'started', 'again', 'limit'),
    end: define(END, 'unknown', 'done'),
    endAll: define(END_ALL, 'done'),
    list: define(LIST, 'done'),
  };
}

/** A script whose reply begins with the time. */
function timed(text) {
  return `
local reply=(function()
${text}
end)()
if not reply.err then table.insert(reply,1,arrived) end
return reply
`;
}

const SCRIPTS = sessionScripts(SERVER_TIME);
const CLOCKED_SCRIPTS = sessionScripts(TIME_ARGUMENT);

module.exports = { CLOCKED_SCRIPTS, SCRIPTS, VERDICTS };
