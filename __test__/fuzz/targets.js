'use strict';

// The functions that calls.js calls, each with a row as in the table of arguments: those of the
// table, and those that a table of arguments has no use for, since they take none or are those of
// another row.

const argon2 = require('@nodesec/native/argon2');
const native = require('@nodesec/native');
const redis = require('@nodesec/native/redis');
const { classes, classesOf, publicFunctions } = require('../helpers/exports.js');
const table = require('../helpers/arguments.js');
const { requests } = require('./requests.js');

/**
 * All functions, by name: `{ row, call }`, where `call` takes a receiver and the arguments. With
 * `isRefused`, the call of the row fails with a code.
 */
const targets = new Map();

for (const [name, call] of publicFunctions()) {
  if (!table[name].refused) targets.set(name, { row: table[name], call });
}

// The façade for npm `argon2`, whose options are fewer.
for (const name of ['hash', 'needsRehash', 'verify']) {
  targets.set(`argon2.${name}`, { row: table[name], call: (_, args) => argon2[name](...args) });
}

/** The row of a method of a class. */
const rowOf = (Class, method) => table[`${Class.name}.prototype.${method}`];

// Accessors and symbols: of their own receivers, and of others.
for (const [name, Class] of classes) {
  const { on } = Object.entries(table).find(
    ([row, { on: receiver }]) => receiver !== undefined && row.startsWith(`${name}.prototype.`),
  )?.[1] ?? { on: () => new Class(...table[`new ${name}`].args()) };
  for (const key of Reflect.ownKeys(Class.prototype)) {
    const { get, value } = Object.getOwnPropertyDescriptor(Class.prototype, key);
    // Symbols of the package's own are for its other copies.
    const isPublic = typeof key === 'symbol' && !/^@nodesec/.test(key.description);
    if (get === undefined && !(isPublic && typeof value === 'function')) continue;
    const call = (receiver, args) => (get ?? value).apply(receiver, args);
    targets.set(`${name}.prototype[${String(key)}]`, { row: { on, args: () => [] }, call });
  }
}

/** Listens to a ring for a moment: it outlives the call, and an error of a listener is uncaught. */
function listening(ring, args) {
  try {
    return native.KeyRing.prototype.on.apply(ring, args);
  } finally {
    try {
      native.KeyRing.prototype.off.apply(ring, args);
    } catch {
      // `off` also refuses the arguments that `on` has refused.
    }
  }
}

/** Methods that the receivers below refuse: a ring on a server changes by promises only. */
const REFUSED = [
  'RedisKeyRing.add', 'RedisKeyRing.revoke', 'RedisKeyRing.tick', 'RedisSessions.start',
  'RedisSessions.endAll', 'RedisSessions.list',
];

// The methods that the classes for Redis inherit. Their servers answer every call alike.
const receivers = {
  RedisKeyRing: table['redis.RedisKeyRing.prototype.status'].on,
  RedisSessions: () => new redis.RedisSessions(...table['new redis.RedisSessions'].args()),
};
for (const [name, Class] of classesOf(redis)) {
  const Parent = Object.getPrototypeOf(Class);
  if (native[Parent.name] !== Parent) continue;
  for (const method of Object.getOwnPropertyNames(Parent.prototype)) {
    if (method === 'constructor' || Object.hasOwn(Class.prototype, method)) continue;
    const row = { ...rowOf(Parent, method), on: receivers[name] };
    const own = (receiver, args) => Parent.prototype[method].apply(receiver, args);
    const call = method === 'on' ? (receiver, args) => listening(receiver, [...args]) : own;
    const isRefused = REFUSED.includes(`${name}.${method}`);
    targets.set(`redis.${name}.prototype.${method}`, { row, call, isRefused });
  }
}

for (const { name, row, call } of requests()) targets.set(name, { row, call });

module.exports = { targets };
