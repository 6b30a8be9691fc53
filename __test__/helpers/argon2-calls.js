'use strict';

// Calls of a program that uses npm `argon2`, good ones and bad ones. As a program, this file makes
// them all to the package that its argument names, and prints what became of each as JSON. npm
// `argon2` 0.45 does not load in every Node that this package supports, so the caller chooses one.

const FAST = { memoryCost: 64, timeCost: 2, parallelism: 1, salt: Buffer.from('a salt of my own') };
const SECRET = Buffer.from('a pepper');
const DATA = Buffer.alloc(1024, 'data ');
const TAG = '$YSBzYWx0IG9mIG15IG93bg$c29tZSB0YWcgb2YgdGhpcnR5LXR3byBieXRlcyAhISE';
const PHC = `$argon2id$v=19$m=64,t=2,p=1${TAG}`;
/** Of npm `argon2`, for 'password'. */
const FRACTIONS =
  '$argon2id$v=19$m=64.5,t=2.5,p=1.5$bKXDuwX6H3TXje2Ymf69EA$1KTyG7Vv5n744gPbOLHDXDedIcAp5lEWM3MRHvnt8kg';
const BCRYPT = '$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW';
const SCRYPT = '$scrypt$ln=4,r=8,p=1$YWFhYWFhYWFhYWFhYWFhYQ$YWFhYWFhYWFhYWFhYWFhYQ';

/** A call of `hash` with other options than usual. */
const hash = (options) => (argon2) => argon2.hash('password', { ...FAST, ...options });
/** A call of `hash` for a password. */
const hashOf = (password) => (argon2) => argon2.hash(password, FAST);
/** A call of `verify` for a digest that the package itself has just made. */
const verify = (made, password, options) => async (argon2) =>
  argon2.verify(await argon2.hash('password', { ...FAST, ...made }), password, options);
/** A call of `needsRehash` for a digest that the package itself has just made. */
const needsRehash = (made, options) => async (argon2) =>
  argon2.needsRehash(await argon2.hash('password', { ...FAST, ...made }), options);
/** A call of `verify` or `needsRehash` with these arguments. */
const call = (name, ...args) => (argon2) => argon2[name](...args);

class Settings {
  memoryCost = 99;
  timeCost = 1;
  get parallelism() {
    return 2;
  }
}
class Failing {
  get memoryCost() {
    throw new EvalError('no costs today');
  }
}

