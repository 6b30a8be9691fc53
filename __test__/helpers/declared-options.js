'use strict';

// Maps each set of options in the table of arguments to its declarations. A set is named after its
// row, and a nested set also after its option: `new PasswordHasher` has the options of
// `PasswordHasher`, and its `limits` has the options of `PasswordHasher.limits`.

/**
 * Sets that use the declarations of other sets: they have the options of all sets that are listed.
 */
const SHARED = {
  'JwtIssuer.prototype.signAsync': ['JwtIssuer.prototype.sign'],
  'JwtKey.fromCertificate': ['JwtKey.fromSecret'],
  'JwtKey.fromDer': ['JwtKey.fromPem'],
  'JwtKey.fromKeyObject': ['JwtKey.fromSecret'],
  'JwtVerifier.accessToken.cache': ['JwtVerifier.cache'],
  'JwtVerifier.spiffe.cache': ['JwtVerifier.cache'],
  'KeyRing.prototype.addAsync': ['KeyRing.prototype.add'],
  'PasswordHasher.prototype.verify': ['PasswordHasher.prototype.hash'],
  'PasswordHasher.prototype.verifyAndUpdate': ['PasswordHasher.prototype.hash'],
  'RateLimiter.prototype.setLimits.limits': ['RateLimiter.limits'],
  'RateLimiter.machine.limits': ['RateLimiter.limits'],
  'RateLimiter.restore': ['RateLimiter'],
  'RateLimiter.restore.limits': ['RateLimiter.limits'],
  'RateLimiter.shared.limits': ['RateLimiter.limits'],
  'redis.RedisKeyRing.open': ['RedisKeyRing.open'],
  'redis.RedisKeyRing.prototype.addAsync': ['KeyRing.prototype.add'],
  'redis.RedisKeyRing.prototype.configure': ['KeyRing.prototype.configure'],
  'redis.RedisKeyRing.prototype.rotate': ['KeyRing.prototype.rotate'],
  'redis.RedisRateLimiter.limits': ['RateLimiter.limits'],
  'redis.RedisRateLimiter.prototype.setLimits': ['RateLimiter.prototype.setLimits'],
  'redis.RedisRateLimiter.prototype.setLimits.limits': ['RateLimiter.limits'],
  'redis.RedisRevocations.open': ['RedisRevocations.open'],
  'redis.RedisSessions': ['RedisSessions'],
  'RevocationList.prototype.revokeAllSync': ['RevocationList.prototype.revokeAll'],
  'RevocationList.prototype.revokeIdSync': ['RevocationList.prototype.revokeId'],
  'RevocationList.prototype.revokeSession': ['RevocationList.prototype.revokeId'],
  'RevocationList.prototype.revokeSessionSync': ['RevocationList.prototype.revokeId'],
  'RevocationList.prototype.revokeSubject': ['RevocationList.prototype.revokeId'],
  'RevocationList.prototype.revokeSubjectSync': ['RevocationList.prototype.revokeId'],
  'SecretBuffer.unseal': ['SecretBuffer.prototype.seal'],
  hashSync: ['hash'],
  needsRehash: ['needsRehash', 'hash'],
  verifySync: ['verify'],
  'verifySync.limits': ['verify.limits'],
};

/** Declared options that a set refuses: a call that returns no promise has no signal. */
const REFUSED = { hashSync: ['signal'], verifySync: ['signal'] };

/** The sets of options of a table of arguments, as `[name, options]`. */
function* optionSets(table) {
  for (const [row, { kinds = [] }] of Object.entries(table)) {
    for (const kind of kinds) yield* setsOf(row.replace(/^new /, ''), kind);
  }
}

function* setsOf(name, { options, members }) {
  // An element of a list has the options that are named after the list.
  for (const kind of Object.values(members ?? {})) yield* setsOf(name, kind);
  if (options === undefined) return;
  yield [name, Object.keys(options)];
  for (const [option, kind] of Object.entries(options)) yield* setsOf(`${name}.${option}`, kind);
}

/**
 * Compares a table of arguments with the declared options. Returns one line for each difference.
 */
function disagreements(table, declared) {
  const found = [];
  const used = new Set();
  for (const [set, options] of optionSets(table)) {
    const names = SHARED[set] ?? [set];
    for (const name of names) used.add(name);
    const all = new Set(names.flatMap((name) => declared[name] ?? []));
    const accepted = without([...all], REFUSED[set] ?? []);
    for (const option of without(accepted, options)) {
      found.push(`the table lacks the option ${option} of ${set}`);
    }
    for (const option of without(options, accepted)) {
      found.push(`the table has an option ${option} of ${set}, which is not declared`);
    }
  }
  for (const name of Object.keys(declared)) {
    if (used.has(name)) continue;
    found.push(`the table has no options of ${name}: ${declared[name].join(', ')}`);
  }
  return found;
}

const without = (options, others) => options.filter((option) => !others.includes(option));

module.exports = { disagreements };
