'use strict';

const { JwtIssuer, JwtKey, RevocationList, Sessions, uuidv7 } = require('@nodesec/native');
const { boolean, claims, clientText, duration, instance, integer, kind, name, options, word } =
  require('../hostile.js');
const { clock, clockOptions } = require('./clock.js');
const { openedStore, store } = require('./store.js');

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
  retryUntilUsed: true,
  maxSessions: 10,
  maxSessionsPerSubject: 5,
  onSessionLimit: 'end-oldest',
  ...clockOptions(),
});
const { 'a function': _, ...noClaims } = claims.refused;
const claimsOrFunction = kind(noClaims);
const on = () => new Sessions(sessionsOptions());
/** On the store of all rows, whose list has these options. */
const storedOptions = () => {
  const place = { store: openedStore() };
  const limits = { maxEntries: 10, maxTokenTtl: '1d', onFull: 'error' };
  return { ...sessionsOptions(), ...place, revocations: new RevocationList({ ...limits, ...place }) };
};

module.exports = {
  'new Sessions': {
    args: () => [storedOptions()],
    kinds: [
      options({
        issuer: instance(JwtIssuer, issuer),
        revocations: instance(RevocationList, () => new RevocationList()),
        refreshTtl: duration,
        idleTtl: duration,
        store,
        grace: duration,
        retryUntilUsed: boolean,
        maxSessions: integer,
        maxSessionsPerSubject: integer,
        onSessionLimit: word,
        ...clock,
      }),
    ],
  },
  'Sessions.prototype.start': {
    on,
    args: () => ['subject', { role: 'admin' }, { meta: { device: 'phone' } }],
    kinds: [name, claims, options({ meta: claims })],
  },
  'Sessions.prototype.refresh': {
    on,
    args: () => ['token', { claims: { role: 'user' }, meta: { device: 'phone' } }],
    kinds: [clientText, options({ claims: claimsOrFunction, meta: claims })],
  },
  'Sessions.prototype.end': { on, args: () => [uuidv7()], kinds: [word] },
  'Sessions.prototype.endByRefreshToken': { on, args: () => ['token'], kinds: [clientText] },
  'Sessions.prototype.endAll': { on, args: () => ['subject'], kinds: [name] },
  'Sessions.prototype.list': { on, args: () => ['subject'], kinds: [name] },
};
