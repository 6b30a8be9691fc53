'use strict';

const { RevocationList } = require('@nodesec/native');
const { callback, duration, integer, moment, name, numericDate, options, record, text, word } =
  require('../hostile.js');
const { clock, clockOptions } = require('./clock.js');
const { clockedStore, store, storeKinds, storeOptions, storePath } = require('./store.js');

const on = () => new RevocationList();
const SOON = Math.ceil(Date.now() / 1000) + 60;
const scope = options({ issuer: text });

const revoke = {
  on,
  args: () => [{ jti: 'id', exp: SOON, iss: 'issuer' }],
  kinds: [record({ jti: name, exp: moment, iss: text })],
};
const revokeId = {
  on,
  args: () => ['id', SOON, { issuer: 'issuer' }],
  kinds: [name, moment, scope],
};
const revokeKey = { on, args: () => ['kid'], kinds: [name] };
const revokeAll = {
  on,
  args: () => [{ issuer: 'issuer', issuedBefore: SOON }],
  kinds: [options({ issuer: text, issuedBefore: moment })],
};
const limits = { maxEntries: integer, maxTokenTtl: duration, onFull: word };
const listening = { on, args: () => ['revoked', () => {}], kinds: [word, callback] };
const plain = { on, args: () => [], kinds: [] };

module.exports = {
  'new RevocationList': {
    args: () => [
      { maxEntries: 10, maxTokenTtl: '1d', onFull: 'error', store: clockedStore(), ...clockOptions() },
    ],
    kinds: [options({ ...limits, store, ...clock })],
  },
  'RevocationList.shared': {
    args: () => ['row', { maxEntries: 10, maxTokenTtl: '1d', onFull: 'error' }],
    kinds: [name, options(limits)],
  },
  'RevocationList.open': {
    args: () => [
      storePath(),
      { maxEntries: 10, maxTokenTtl: '1d', onFull: 'error', ...storeOptions() },
    ],
    kinds: [name, options({ ...limits, ...storeKinds })],
  },
  'RevocationList.prototype.revoke': revoke,
  'RevocationList.prototype.revokeSync': revoke,
  'RevocationList.prototype.revokeId': revokeId,
  'RevocationList.prototype.revokeIdSync': revokeId,
  'RevocationList.prototype.revokeSession': revokeId,
  'RevocationList.prototype.revokeSessionSync': revokeId,
  'RevocationList.prototype.revokeSubject': revokeId,
  'RevocationList.prototype.revokeSubjectSync': revokeId,
  'RevocationList.prototype.revokeKey': revokeKey,
  'RevocationList.prototype.revokeKeySync': revokeKey,
  'RevocationList.prototype.revokeAll': revokeAll,
  'RevocationList.prototype.revokeAllSync': revokeAll,
  'RevocationList.prototype.on': listening,
  'RevocationList.prototype.once': listening,
  'RevocationList.prototype.off': listening,
  'RevocationList.prototype.isRevoked': {
    on,
    args: () => [{ jti: 'id', sid: 'session', sub: 'subject', iat: 1, kid: 'kid', iss: 'issuer' }],
    kinds: [
      record({ jti: text, sid: text, sub: text, iat: numericDate, kid: text, iss: text }),
    ],
  },
  'RevocationList.prototype.stats': plain,
  'RevocationList.prototype.close': plain,
};