const CALLS = {
  'the exports': (argon2) => Object.keys(argon2).sort(),
  'the constants': ({ argon2d, argon2i, argon2id }) => [argon2d, argon2i, argon2id],

  'hash text': hash({}),
  'hash by default': async (argon2) => (await argon2.hash('password')).split('$', 4),
  'hash twice': async (argon2) => {
    const first = await argon2.hash('x');
    return first === (await argon2.hash('x'));
  },
  'hash bytes': hashOf(Buffer.from([0xff, 0, 0xfe])),
  'hash a Uint8Array': hashOf(new Uint8Array([1, 2, 3])),
  'hash nothing': hashOf(''),
  'hash no bytes': hashOf(Buffer.alloc(0)),
  'hash all of Unicode': hashOf('pässwörd 🐎 \0'),
  'hash a lone surrogate': hashOf('a\ud800b'),
  'hash 4096 bytes': hashOf('x'.repeat(4096)),
  'hash without options': (argon2) => argon2.hash('password', null).then((digest) => digest.length),
  'hash with text as options': (argon2) => argon2.hash('x', 'fast').then((text) => text.length),
  'hash with argon2d': hash({ type: 0 }),
  'hash with argon2i': hash({ type: 1 }),
  'hash with argon2id': hash({ type: 2 }),
  'hash with version 0x10': hash({ version: 0x10 }),
  'hash with a secret': hash({ secret: SECRET }),
  'hash with an empty secret': hash({ secret: Buffer.alloc(0) }),
  'hash with an undefined secret': hash({ secret: undefined }),
  'hash with data': hash({ associatedData: DATA }),
  'hash with little data': hash({ associatedData: Buffer.from('x') }),
  'hash with no data': hash({ associatedData: Buffer.alloc(0) }),
  'hash with other costs': hash({ memoryCost: 99, timeCost: 3, parallelism: 4 }),
  'hash with the least costs': hash({ memoryCost: 8, timeCost: 1, parallelism: 1 }),
  'hash with the least memory of 64 lanes': hash({ memoryCost: 512, parallelism: 64 }),
  'hash with costs as text': hash({ memoryCost: '64', timeCost: '3', parallelism: '2' }),
  'hash to 16 bytes as text': hash({ hashLength: '16' }),
  'no passes as text': hash({ timeCost: '' }),
  'hash to 4 bytes': hash({ hashLength: 4 }),
  'hash to 1024 bytes': hash({ hashLength: 1024 }),
  'hash with a short salt': hash({ salt: Buffer.from('8 bytes.') }),
  'hash with a null salt': (argon2) =>
    argon2.hash('password', { ...FAST, salt: null }).then((digest) => digest.length),
  'hash raw': hash({ raw: true, hashLength: 24 }),
  'hash raw with 1 for true': hash({ raw: 1 }),
  'hash not raw': hash({ raw: false }),
  'hash raw with null': hash({ raw: null }),
  'hash with the members of a class': (argon2) =>
    argon2.hash('x', Object.assign(new Settings(), { salt: FAST.salt })),
  'hash with inherited options': (argon2) =>
    argon2.hash('x', Object.create({ memoryCost: 64 })).then((digest) => digest.split('$', 4)),
  'hash with a misspelt option': hash({ memorycost: 1024 }),
  'hash with saltLength of older versions': hash({ saltLength: 32 }),
  'hash with options of the main entry': hash({ profile: 'test', signal: 1, limits: 2 }),
  'hash with a getter that throws': (argon2) =>
    argon2.hash('x', Object.defineProperty({}, 'memoryCost', {
      ...Object.getOwnPropertyDescriptor(Failing.prototype, 'memoryCost'),
      enumerable: true,
    })),

  'hash undefined': hashOf(undefined),
  'hash null': hashOf(null),
  'hash a number': hashOf(1234),
  'hash true': hashOf(true),
  'hash an object': hashOf({}),
  'hash a symbol': hashOf(Symbol('password')),
  'hash a function': hashOf(() => 'password'),
  'too short a salt': hash({ salt: Buffer.from('7 bytes') }),
  'too little memory': hash({ memoryCost: 7 }),
  'too little memory for the lanes': hash({ memoryCost: 31, parallelism: 4 }),
  'no memory': hash({ memoryCost: 0 }),
  'memory that is not a number': hash({ memoryCost: NaN }),
  'memory as a word': hash({ memoryCost: 'much' }),
  'endless memory': hash({ memoryCost: Infinity }),
  'memory of 2^32': hash({ memoryCost: 2 ** 32 }),
  'memory of 2^53': hash({ memoryCost: 2 ** 53 }),
  'no passes': hash({ timeCost: 0 }),
  '2^32 passes': hash({ timeCost: 2 ** 32 }),
  'no lanes': hash({ parallelism: 0 }),
  '2^24 lanes': hash({ parallelism: 2 ** 24 }),
  '-1 lanes': hash({ parallelism: -1 }),
  'too short a hash': hash({ hashLength: 3 }),
  'a hash of 2^32 bytes': hash({ hashLength: 2 ** 32 }),
  'a secret of text': hash({ secret: 'a pepper' }),
  'a secret that is a number': hash({ secret: 5 }),
  'data that is a number': hash({ associatedData: 5 }),
  'a salt of text': hash({ salt: 'a salt of my own' }),
  'a salt that is a number': hash({ salt: 16 }),

  'verify the password': verify({}, 'password'),
  'verify its bytes': verify({}, Buffer.from('password')),
  'verify another': verify({}, 'Password'),
  'verify nothing': verify({}, ''),
  'verify a lone surrogate': verify({}, '\udfff'),
  'verify with a secret': verify({ secret: SECRET }, 'password', { secret: SECRET }),
  'verify without the secret': verify({ secret: SECRET }, 'password'),
  'verify with another secret': verify({ secret: SECRET }, 'password', { secret: DATA }),
  'verify with an empty secret': verify({}, 'password', { secret: Buffer.alloc(0) }),
  'verify with the options of hash': verify({}, 'password', { ...FAST, raw: true, type: 0 }),
  'verify with data': verify({ associatedData: DATA }, 'password'),
  'verify with data of any length': verify({ associatedData: Buffer.from('xy') }, 'password'),
  'verify argon2d': verify({ type: 0 }, 'password'),
  'verify argon2i': verify({ type: 1 }, 'password'),
  'verify version 0x10': verify({ version: 0x10 }, 'password'),
  'verify a digest without its version': async (argon2) =>
    argon2.verify((await hash({ version: 0x10 })(argon2)).replace('$v=16', ''), 'password'),
  'verify a tag of 4 bytes': verify({ hashLength: 4 }, 'password'),
  'verify costs in any order': call('verify', PHC.replace('m=64,t=2,p=1', 'p=1,t=2,m=64'), 'x'),
  'verify costs with fractions': call('verify', FRACTIONS, 'password'),
  'verify another by costs with fractions': call('verify', FRACTIONS, 'Password'),
  'verify bcrypt': call('verify', BCRYPT, 'U*U'),
  'verify scrypt': call('verify', SCRYPT, 'password'),
  'verify undefined': call('verify', PHC, undefined),
  'verify a number': call('verify', PHC, 5),
  'verify with a secret of text': call('verify', PHC, 'x', { secret: 'a pepper' }),
  'verify an empty digest': call('verify', '', 'password'),
  'verify no digest': call('verify', undefined, 'password'),
  'verify a digest of null': call('verify', null, 'password'),
  'verify a digest of bytes': call('verify', Buffer.from(PHC), 'password'),
  'verify a plain password': call('verify', 'password', 'password'),
  'verify a digest without a tag': call('verify', '$argon2id$v=19$m=64,t=2,p=1', 'password'),
  'verify a digest without costs': call('verify', `$argon2id$v=19${TAG}`, 'password'),
  'verify a digest of too little memory': call('verify', PHC.replace('m=64', 'm=7'), 'password'),
  'verify a digest of no passes': call('verify', PHC.replace('t=2', 't=0'), 'password'),
  'verify a digest of another version': call('verify', PHC.replace('v=19', 'v=x'), 'password'),
  'verify a digest with too many fields': call('verify', `${PHC}$$`, 'password'),

  'needsRehash of the same costs': needsRehash({}, FAST),
  'needsRehash by default': needsRehash({}),
  'needsRehash of the defaults': async (argon2) => argon2.needsRehash(await argon2.hash('x'), {}),
  'needsRehash without options': needsRehash({}, null),
  'needsRehash of other memory': needsRehash({}, { ...FAST, memoryCost: 65 }),
  'needsRehash of other passes': needsRehash({}, { ...FAST, timeCost: 1 }),
  'needsRehash of other lanes': needsRehash({}, { ...FAST, parallelism: 2 }),
  'needsRehash of another version': needsRehash({ version: 0x10 }, FAST),
  'needsRehash of version 0x10': needsRehash({ version: 0x10 }, { ...FAST, version: 0x10 }),
  'needsRehash of another type': needsRehash({ type: 1 }, FAST),
  'needsRehash of another hash length': needsRehash({ hashLength: 4 }, FAST),
  'needsRehash of another salt length': needsRehash({ salt: Buffer.alloc(8) }, FAST),
  'needsRehash of costs as text': needsRehash({}, { memoryCost: '64', timeCost: '2', parallelism: '1' }),
  'needsRehash of costs that are no numbers': needsRehash({}, { ...FAST, memoryCost: NaN }),
  'needsRehash of scrypt': call('needsRehash', SCRYPT, FAST),
  'needsRehash of no digest': call('needsRehash', undefined),
  'needsRehash of an empty digest': call('needsRehash', ''),
  'needsRehash of a digest of bytes': call('needsRehash', Buffer.from(PHC)),
  'needsRehash of a plain password': call('needsRehash', 'password'),
  'needsRehash of a digest without costs': call('needsRehash', `$argon2id$v=19${TAG}`),

  // The rows of docs/migrating.md.
  'the parameters of a digest': async (argon2) => {
    const digest = await hash({})(argon2);
    return digest.split('$')[3].replaceAll(/=\d+/g, '');
  },
  'an option that is `undefined`': hash({ memoryCost: undefined }),
  'a type as text': hash({ type: 'argon2id' }),
  'a type that does not exist': hash({ type: 3 }),
  'a version that does not exist': hash({ version: 0x99 }),
  'a fraction of memory': hash({ memoryCost: 64.5 }),
  'a salt, a secret or data in a Uint8Array': hash({ salt: new Uint8Array(16) }),
  'a password in an array': hashOf([1, 2, 3]),
  'a password in a String': hashOf(Object('password')),
  'a password in an ArrayBuffer': hashOf(new ArrayBuffer(8)),
  'a password above 4096 bytes': hashOf('x'.repeat(4097)),
  'a hash above 1024 bytes': hash({ hashLength: 1025 }),
  'a salt above 1024 bytes': hash({ salt: Buffer.alloc(1025) }),
  'associated data above 1024 bytes': hash({ associatedData: Buffer.alloc(1025) }),
  'a secret above 4096 bytes': hash({ secret: Buffer.alloc(4097) }),
  'more than 255 lanes': hash({ memoryCost: 2048, parallelism: 256 }),
  'a digest beyond the ceilings': verify({ timeCost: 65 }, 'password'),
  'verify with `null` as options': call('verify', PHC, 'x', null),
  'needsRehash with an option that is `undefined`': async (argon2) =>
    argon2.needsRehash(await argon2.hash('x'), { version: undefined }),
  'needsRehash of costs with fractions': call('needsRehash', FRACTIONS, {
    memoryCost: 64.5,
    timeCost: 2.5,
    parallelism: 1.5,
  }),
  'needsRehash of bcrypt': call('needsRehash', BCRYPT, FAST),
  'needsRehash of version 0x10 without `v=`': call(
    'needsRehash',
    PHC.replace('$v=19', ''),
    { ...FAST, version: 0x10 },
  ),
};

/** The result of a call: `{ value }`, or `{ classes, code }` of its error. */
async function outcomeOf(step, argon2) {
  try {
    const value = await step(argon2);
    return { value: Buffer.isBuffer(value) ? value.toString('hex') : value };
  } catch (error) {
    const classes = [];
    for (let at = error; at !== Object.prototype; at = Object.getPrototypeOf(at)) {
      if (Object.hasOwn(at, 'constructor')) classes.push(at.constructor.name);
    }
    return { classes, code: error.code, message: error.message };
  }
}

async function main(name) {
  const argon2 = require(name);
  const outcomes = {};
  for (const [title, step] of Object.entries(CALLS)) {
    outcomes[title] = await outcomeOf(step, argon2);
  }
  console.log(JSON.stringify(outcomes));
}

if (require.main === module) main(process.argv[2]);

module.exports = { CALLS };
