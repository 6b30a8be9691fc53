'use strict';

const { JwtIssuer, JwtKey, RevocationList, Sessions, uuidv7 } = require('@nodesec/native');
const { claims, clientText, duration, instance, integer, name, options, word } =
  require('../hostile.js');
const { clock, clockOptions } = require('./clock.js');

const issuer = () =>
  new JwtIssuer({
    keys: JwtKey.fromSecret(new Uint8Array(32).fill(7), { alg: 'HS256' }),
    expiresIn: '15m',
  });
const sessionsOptions = () => ({
  issuer: issuer(),
  revocations: new RevocationList(),
  refreshTtl: '30d',
  idleTtl: '7d',
  grace: 30,
  maxSessions: 10,
  ...clockOptions(),
});
const on = () => new Sessions(sessionsOptions());

module.exports = {
  'new Sessions': {
    args: () => [sessionsOptions()],
    kinds: [
      options({
        issuer: instance(JwtIssuer, issuer),
        revocations: instance(RevocationList, () => new RevocationList()),
        refreshTtl: duration,
        idleTtl: duration,
        grace: duration,
        maxSessions: integer,
        ...clock,
      }),
    ],
  },
  'Sessions.prototype.start': {
    on,
    args: () => ['subject', { role: 'admin' }],
    kinds: [name, claims],
  },
  'Sessions.prototype.refresh': { on, args: () => ['token'], kinds: [clientText] },
  'Sessions.prototype.end': { on, args: () => [uuidv7()], kinds: [word] },
  'Sessions.prototype.endByRefreshToken': { on, args: () => ['token'], kinds: [clientText] },
  'Sessions.prototype.endAll': { on, args: () => ['subject'], kinds: [name] },
  'Sessions.prototype.list': { on, args: () => ['subject'], kinds: [name] },
};
