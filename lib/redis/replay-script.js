'use strict';

// The script that remembers a proof of possession on the server, so that of all calls with it one
// is accepted. It judges the age of the proof by the clock of the server, by which its name
// expires, too.
//
// A proof is a name whose value is the id of the call that was accepted. A client that sends the
// command twice gets the same answer twice.
//
// The marker tells which proofs the server may have forgotten. It is, big-endian: the version (1
// byte); the check value of the key of the caches (16); the SHA-1 of the server's `run_id` (40);
// then four doubles in milliseconds. The first is `begin`: proofs that were made up to then are
// refused. A server without a marker, or with that of another run, begins anew: a restart, a
// failover or a backup may have lost proofs.
//
// The second is `longest`, the longest age that any check accepts, until which proofs are
// remembered. If a check accepts a longer one, proofs that came before were remembered for less:
// up to the time `raised`, the fourth, a proof counts until the age `former`, the third.

const { defineScript } = require('./client.js');

/** How far the clock of a client may be ahead, as in src/dpop/check.rs. */
const AHEAD_MS = 30_000;
/** How much longer than necessary a proof is remembered, for a clock that is set back. */
const SLACK_MS = 60_000;

/** Words: of another reply, such as null or true, none is a verdict. */
const VERDICTS = {
  accepted: 'accepted',
  replayed: 'replayed',
  forgotten: 'forgotten',
  untimely: 'untimely',
};

// Names: the proof and the marker. Arguments: the id of the call, or nothing to write the marker
// alone; the time at which the proof was made; the longest age; the check value of the key.
const REMEMBER = defineScript(`
local A,call=ARGV,redis.call
local t=call('TIME')
local now=t[1]*1000+math.floor(t[2]/1000)
local run=redis.sha1hex(string.match(call('INFO','server'),'run_id:(%w+)') or '')
local age=A[3]+0
local L='>Bc16c40dddd'
local s=call('GET',KEYS[2])
local key,at,begin,longest,former,raised=A[4],'',0,age,age,0
if s then
  if #s~=89 or string.byte(s)~=1 then
    return redis.error_reply('FORMAT the marker of the replay cache has another format')
  end
  local _
  _,key,at,begin,longest,former,raised=struct.unpack(L,s)
  if key~=A[4] then return redis.error_reply('KEY the replay cache has another key') end
end
local isChanged=false
if at~=run then at,begin,isChanged=run,math.max(begin,now),true end
if age>longest then
  if now>raised+longest then former=longest end
  longest,raised,isChanged=age,now+${AHEAD_MS},true
end
if isChanged then call('SET',KEYS[2],struct.pack(L,1,key,at,begin,longest,former,raised)) end
if A[1]=='' then return '${VERDICTS.accepted}' end
local known=call('GET',KEYS[1])
if known==A[1] then return '${VERDICTS.accepted}' end
if known then return '${VERDICTS.replayed}' end
local made=A[2]+0
if made<=begin then return '${VERDICTS.forgotten}' end
if now>made+age or made>now+${AHEAD_MS} then return '${VERDICTS.untimely}' end
if made<=raised and now>made+former then return '${VERDICTS.forgotten}' end
call('SET',KEYS[1],A[1],'PX',string.format('%.0f',made+longest+${SLACK_MS}-now))
return '${VERDICTS.accepted}'
`);

module.exports = { REMEMBER, VERDICTS };
